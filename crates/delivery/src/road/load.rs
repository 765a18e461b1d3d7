//! Load: what one attempt carries, before it is joined.
//!
//! Joining shares the bytes; only the headers of requests that are cut through are written anew.

use std::ops::Range;
use std::time::Instant;

use pipeline::{Charge, Context, SpanContext, Waiting};
use wire::Payload;

use crate::Target;
use crate::engine::AttemptId;

pub(super) struct Load {
    pub(super) attempt: AttemptId,
    pub(super) sources: Vec<Source>,
    pub(super) parts: Vec<LoadPart>,
    pub(super) target: Target,
    pub(super) context: Context,
    pub(super) trace: Option<SpanContext>,
    pub(super) deadline: Instant,
    pub(super) number: u32,
}

/// Items of one envelope.
pub(super) struct Source {
    pub(super) payload: Payload,
    pub(super) ranges: Vec<Range<usize>>,
}

/// One contributor of the load.
#[derive(Debug)]
pub(super) struct LoadPart {
    pub(super) items: usize,
    /// `None` when nobody waits.
    pub(super) deadline: Option<Instant>,
    pub(super) waiting: Waiting,
    pub(super) trace: Option<SpanContext>,
    /// The caller's memory: whoever takes the part over may hold it after it was answered.
    pub(super) charge: Charge,
}

/// One payload of all `sources`, in their order.
pub(super) fn join(sources: Vec<Source>) -> Option<Payload> {
    let pieces = sources.into_iter().map(|Source { payload, ranges }| payload.select(&ranges));
    Payload::merge(pieces)
}
