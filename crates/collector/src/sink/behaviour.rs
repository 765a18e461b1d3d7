//! Behaviour: what the sink answers, and when.
//!
//! Pure: the number of the request and the time decide, so a run can be repeated.

use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use pipeline::{Code, Status, Verdict};

/// How the sink treats its clients.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Behaviour {
    /// Answers so many milliseconds after the request arrived.
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 0)]
    pub(crate) delay: u64,

    /// Never answers.
    #[arg(long)]
    pub(crate) swallow: bool,

    /// Fails so many percent of the requests, evenly spread.
    #[arg(
        long,
        value_name = "PERCENT",
        default_value_t = 0,
        value_parser = clap::value_parser!(u64).range(..=100)
    )]
    pub(crate) fail_percent: u64,

    /// How requests fail.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) fail_with: Failure,

    /// Seconds to ask throttled clients to wait.
    #[arg(long, value_name = "SECONDS", default_value_t = 1)]
    pub(crate) retry_after: u64,

    /// Takes at most so many items a second and throttles the rest; 0 for no limit.
    #[arg(long, value_name = "ITEMS", default_value_t = 0)]
    pub(crate) capacity: u64,

    /// Accepts requests but rejects so many of the items of each.
    #[arg(long, value_name = "ITEMS", default_value_t = 0)]
    pub(crate) reject_items: u64,
}

/// How a request fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Failure {
    /// Unavailable, or 503: the client may send it again.
    #[default]
    Unavailable,
    /// Unavailable with RetryInfo, or 503 with Retry-After.
    Throttle,
    /// InvalidArgument, or 400: the client must not send it again.
    Invalid,
    /// PermissionDenied, or 403.
    Denied,
}

/// The items a sink with a capacity may still take.
#[derive(Debug)]
pub(crate) struct Allowance {
    per_second: u64,
    left: f64,
    filled: Instant,
}

impl Behaviour {
    /// How long to wait before the answer; `None` for ever.
    pub(crate) fn delay(&self) -> Option<Duration> {
        (!self.swallow).then_some(Duration::from_millis(self.delay))
    }

    /// The verdict for the request of this number, counted from zero.
    pub(crate) fn verdict(&self, number: u64) -> Verdict {
        let failed = |count: u64| count * self.fail_percent / 100;
        if failed(number) == failed(number + 1) { Verdict::Delivered } else { self.failure() }
    }

    /// The verdict for a request beyond the capacity.
    pub(crate) fn throttled(&self) -> Verdict {
        let status = Status::new(Code::Unavailable, "over capacity");
        Verdict::RetryAfter { delay: Some(Duration::from_secs(self.retry_after)), status }
    }

    fn failure(&self) -> Verdict {
        let status = |code| Status::new(code, "failing as asked");
        match self.fail_with {
            Failure::Unavailable => {
                Verdict::RetryAfter { delay: None, status: status(Code::Unavailable) }
            }
            Failure::Throttle => {
                let delay = Some(Duration::from_secs(self.retry_after));
                Verdict::RetryAfter { delay, status: status(Code::Unavailable) }
            }
            Failure::Invalid => Verdict::Refused(status(Code::InvalidArgument)),
            Failure::Denied => Verdict::Refused(status(Code::PermissionDenied)),
        }
    }
}

impl Allowance {
    /// No limit when `per_second` is zero.
    pub(crate) fn new(per_second: u64, now: Instant) -> Self {
        Self { per_second, left: per_second as f64, filled: now }
    }

    /// Takes `items`; at most one second's worth is saved up.
    pub(crate) fn take(&mut self, items: usize, now: Instant) -> bool {
        if self.per_second == 0 {
            return true;
        }
        let gained =
            now.saturating_duration_since(self.filled).as_secs_f64() * self.per_second as f64;
        self.left = (self.left + gained).min(self.per_second as f64);
        self.filled = now;
        let is_allowed = items as f64 <= self.left;
        if is_allowed {
            self.left -= items as f64;
        }
        is_allowed
    }
}

#[cfg(test)]
mod tests;
