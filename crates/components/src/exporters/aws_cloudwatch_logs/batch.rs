//! Batch: events in the order and the portions that one request may have.
//!
//! Pure. Invariant: each portion is sorted by time, within the bytes, the count and the span that
//! the service allows, and as long as it can be; together they are all events.

use std::ops::Range;

use super::event::Event;

/// The largest sum of sizes in a request.
pub(super) const BYTES_MAX: usize = 1_048_576;
/// The most events in a request.
pub(super) const EVENTS_MAX: usize = 10_000;
/// The longest time between the first and the last event of a request, in milliseconds.
pub(super) const SPAN_MAX: i64 = 24 * 60 * 60 * 1000;

/// Sorts events by time, those of one time in their order, and gives the portions.
pub(super) fn portions(events: &mut [Event]) -> Vec<Range<usize>> {
    if !events.is_sorted_by_key(|event| event.timestamp) {
        events.sort_by_key(|event| event.timestamp);
    }
    let mut portions = Vec::new();
    let mut start = 0;
    let mut bytes = 0;
    for (at, event) in events.iter().enumerate() {
        let is_full = BYTES_MAX < bytes + event.size()
            || EVENTS_MAX <= at - start
            || SPAN_MAX < event.timestamp - events[start].timestamp;
        if is_full {
            portions.push(start..at);
            (start, bytes) = (at, 0);
        }
        bytes += event.size();
    }
    if start < events.len() {
        portions.push(start..events.len());
    }
    portions
}

#[cfg(test)]
mod tests;
