//! Delay: `google.rpc.RetryInfo` and its `google.protobuf.Duration`, in both forms.
//!
//! A negative delay reads as zero, one beyond protobuf's range as its end: about 10,000 years.

use std::time::Duration;

use crate::protobuf::{self, Fault, Fields};

const SECONDS_MAX: u64 = 315_576_000_000;
const NANOS_PER_SECOND: u32 = 1_000_000_000;

// google.rpc.RetryInfo
const RETRY_DELAY: u32 = 1;
// google.protobuf.Duration
const SECONDS: u32 = 1;
const NANOS: u32 = 2;

/// The protobuf form of a `RetryInfo`.
pub(super) fn encode(delay: Duration) -> Vec<u8> {
    let delay = within_range(delay);
    let mut duration = Vec::with_capacity(16);
    if delay.as_secs() != 0 {
        protobuf::put_varint_field(&mut duration, SECONDS, delay.as_secs());
    }
    if delay.subsec_nanos() != 0 {
        protobuf::put_varint_field(&mut duration, NANOS, delay.subsec_nanos().into());
    }
    let mut out = Vec::with_capacity(duration.len() + 2);
    protobuf::put_bytes_field(&mut out, RETRY_DELAY, &duration);
    out
}

/// Reads the protobuf form of a `RetryInfo`; one without a delay means at once.
pub(super) fn decode(retry_info: &[u8]) -> Result<Duration, Fault> {
    let (mut seconds, mut nanos) = (0_i64, 0_i32);
    let mut fields = Fields::of(retry_info);
    while let Some(field) = fields.next_field() {
        let field = field?;
        let (RETRY_DELAY, Some(duration)) = (field.number, field.bytes()) else { continue };
        let mut fields = Fields::of(duration);
        while let Some(field) = fields.next_field() {
            let field = field?;
            match field.number {
                SECONDS => seconds = field.number_value() as i64,
                NANOS => nanos = field.number_value() as i32,
                _ => {}
            }
        }
    }
    if seconds < 0 || nanos < 0 {
        return Ok(Duration::ZERO);
    }
    let nanos = nanos.unsigned_abs().min(NANOS_PER_SECOND - 1);
    Ok(within_range(Duration::new(seconds.unsigned_abs(), nanos)))
}

/// The JSON form of a duration: seconds with 0, 3, 6 or 9 decimals.
pub(super) fn to_text(delay: Duration) -> String {
    let delay = within_range(delay);
    let (seconds, nanos) = (delay.as_secs(), delay.subsec_nanos());
    match nanos {
        0 => format!("{seconds}s"),
        _ if nanos.is_multiple_of(1_000_000) => format!("{seconds}.{:03}s", nanos / 1_000_000),
        _ if nanos.is_multiple_of(1_000) => format!("{seconds}.{:06}s", nanos / 1_000),
        _ => format!("{seconds}.{nanos:09}s"),
    }
}

/// Reads the JSON form of a duration.
pub(super) fn from_text(text: &str) -> Option<Duration> {
    let number = text.strip_suffix('s')?;
    let (is_negative, number) = match number.strip_prefix('-') {
        Some(positive) => (true, positive),
        None => (false, number),
    };
    let (seconds, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !are_digits(seconds) || !are_digits(decimals) || 9 < decimals.len() {
        return None;
    }
    // Only too many digits can fail now.
    let seconds = seconds.parse().unwrap_or(SECONDS_MAX);
    let nanos = format!("{decimals:0<9}").parse().ok()?;
    let delay = within_range(Duration::new(seconds, nanos));
    Some(if is_negative { Duration::ZERO } else { delay })
}

fn within_range(delay: Duration) -> Duration {
    delay.min(Duration::from_secs(SECONDS_MAX))
}
