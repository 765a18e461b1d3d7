//! Request: heads, and what they say about the body and the connection (RFC 9112, sections 3 and 6).
//!
//! Two readers of one request must not disagree about where it ends, so whatever could be read in two
//! ways is refused. Bounds: the bytes of a head, and [`HEADERS_MAX`].

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, Version, header, request};

use super::Fault;
use crate::content_length::declared;

const HEADERS_MAX: usize = 100;
/// What is looked at before a head is complete, so that garbage is told at once.
const GLANCE_BYTES: usize = 256;

/// The head of a request.
#[derive(Debug)]
pub struct Head {
    pub parts: request::Parts,
    pub body: Framing,
    /// Whether the client sends its body only once it hears that it is wanted, or gets impatient.
    pub expects_continue: bool,
    /// Whether another request may follow.
    pub is_persistent: bool,
}

/// Where the body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    Sized(u64),
    Chunked,
}

/// Finds one head after the other in what a client sends.
#[derive(Clone, Copy, Debug)]
pub struct Heads {
    bytes_max: usize,
    /// How much of the input was searched for the end of its head.
    searched: usize,
}

impl Heads {
    /// Heads of at most `bytes_max`.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self { bytes_max, searched: 0 }
    }

    /// The head at the beginning of `input` and its size, once it is complete. Until then every call has
    /// to begin with the input of the last.
    pub fn read(&mut self, input: &[u8]) -> Result<Option<(Head, usize)>, Fault> {
        let blank = blank_lines(input);
        let from = self.searched.saturating_sub(2).max(blank);
        let end = end_of_head(input, from);
        let is_too_large = self.bytes_max < end.unwrap_or(input.len());
        if (end.is_none() || is_too_large) && self.searched < GLANCE_BYTES {
            glance(&input[blank..input.len().min(GLANCE_BYTES).max(blank)])?;
        }
        if is_too_large {
            return Err(Fault::TooLarge);
        }
        self.searched = input.len();
        let Some(end) = end else { return Ok(None) };
        self.searched = 0;
        let head = parse(Bytes::copy_from_slice(&input[blank..end]))?;
        Ok(Some((head, end)))
    }
}

/// How many bytes of empty lines some clients send after a body (RFC 9112, section 2.2).
fn blank_lines(input: &[u8]) -> usize {
    let mut rest = input;
    while let Some(after) = rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n")) {
        rest = after;
    }
    input.len() - rest.len()
}

/// Where the first empty line at or after `from` ends.
fn end_of_head(input: &[u8], from: usize) -> Option<usize> {
    let ends = input.iter().enumerate().skip(from).filter(|(_, byte)| **byte == b'\n');
    let mut ends = ends.map(|(at, _)| at + 1);
    ends.find_map(|at| match &input[at..] {
        [b'\n', ..] => Some(at + 1),
        [b'\r', b'\n', ..] => Some(at + 2),
        _ => None,
    })
}

/// Whether the beginning of a head can be one.
fn glance(beginning: &[u8]) -> Result<(), Fault> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    httparse::Request::new(&mut headers).parse(beginning).map(drop).map_err(fault)
}

fn fault(error: httparse::Error) -> Fault {
    match error {
        httparse::Error::TooManyHeaders => Fault::TooLarge,
        _ => Fault::Malformed,
    }
}

/// Reads a complete head.
fn parse(head: Bytes) -> Result<Head, Fault> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    let status = request.parse(&head).map_err(fault)?;
    let (httparse::Status::Complete(_), Some(method), Some(target), Some(minor)) =
        (status, request.method, request.path, request.version)
    else {
        return Err(Fault::Malformed);
    };
    let (mut parts, ()) = http::Request::new(()).into_parts();
    parts.method = Method::from_bytes(method.as_bytes()).map_err(|_| Fault::Malformed)?;
    let target = head.slice_ref(target.as_bytes());
    parts.uri = Uri::from_maybe_shared(target).map_err(|_| Fault::Malformed)?;
    parts.version = if minor == 0 { Version::HTTP_10 } else { Version::HTTP_11 };
    parts.headers.reserve(request.headers.len());
    for header in &*request.headers {
        let name = HeaderName::from_bytes(header.name.as_bytes()).map_err(|_| Fault::Malformed)?;
        let value = HeaderValue::from_maybe_shared(head.slice_ref(header.value));
        parts.headers.append(name, value.map_err(|_| Fault::Malformed)?);
    }
    understand(parts)
}

/// What a head says about its body and its connection.
fn understand(parts: request::Parts) -> Result<Head, Fault> {
    let is_old = parts.version == Version::HTTP_10;
    let hosts = parts.headers.get_all(header::HOST).iter().count();
    if 1 < hosts || hosts == 0 && !is_old {
        return Err(Fault::Malformed);
    }
    let body = framing(&parts.headers, is_old)?;
    let says = |option| connection_says(&parts.headers, option);
    let is_persistent = !says("close") && (!is_old || says("keep-alive"));
    let expects = parts.headers.get(header::EXPECT).map(HeaderValue::as_bytes);
    let expects = expects.is_some_and(|value| value.eq_ignore_ascii_case(b"100-continue"));
    Ok(Head { body, is_persistent, expects_continue: expects && !is_old, parts })
}

fn framing(headers: &HeaderMap, is_old: bool) -> Result<Framing, Fault> {
    let declared = declared(headers).map_err(|_| Fault::Malformed)?;
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let Some(coding) = codings.next() else { return Ok(Framing::Sized(declared.unwrap_or(0))) };
    if declared.is_some() || is_old {
        return Err(Fault::Malformed);
    }
    let is_chunked = coding.as_bytes().eq_ignore_ascii_case(b"chunked");
    match is_chunked && codings.next().is_none() {
        true => Ok(Framing::Chunked),
        false => Err(Fault::UnknownCoding),
    }
}

/// Whether `Connection` names this option.
fn connection_says(headers: &HeaderMap, option: &str) -> bool {
    let values = headers.get_all(header::CONNECTION).iter();
    let mut options =
        values.filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(','));
    options.any(|named| named.trim().eq_ignore_ascii_case(option))
}

#[cfg(test)]
mod tests;
