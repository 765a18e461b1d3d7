//! Duration: a length of time, written as Go writes it: `1h2m3.5s`, `100ms`, `0`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};

/// A length of time, zero or more, as a user writes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(time::Duration);

/// The text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDuration {
    #[error(
        "`{0}` is not a duration\nhelp: write a number and its unit, such as `1h30m`, `5s` or `100ms`"
    )]
    Malformed(String),
    #[error(
        "the duration `{0}` has no unit\nhelp: write `{0}s` for seconds or `{0}ms` for milliseconds"
    )]
    Unitless(String),
    #[error(
        "the duration `{0}` has a unit that is not known\nhelp: valid are `h`, `m`, `s`, `ms`, `us` and `ns`; a day is `24h`"
    )]
    UnknownUnit(String),
    #[error("the duration `{0}` is negative\nhelp: write a duration of 0 or more")]
    Negative(String),
    #[error("the duration `{0}` is longer than 292 years")]
    TooLong(String),
}

/// The nanoseconds of each unit.
const UNITS: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", NANOSECONDS_PER_SECOND),
    ("m", 60 * NANOSECONDS_PER_SECOND),
    ("h", 3600 * NANOSECONDS_PER_SECOND),
];
const NANOSECONDS_PER_SECOND: u64 = 1_000_000_000;
/// What Go's duration can hold.
const NANOSECONDS_MAX: u64 = i64::MAX as u64;

impl Duration {
    /// A duration of whole seconds.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Self(time::Duration::from_secs(seconds))
    }

    /// A duration of whole milliseconds.
    #[must_use]
    pub const fn from_millis(milliseconds: u64) -> Self {
        Self(time::Duration::from_millis(milliseconds))
    }

    /// The duration as the standard library has it.
    #[must_use]
    pub const fn get(self) -> time::Duration {
        self.0
    }

    /// Whether it is zero, which often means "without limit".
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// The duration, or nothing when it is zero.
    #[must_use]
    pub fn unless_zero(self) -> Option<time::Duration> {
        (!self.is_zero()).then_some(self.0)
    }
}

impl From<time::Duration> for Duration {
    fn from(duration: time::Duration) -> Self {
        Self(duration)
    }
}

impl From<Duration> for time::Duration {
    fn from(duration: Duration) -> Self {
        duration.0
    }
}

impl FromStr for Duration {
    type Err = InvalidDuration;

    fn from_str(text: &str) -> Result<Self, InvalidDuration> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        if unsigned == "0" {
            return Ok(Self::default());
        }
        let nanoseconds = sum(unsigned, text)?;
        if text.starts_with('-') && nanoseconds != 0 {
            return Err(InvalidDuration::Negative(text.to_owned()));
        }
        Ok(Self(time::Duration::from_nanos(nanoseconds)))
    }
}

/// The nanoseconds of all parts of `rest`; `whole` is for the messages.
fn sum(mut rest: &str, whole: &str) -> Result<u64, InvalidDuration> {
    let malformed = || InvalidDuration::Malformed(whole.to_owned());
    if rest.is_empty() {
        return Err(malformed());
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (number, after) = split_where(rest, |c| !c.is_ascii_digit() && c != '.');
        let (unit, after) = split_where(after, |c| c.is_ascii_digit() || c == '.');
        let (integer, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (integer.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return Err(malformed());
        }
        if unit.is_empty() {
            return Err(match total {
                0 => InvalidDuration::Unitless(whole.to_owned()),
                _ => malformed(),
            });
        }
        let known = UNITS.iter().find(|(name, _)| *name == unit);
        let (_, unit) = known.ok_or_else(|| InvalidDuration::UnknownUnit(whole.to_owned()))?;
        total = scaled(integer, fraction, *unit)
            .and_then(|part| total.checked_add(part))
            .filter(|total| *total <= NANOSECONDS_MAX)
            .ok_or_else(|| InvalidDuration::TooLong(whole.to_owned()))?;
        rest = after;
    }
    Ok(total)
}

fn split_where(text: &str, ends: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(ends).unwrap_or(text.len()))
}

/// `integer.fraction` units of `unit` nanoseconds; nothing when that is too much.
fn scaled(integer: &str, fraction: &str, unit: u64) -> Option<u64> {
    let integer: u64 = if integer.is_empty() { 0 } else { integer.parse().ok()? };
    // Digits beyond the sixteenth are less than a nanosecond of any unit.
    let fraction = &fraction[..fraction.len().min(16)];
    let numerator: u128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let denominator = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let below = u64::try_from(numerator * u128::from(unit) / denominator).ok()?;
    integer.checked_mul(unit)?.checked_add(below)
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, nanoseconds) = (self.0.as_secs(), self.0.subsec_nanos());
        if seconds == 0 && nanoseconds != 0 {
            let (unit, size) = match nanoseconds {
                1_000_000.. => ("ms", 1_000_000),
                1_000.. => ("us", 1_000),
                _ => ("ns", 1),
            };
            return write_part(f, (nanoseconds / size).into(), nanoseconds % size, size, unit);
        }
        if 3600 <= seconds {
            write!(f, "{}h", seconds / 3600)?;
        }
        if 60 <= seconds && !(seconds % 3600 < 60 && seconds % 60 == 0 && nanoseconds == 0) {
            write!(f, "{}m", seconds / 60 % 60)?;
        }
        if 60 <= seconds && seconds % 60 == 0 && nanoseconds == 0 {
            return Ok(());
        }
        write_part(f, seconds % 60, nanoseconds, 1_000_000_000, "s")
    }
}

fn write_part(
    f: &mut fmt::Formatter<'_>,
    integer: u64,
    rest: u32,
    size: u32,
    unit: &str,
) -> fmt::Result {
    if rest == 0 {
        return write!(f, "{integer}{unit}");
    }
    let digits = size.ilog10() as usize;
    let fraction = format!("{rest:0digits$}");
    write!(f, "{integer}.{}{unit}", fraction.trim_end_matches('0'))
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DurationVisitor)
    }
}

struct DurationVisitor;

impl Visitor<'_> for DurationVisitor {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration such as `30s`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Duration, E> {
        text.trim().parse().map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Duration, E> {
        match number {
            0 => Ok(Duration::default()),
            // The Go Collector takes it as nanoseconds, which nobody means.
            _ => Err(E::custom(InvalidDuration::Unitless(number.to_string()))),
        }
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Duration, E> {
        Err(E::custom(InvalidDuration::Negative(number.to_string())))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Duration, E> {
        match number {
            0.0 => Ok(Duration::default()),
            _ => Err(E::custom(InvalidDuration::Unitless(number.to_string()))),
        }
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Duration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A length of time: numbers with units, such as `1h30m`, `5s` or `100ms`.",
            "type": "string",
            "pattern": r"^[+-]?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$",
        })
    }
}

#[cfg(test)]
mod tests;
