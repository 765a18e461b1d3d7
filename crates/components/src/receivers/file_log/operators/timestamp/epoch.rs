//! Epoch: times as numbers since 1970.

use crate::receivers::file_log::entry::Value;
use crate::receivers::file_log::entry::field::Found;

/// How many nanoseconds one of it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Epoch {
    nanos: i128,
}

impl Epoch {
    pub(super) fn named(unit: &str) -> Option<Self> {
        let nanos = match unit {
            "s" | "s.ms" | "s.us" | "s.ns" => 1_000_000_000,
            "ms" => 1_000_000,
            "us" => 1_000,
            "ns" => 1,
            _ => return None,
        };
        Some(Self { nanos })
    }

    /// Nanoseconds since 1970.
    pub(super) fn read(self, found: Found<'_>) -> Result<i128, String> {
        match found {
            Found::Value(Value::Int(count)) => Ok(i128::from(*count) * self.nanos),
            Found::Value(Value::Double(count)) => self.of_double(*count),
            Found::Value(Value::Text(text)) => self.of_text(text.trim()),
            other => Err(format!("{} is no time since 1970", other.kind())),
        }
    }

    fn of_double(self, count: f64) -> Result<i128, String> {
        let whole = count.trunc();
        if !whole.is_finite() || 1e19 < whole.abs() {
            return Err(format!("{count} is no time since 1970"));
        }
        let part = (count - whole) * self.nanos as f64;
        Ok(whole as i128 * self.nanos + part.round() as i128)
    }

    /// Digit by digit, as doubles cannot hold nanoseconds.
    fn of_text(self, text: &str) -> Result<i128, String> {
        let fault = || format!("`{text}` is no time since 1970");
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let is_plain = whole.len() <= 20 && part.bytes().all(|byte| byte.is_ascii_digit());
        let count: i128 =
            Some(whole).filter(|_| is_plain).ok_or_else(fault)?.parse().map_err(|_| fault())?;
        let mut nanos = count * self.nanos;
        let mut unit = self.nanos;
        for digit in part.bytes() {
            unit /= 10;
            nanos += i128::from(digit - b'0') * unit;
        }
        Ok(nanos)
    }
}
