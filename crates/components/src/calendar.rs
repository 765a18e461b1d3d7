//! Calendar: times as people read them, in UTC.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

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
pub(crate) fn unix_nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// A time as RFC 3339 with nanoseconds.
pub(crate) fn rfc3339(unix_nanos: u64) -> String {
    let Civil { year, month, day, hour, minute, second, nanosecond } = Civil::of(unix_nanos);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanosecond:09}Z")
}

/// A time as part of a file name, with milliseconds; such names sort by time.
pub(crate) fn file_stamp(unix_nanos: u64) -> String {
    let Civil { year, month, day, hour, minute, second, nanosecond } = Civil::of(unix_nanos);
    let millis = nanosecond / 1_000_000;
    format!("{year:04}-{month:02}-{day:02}T{hour:02}-{minute:02}-{second:02}.{millis:03}")
}

/// A time as AWS writes it in signatures: `20150830T123600Z`.
pub(crate) fn amz_stamp(time: SystemTime) -> String {
    let Civil { year, month, day, hour, minute, second, .. } = Civil::of(unix_nanos(time));
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// Reads `2015-08-30T12:36:00Z` or `20150830T123600Z`, fractions of a second left out.
pub(crate) fn parse_utc(text: &str) -> Option<SystemTime> {
    let text = text.strip_suffix('Z').or_else(|| text.strip_suffix("+00:00"))?;
    let text = text.split('.').next()?;
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let has_only_marks = text.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | ':' | 'T'));
    if digits.len() != 14 || !has_only_marks {
        return None;
    }
    let number = |range: std::ops::Range<usize>| digits[range].parse::<u64>().ok();
    let (year, month, day) = (number(0..4)?, number(4..6)?, number(6..8)?);
    let (hour, minute, second) = (number(8..10)?, number(10..12)?, number(12..14)?);
    let is_date = 1970 <= year && (1..=12).contains(&month) && (1..=31).contains(&day);
    if !is_date || 23 < hour || 59 < minute || 60 < second {
        return None;
    }
    let secs = days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    UNIX_EPOCH.checked_add(Duration::from_secs(secs))
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

/// The inverse of [`date`].
fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    let is_next_year = month <= 2;
    let year = year - u64::from(is_next_year);
    let month = if is_next_year { month + 9 } else { month - 3 };
    365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests;
