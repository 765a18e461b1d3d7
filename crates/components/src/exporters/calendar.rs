//! Calendar: times as people read them, in UTC.

use std::time::{SystemTime, UNIX_EPOCH};

/// A moment as year, month, day, hour, minute, second and nanosecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Civil {
    year: u64,
    month: u64,
    day: u64,
    hour: u64,
    minute: u64,
    second: u64,
    nanosecond: u64,
}

/// Nanoseconds since 1970; the ends of the range for times outside of it.
pub(super) fn unix_nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// A time as RFC 3339 with nanoseconds.
pub(super) fn rfc3339(unix_nanos: u64) -> String {
    let Civil { year, month, day, hour, minute, second, nanosecond } = Civil::of(unix_nanos);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanosecond:09}Z")
}

/// A time as part of a file name, with milliseconds; such names sort by time.
pub(super) fn file_stamp(unix_nanos: u64) -> String {
    let Civil { year, month, day, hour, minute, second, nanosecond } = Civil::of(unix_nanos);
    let millis = nanosecond / 1_000_000;
    format!("{year:04}-{month:02}-{day:02}T{hour:02}-{minute:02}-{second:02}.{millis:03}")
}

impl Civil {
    fn of(unix_nanos: u64) -> Self {
        let (secs, nanosecond) = (unix_nanos / 1_000_000_000, unix_nanos % 1_000_000_000);
        let (days, second) = (secs / 86_400, secs % 86_400);
        let (year, month, day) = date(days);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        Self { year, month, day, hour, minute, second, nanosecond }
    }
}

/// Year, month and day of a number of days since 1970-01-01. Years start in March here, so that
/// the leap day is the last one.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let is_next_year = 10 <= month;
    let shifted = if is_next_year { month - 9 } else { month + 3 };
    (era * 400 + year + u64::from(is_next_year), shifted, day - (153 * month + 2) / 5 + 1)
}
