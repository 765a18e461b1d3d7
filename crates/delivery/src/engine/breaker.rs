//! Breaker: stops sending to a lane that keeps failing, or that asked for a pause.

use std::time::{Duration, Instant};

/// Failures in a row after which a lane is probed instead of used.
const FAILURES_MAX: u32 = 3;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Breaker {
    failures: u32,
    open_until: Option<Instant>,
}

impl Breaker {
    /// Whether one attempt at a time is enough to find out if the lane works again.
    pub(super) fn is_probing(&self) -> bool {
        FAILURES_MAX <= self.failures
    }

    /// Whether it holds anything back.
    pub(super) fn is_shut(&self) -> bool {
        self.is_probing() || self.open_until.is_some()
    }

    /// Until when nothing is sent.
    pub(super) fn open_until(&self) -> Option<Instant> {
        self.open_until
    }

    /// The destination answered: what was halted is resumed.
    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// An attempt failed; it is tried again after `wait`, of which the destination asked for
    /// `asked`.
    pub(super) fn failed(&mut self, now: Instant, wait: Duration, asked: Option<Duration>) {
        self.failures = self.failures.saturating_add(1);
        let pause = if self.is_probing() { Some(wait) } else { asked };
        let until = pause.filter(|pause| !pause.is_zero()).map(|pause| now + pause);
        self.open_until = self.open_until.max(until);
    }

    /// Nothing is held back any more: the engine is draining.
    pub(super) fn resume(&mut self) {
        self.open_until = None;
    }
}
