//! What must hold for an HTTP/2 connection whatever its peer sends; the fuzzer and the corpus test
//! share it.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use wire::http2::{Connection, Event, Limits, Reason};

const LIMITS: Limits = Limits {
    streams_max: 5,
    header_bytes_max: 2_000,
    frame_bytes_max: 20_000,
    stream_window: 70_000,
    connection_window: 100_000,
};
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Reading stops here until what is to be written was taken.
const OUTPUT_BYTES_MAX: usize = 1 << 20;

/// An end takes any bytes, cut anywhere: it never panics, keeps its bounds, and ends when it says so.
/// The first byte chooses the end, whether frames are built for it, and how lazy its user is; the
/// second how the bytes are cut.
pub(crate) fn talk(input: &[u8]) {
    let Some(([choice, cut], rest)) = input.split_first_chunk::<2>() else { return };
    let is_client = choice & 1 != 0;
    let bytes = if choice & 2 == 0 { rest.to_vec() } else { framed(rest, is_client) };
    let mut user = User::new(is_client, choice & 4 != 0);
    let mut unread = BytesMut::new();
    for piece in bytes.chunks(1 + usize::from(*cut)) {
        unread.extend_from_slice(piece);
        let received = user.end.receive(&mut unread);
        user.deal();
        assert!(user.end.streams() <= LIMITS.streams_max as usize, "streams are bounded");
        if received.is_err() {
            user.write();
            assert!(user.end.is_over(), "after a fault there is only output left");
            return;
        }
    }
    assert!(unread.len() <= 9 + 8_000 + 16_384, "what is kept is bounded");
}

/// Frames whose lengths are right: each begins with its kind, flags, stream and length.
fn framed(mut rest: &[u8], is_client: bool) -> Vec<u8> {
    let mut bytes = if is_client { Vec::new() } else { PREFACE.to_vec() };
    bytes.extend_from_slice(&[0, 0, 0, 4, 0, 0, 0, 0, 0]);
    while let Some(([kind, flags, stream, length], more)) = rest.split_first_chunk::<4>() {
        let (payload, more) = more.split_at(usize::from(*length).min(more.len()));
        bytes.extend_from_slice(&[0, 0, payload.len() as u8, *kind, *flags, 0, 0, 0, *stream]);
        bytes.extend_from_slice(payload);
        rest = more;
    }
    bytes
}

/// Uses one end.
struct User {
    end: Connection,
    is_client: bool,
    /// Resets instead of answering, and releases nothing.
    is_lazy: bool,
}

impl User {
    fn new(is_client: bool, is_lazy: bool) -> Self {
        let mut end =
            if is_client { Connection::client(LIMITS) } else { Connection::server(LIMITS) };
        if is_client {
            let request = http::Request::post("http://host/path").body(()).unwrap();
            let (head, ()) = request.into_parts();
            for body in [0, 90_000] {
                let stream = end.request(&head, body == 0);
                if 0 < body {
                    end.send(stream, vec![0; body].into());
                    end.finish(stream, None);
                }
            }
        }
        Self { end, is_client, is_lazy }
    }

    fn deal(&mut self) {
        while let Some(event) = self.end.next_event() {
            match event {
                Event::Request { stream, .. } => {
                    assert!(!self.is_client, "only servers are asked");
                    self.answer(stream);
                }
                Event::Data { stream, bytes, .. } if !self.is_lazy => {
                    self.end.release(stream, bytes.len());
                }
                _ => {}
            }
        }
        if !self.is_lazy {
            self.write();
        }
    }

    fn answer(&mut self, stream: u32) {
        if self.is_lazy {
            return self.end.reset(stream, Reason::CANCEL);
        }
        let (head, ()) = http::Response::new(()).into_parts();
        self.end.respond(stream, &head, false);
        self.end.send(stream, vec![0; 70_000].into());
        self.end.finish(stream, Some(http::HeaderMap::new()));
    }

    fn write(&mut self) {
        let mut pieces = VecDeque::new();
        self.end.take_output(OUTPUT_BYTES_MAX, &mut pieces);
        assert!(pieces.iter().map(Bytes::len).sum::<usize>() <= 2 * OUTPUT_BYTES_MAX);
    }
}
