//! HTTP/1.1, as bytes: the heads of requests, bodies in chunks, and the heads of answers.
//!
//! ```text
//! bytes ─▶ Heads ─▶ Head (parts, framing of the body)     Opening ─▶ bytes
//!          Chunks: where content is among the framing
//! ```
//!
//! Cost: a head is copied once, and its values are slices of that; content is never touched.

mod chunks;
mod reply;
mod request;

pub use chunks::Chunks;
pub use reply::{CHUNKS_END, CONTINUE, Length, Opening, Persistence, chunk_head};
pub use request::{Framing, Head, Heads};

use http::StatusCode;

/// What a client may not send. Nothing behind it can be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("the request is not well-formed HTTP/1")]
    Malformed,
    #[error("the head of the request is too large")]
    TooLarge,
    #[error("the request has a transfer coding other than chunked")]
    UnknownCoding,
}

impl Fault {
    /// What to answer.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::UnknownCoding => StatusCode::NOT_IMPLEMENTED,
        }
    }
}

#[cfg(test)]
mod tests;
