//! Put: what the service checks of a `PutLogEvents`, with its own limits and words.
//!
//! Pure. The limits are spelt out here once more, apart from the exporter's, so that a mistake in one
//! is not in the other.

use serde::Deserialize;

use super::account::ApiError;

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
const EVENTS_MAX: usize = 10_000;
const BATCH_BYTES_MAX: usize = 1_048_576;
const EVENT_BYTES_MAX: usize = 1_048_576;
const OVERHEAD: usize = 26;

/// An event as it came.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct InputEvent {
    pub(super) timestamp: i64,
    pub(super) message: String,
}

/// The events that are not taken, by the indices of the API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Rejected {
    pub(super) too_old_end: Option<usize>,
    pub(super) expired_end: Option<usize>,
    pub(super) too_new_start: Option<usize>,
}

impl Rejected {
    /// All of `count` events.
    pub(super) fn all(count: usize) -> Self {
        Self { too_old_end: Some(count), ..Self::default() }
    }

    /// The events that are taken, of `count`.
    pub(super) fn taken(&self, count: usize) -> std::ops::Range<usize> {
        let start = self.too_old_end.max(self.expired_end).unwrap_or(0);
        let end = self.too_new_start.unwrap_or(count);
        start.min(end)..end
    }

    /// The answer's body.
    pub(super) fn answer(&self) -> serde_json::Value {
        let mut info = serde_json::Map::new();
        let indices = [
            ("tooOldLogEventEndIndex", self.too_old_end),
            ("expiredLogEventEndIndex", self.expired_end),
            ("tooNewLogEventStartIndex", self.too_new_start),
        ];
        for (name, index) in indices {
            if let Some(index) = index {
                info.insert(name.to_owned(), index.into());
            }
        }
        match info.is_empty() {
            true => serde_json::json!({}),
            false => serde_json::json!({ "rejectedLogEventsInfo": info }),
        }
    }
}

/// Checks a request; says which of its events are not taken.
pub(super) fn check(
    events: &[InputEvent],
    now: i64,
    retention_days: Option<u32>,
) -> Result<Rejected, ApiError> {
    check_sizes(events)?;
    if !events.is_sorted_by_key(|event| event.timestamp) {
        return Err(ApiError::invalid(
            "Log events in a single PutLogEvents request must be in chronological order.",
        ));
    }
    let rejected = outside_window(events, now, retention_days);
    let taken = &events[rejected.taken(events.len())];
    if let (Some(first), Some(last)) = (taken.first(), taken.last())
        && DAY < last.timestamp - first.timestamp
    {
        return Err(ApiError::invalid(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        ));
    }
    Ok(rejected)
}

fn check_sizes(events: &[InputEvent]) -> Result<(), ApiError> {
    if events.is_empty() || EVENTS_MAX < events.len() {
        let what = format!(
            "1 validation error detected: 'logEvents' has {} members, must have 1 to {EVENTS_MAX}",
            events.len()
        );
        return Err(ApiError::invalid(&what));
    }
    if events.iter().any(|event| event.message.is_empty() || event.timestamp < 0) {
        return Err(ApiError::invalid(
            "1 validation error detected: a message has at least 1 character, a timestamp is not \
             negative",
        ));
    }
    let sizes = events.iter().map(|event| event.message.len() + OVERHEAD);
    if let Some(size) = sizes.clone().find(|size| EVENT_BYTES_MAX < *size) {
        let what = format!("Log event too large: {size} bytes exceeds limit of {EVENT_BYTES_MAX}");
        return Err(ApiError::invalid(&what));
    }
    let size = sizes.sum::<usize>();
    if BATCH_BYTES_MAX < size {
        let what = format!("Upload too large: {size} bytes exceeds limit of {BATCH_BYTES_MAX}");
        return Err(ApiError::invalid(&what));
    }
    Ok(())
}

fn outside_window(events: &[InputEvent], now: i64, retention_days: Option<u32>) -> Rejected {
    let end_before = |oldest: i64| {
        let end = events.partition_point(|event| event.timestamp < oldest);
        Some(end).filter(|end| 0 < *end)
    };
    let too_old_end = end_before(now - 14 * DAY);
    let expired_end = retention_days.and_then(|days| end_before(now - i64::from(days) * DAY));
    let start = events.partition_point(|event| event.timestamp <= now + 120 * MINUTE);
    let too_new_start = Some(start).filter(|start| *start < events.len());
    Rejected { too_old_end, expired_end, too_new_start }
}
