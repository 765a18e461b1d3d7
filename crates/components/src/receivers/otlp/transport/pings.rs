//! Pings: how often a client may ask for a sign of life.
//!
//! Pure: time comes in as an argument. As gRPC servers do, the first ping is free, what the server
//! sends in between forgives what was counted, and the third that comes too soon is one too many.

use std::time::{Duration, Instant};

const STRIKES_MAX: u32 = 2;
/// How long a client without a request has to wait, unless it may ping then.
const IDLE_TIME: Duration = Duration::from_secs(2 * 3600);

/// What clients may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::receivers::otlp) struct PingPolicy {
    /// The shortest time between two pings.
    pub time_min: Duration,
    /// Whether that is so without a request, too.
    pub is_idle_permitted: bool,
}

/// The pings of one client.
#[derive(Debug)]
pub(super) struct Pings {
    policy: PingPolicy,
    last: Option<Instant>,
    strikes: u32,
}

impl Pings {
    pub(super) fn new(policy: PingPolicy) -> Self {
        Self { policy, last: None, strikes: 0 }
    }

    /// The client pinged while it had so many requests.
    pub(super) fn pinged(&mut self, requests: usize, now: Instant) {
        let is_idle = requests == 0 && !self.policy.is_idle_permitted;
        let wait = if is_idle { IDLE_TIME } else { self.policy.time_min };
        if self.last.is_some_and(|last| now < last + wait) {
            self.strikes += 1;
        }
        self.last = Some(now);
    }

    /// The server sent headers or data: the client may want to know whether it still gets through.
    pub(super) fn answered(&mut self) {
        self.strikes = 0;
        self.last = None;
    }

    /// Whether that was one too many.
    pub(super) fn are_too_many(&self) -> bool {
        STRIKES_MAX < self.strikes
    }
}

#[cfg(test)]
mod tests;
