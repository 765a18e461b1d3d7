//! Reply: the heads of answers, and the framing of those that come in pieces.

use std::fmt::{Display, Write as _};

use bytes::{BufMut as _, BytesMut};
use http::{HeaderName, header, response};

/// Tells a client to send its body.
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
/// The end of a body in chunks.
pub const CHUNKS_END: &[u8] = b"0\r\n\r\n";

/// Fields that only the connection itself can tell.
const OF_CONNECTIONS: [HeaderName; 3] =
    [header::CONNECTION, header::CONTENT_LENGTH, header::TRANSFER_ENCODING];
/// More than the heads of most answers need.
const HEAD_BYTES: usize = 256;

/// The size of an answer's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// The status says that there is none.
    Implied,
    Declared(usize),
    Chunked,
    UntilClose,
}

/// Whether another request may follow an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// As is usual.
    Kept,
    /// As the client of HTTP/1.0 asked for.
    KeptAlive,
    Closed,
}

/// The beginning of an answer.
#[derive(Debug)]
pub struct Opening<'a> {
    pub head: &'a response::Parts,
    pub length: Length,
    pub persistence: Persistence,
}

impl Opening<'_> {
    /// The head in bytes; `date` is told unless it tells one itself.
    pub fn encode(&self, date: impl Display) -> BytesMut {
        let Self { head, length, persistence } = self;
        let mut bytes = BytesMut::with_capacity(HEAD_BYTES);
        let reason = head.status.canonical_reason().unwrap_or("");
        put(&mut bytes, format_args!("HTTP/1.1 {} {reason}\r\n", head.status.as_u16()));
        for (name, value) in &head.headers {
            if !OF_CONNECTIONS.contains(name) {
                field(&mut bytes, name.as_str(), value.as_bytes());
            }
        }
        match length {
            Length::Declared(length) => {
                put(&mut bytes, format_args!("content-length: {length}\r\n"))
            }
            Length::Chunked => field(&mut bytes, "transfer-encoding", b"chunked"),
            Length::Implied | Length::UntilClose => {}
        }
        match persistence {
            Persistence::Kept => {}
            Persistence::KeptAlive => field(&mut bytes, "connection", b"keep-alive"),
            Persistence::Closed => field(&mut bytes, "connection", b"close"),
        }
        if !head.headers.contains_key(header::DATE) {
            put(&mut bytes, format_args!("date: {date}\r\n"));
        }
        bytes.put_slice(b"\r\n");
        bytes
    }
}

/// What precedes a chunk of so many bytes; behind it comes CR LF.
#[must_use]
pub fn chunk_head(length: usize) -> String {
    assert!(0 < length, "an empty chunk would be the end");
    format!("{length:x}\r\n")
}

fn field(bytes: &mut BytesMut, name: &str, value: &[u8]) {
    for part in [name.as_bytes(), b": ", value, b"\r\n"] {
        bytes.put_slice(part);
    }
}

fn put(bytes: &mut BytesMut, text: std::fmt::Arguments<'_>) {
    bytes.write_fmt(text).expect("a buffer grows");
}
