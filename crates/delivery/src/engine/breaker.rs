//! Breaker: stops sending to what keeps failing, or asked for a pause.
//!
//! Closed, open until an instant, or probing: one attempt at a time finds out if it works again.
//! Invariant: what was started before it opened does not close it.

use std::time::{Duration, Instant};

use super::AttemptId;

/// Failures in a row after which there are probes instead of attempts.
const FAILURES_MAX: u32 = 3;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Breaker {
    failures: u32,
    open_until: Option<Instant>,
    /// The pause is the destination's wish, and not our schedule.
    is_asked: bool,
    /// The first attempt that was started after it opened.
    judged_from: AttemptId,
}

impl Breaker {
    /// Whether one attempt at a time is enough to find out if it works again.
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

    /// Whether `attempt` was started when it was already known to fail.
    pub(super) fn is_judged_by(&self, attempt: AttemptId) -> bool {
        self.judged_from <= attempt
    }

    /// The destination answered `attempt`: what was halted is resumed, if it was halted before that
    /// attempt was started. Whether nothing is held back now.
    pub(super) fn succeeded(&mut self, attempt: AttemptId) -> bool {
        if self.is_judged_by(attempt) {
            *self = Self { judged_from: self.judged_from, ..Self::default() };
        }
        !self.is_shut()
    }

    /// An attempt failed; it is tried again after `wait`, of which the destination asked for
    /// `asked`. The next attempt to be started is `next`.
    pub(super) fn failed(
        &mut self,
        now: Instant,
        (wait, asked): (Duration, Option<Duration>),
        next: AttemptId,
    ) {
        self.failures = self.failures.saturating_add(1);
        // What fails again after its pause waits again.
        let pause = if self.is_shut() { asked.max(Some(wait)) } else { asked };
        if let Some(pause) = pause.filter(|pause| !pause.is_zero()) {
            self.pause_until(now + pause, asked.is_some());
            self.judged_from = next;
        }
    }

    /// It stays open until then at least.
    pub(super) fn pause_until(&mut self, until: Instant, is_asked: bool) {
        if self.open_until < Some(until) {
            self.open_until = Some(until);
            self.is_asked = is_asked;
        }
    }

    /// What it was opened for has ended: nothing is held back until the next attempt has ended,
    /// unless the destination wished so.
    pub(super) fn expired(&mut self) {
        if !self.is_asked {
            self.resume();
        }
    }

    /// Nothing is held back until the next attempt has ended.
    pub(super) fn resume(&mut self) {
        self.open_until = None;
    }
}
