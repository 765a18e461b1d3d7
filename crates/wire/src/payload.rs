//! Payload: an OTLP export request of any signal, kept encoded.
//!
//! Cost: a payload is passed on and merged by moving slices; see `scan` for what making one costs.
//! Invariant: a payload was validated when it was made, and `items` is its true count.
//! See: `cut` for pieces, `view` for looking inside, `edit` for changing it.

use std::ops::Range;

use bytes::Bytes;

use crate::rope::{Rope, Writer};
use crate::{Signal, cut, profiles, scan};

/// One export request: its signal, how many items it holds, and its bytes as a rope.
#[derive(Clone, Debug)]
pub struct Payload {
    signal: Signal,
    items: usize,
    rope: Rope,
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
        let items = scan::scan(signal, &encoded)?;
        if signal == Signal::Profiles {
            profiles::check(&encoded)?;
        }
        Ok(Self { signal, items, rope: Rope::of(encoded) })
    }

    /// A request without items.
    #[must_use]
    pub fn empty(signal: Signal) -> Self {
        Self { signal, items: 0, rope: Rope::default() }
    }

    /// Joins requests of one signal, in order; `None` if there are none.
    #[must_use]
    pub fn merge(payloads: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut payloads = payloads.into_iter();
        let first = payloads.next()?;
        let Some(second) = payloads.next() else { return Some(first) };
        let signal = first.signal;
        let mut items = 0;
        let mut ropes = Vec::new();
        for payload in [first, second].into_iter().chain(payloads) {
            assert_eq!(payload.signal, signal, "only requests of one signal are merged");
            items += payload.items;
            ropes.push(payload.rope);
        }
        let rope = match signal {
            // Their items point into a dictionary beside them.
            Signal::Profiles => profiles::merge(&ropes),
            _ => Writer::join(ropes),
        };
        Some(Self { signal, items, rope })
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
        self.rope.bytes_len()
    }

    /// Whether there is nothing to deliver.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items == 0
    }

    /// The encoded request, in order.
    #[must_use]
    pub fn segments(&self) -> &[Bytes] {
        self.rope.segments()
    }

    /// The encoded request in one piece; copies when there are several segments.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        self.rope.to_bytes()
    }

    /// One payload for each range of items. The ranges are ascending and disjoint.
    ///
    /// Resources, scopes and metrics that are cut through are repeated in each piece, with all they
    /// say and with fields unknown to OTLP. Those that hold no item of a piece are left out of it.
    #[must_use]
    pub fn cut(&self, ranges: &[Range<usize>]) -> Vec<Self> {
        cut::pieces(self, ranges)
    }

    /// One payload with the items of all `ranges`, which are ascending and disjoint.
    #[must_use]
    pub fn select(&self, ranges: &[Range<usize>]) -> Self {
        cut::selection(self, ranges)
    }

    /// Pieces of at most `items_max` items, in order.
    #[must_use]
    pub fn split_by_items(&self, items_max: usize) -> Vec<Self> {
        let step = items_max.max(1);
        let starts = (0..self.items).step_by(step);
        let ranges: Vec<_> = starts.map(|at| at..self.items.min(at + step)).collect();
        if ranges.len() < 2 { vec![self.clone()] } else { self.cut(&ranges) }
    }

    /// Ranges of items that, cut out, take at most `bytes_max` each; an item that alone takes
    /// more stands alone. Profiles that share one large dictionary entry stay together where parting
    /// them would copy it without end.
    #[must_use]
    pub fn cuts_by_bytes(&self, bytes_max: usize) -> Vec<Range<usize>> {
        cut::ranges_by_bytes(self, bytes_max)
    }

    /// The slices behind the payload.
    pub(crate) fn rope(&self) -> &Rope {
        &self.rope
    }

    /// Each block of whole top-level fields in one slice.
    pub(crate) fn blocks(&self) -> Vec<Bytes> {
        self.rope.blocks()
    }

    /// Bytes made from a payload, whose count is known.
    pub(crate) fn trusted(signal: Signal, items: usize, rope: Rope) -> Self {
        let payload = Self { signal, items, rope };
        debug_assert_eq!(
            scan::scan(signal, &payload.to_bytes()),
            Ok(items),
            "made bytes are well-formed and counted"
        );
        payload
    }
}

pub(crate) mod shape;

#[cfg(test)]
mod tests;
