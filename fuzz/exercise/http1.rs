//! What must hold for an HTTP/1.1 server whatever its client sends; the fuzzer and the corpus test share
//! it.

use wire::http1::{Chunks, Fault, Framing, Heads};

const HEAD_BYTES_MAX: usize = 1_000;
const CHUNKED: &[u8] = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";

/// What a client said, as far as it can be understood.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    /// Heads, and the bodies that belong to them.
    pub requests: Vec<(String, Vec<u8>)>,
    pub fault: Option<Fault>,
}

/// A server understands the same wherever the bytes are cut, and keeps no more than a head. The first
/// byte chooses whether a head for chunks comes before the input; the second how it is cut.
pub(crate) fn talk(input: &[u8]) {
    let Some(([choice, cut], rest)) = input.split_first_chunk::<2>() else { return };
    let before = if choice & 1 == 0 { b"" } else { CHUNKED };
    let bytes = [before, rest].concat();
    let whole = listen([bytes.as_slice()]);
    assert_eq!(listen(bytes.chunks(1 + usize::from(*cut))), whole, "cuts make no difference");
    let content: usize = whole.requests.iter().map(|(_, body)| body.len()).sum();
    assert!(content <= bytes.len(), "content was sent");
}

/// Listens to what comes in these pieces.
pub(crate) fn listen<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Heard {
    let mut listener = Listener {
        input: Vec::new(),
        heads: Heads::new(HEAD_BYTES_MAX),
        left: None,
        heard: Heard::default(),
    };
    for piece in pieces {
        listener.input.extend_from_slice(piece);
        while listener.heard.fault.is_none() {
            match listener.step() {
                Ok(true) => {}
                Ok(false) => break,
                Err(fault) => listener.heard.fault = Some(fault),
            }
        }
        if listener.heard.fault.is_none() {
            assert!(listener.input.len() <= HEAD_BYTES_MAX, "what is kept is bounded");
        }
    }
    listener.heard
}

/// A server that answers nothing.
struct Listener {
    input: Vec<u8>,
    heads: Heads,
    left: Option<Left>,
    heard: Heard,
}

/// What is left of a body.
enum Left {
    Sized(u64),
    Chunked(Chunks),
}

impl Listener {
    /// Takes what comes next; whether there was anything.
    fn step(&mut self) -> Result<bool, Fault> {
        let Some(left) = &mut self.left else { return self.head() };
        let (framing, content) = match left {
            Left::Sized(bytes) => (0, *bytes),
            Left::Chunked(chunks) => (chunks.read(&self.input)?, chunks.content()),
        };
        self.input.drain(..framing);
        let taken = self.input.len().min(usize::try_from(content).unwrap_or(usize::MAX));
        let (_, body) = self.heard.requests.last_mut().expect("a body has a head");
        body.extend(self.input.drain(..taken));
        let is_over = match left {
            Left::Sized(bytes) => {
                *bytes -= taken as u64;
                *bytes == 0
            }
            Left::Chunked(chunks) => {
                chunks.take(taken as u64);
                chunks.is_over()
            }
        };
        if is_over {
            self.left = None;
        }
        Ok(is_over || 0 < framing + taken)
    }

    fn head(&mut self) -> Result<bool, Fault> {
        let Some((head, bytes)) = self.heads.read(&self.input)? else { return Ok(false) };
        self.input.drain(..bytes);
        let text = format!("{:?} {} {}", head.parts, head.is_persistent, head.expects_continue);
        self.heard.requests.push((text, Vec::new()));
        self.left = Some(match head.body {
            Framing::Sized(bytes) => Left::Sized(bytes),
            Framing::Chunked => Left::Chunked(Chunks::default()),
        });
        Ok(true)
    }
}
