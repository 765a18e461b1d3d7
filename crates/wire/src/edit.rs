//! Edit: changes a payload by rewriting only what changes.
//!
//! Cost: lists that are looked at are walked, some 10 ns an entry; the rest of the payload is
//! copied or shared once, and not at all if nothing changed: then the payload is the same one.
//! Invariant: lengths of all messages around a change are written anew; unknown fields stay.

use std::ops::Range;

use crate::Payload;
use crate::view::SpanEvent;

mod attribute_list;
mod place;
mod retain;
mod rewrite;
mod span_events;

pub use attribute_list::AttributeList;
pub use place::{Place, Serials};

/// Whose attributes are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Resource,
    Scope,
    /// Log records, spans and data points. Samples of profiles have no list of their own.
    Item,
}

/// Shows the attributes of every resource, scope or item to `edit`, which may change them.
#[must_use]
pub fn attributes(
    payload: &Payload,
    level: Level,
    edit: impl FnMut(&Place<'_>, &mut AttributeList<'_>),
) -> Payload {
    let blocks = payload.blocks();
    rewrite::rewrite(payload, &blocks, attribute_list::Edit::new(level, edit))
}

/// Keeps the items for which `keep` says so, and tells which ranges they are.
/// Scopes, resources and metrics that lose all their items go with them.
#[must_use]
pub fn retain_items(
    payload: &Payload,
    keep: impl FnMut(&Place<'_>) -> bool,
) -> (Payload, Vec<Range<usize>>) {
    let kept = retain::kept_items(payload, keep);
    (payload.select(&kept), kept)
}

/// Keeps the metrics for which `keep` says so, with all their points, and tells which ranges of
/// items they are. Payloads of other signals have no metrics to lose.
#[must_use]
pub fn retain_metrics(
    payload: &Payload,
    keep: impl FnMut(&Place<'_>) -> bool,
) -> (Payload, Vec<Range<usize>>) {
    let kept = retain::kept_metrics(payload, keep);
    (payload.select(&kept), kept)
}

/// Keeps the events of spans for which `keep` says so. The spans stay.
#[must_use]
pub fn retain_span_events(
    payload: &Payload,
    keep: impl FnMut(&Place<'_>, SpanEvent<'_>) -> bool,
) -> Payload {
    let blocks = payload.blocks();
    rewrite::rewrite(payload, &blocks, span_events::Retain::new(keep))
}
