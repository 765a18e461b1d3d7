//! Look: when all folders are looked at.
//!
//! Pure; owner: the tailer. Seldom while the kernel tells of changes, at intervals where it does not,
//! soon when it told of something new. Bounds: looking takes one part in [`SHARE`] of the time.

use std::time::{Duration, Instant};

/// How often everything is looked at although the kernel tells of changes.
const PAUSE: Duration = Duration::from_secs(10);
/// Looking may take one part in so many of the time.
const SHARE: u32 = 20;
/// How long changes are gathered before the next are taken.
pub(super) const GATHERED: Duration = Duration::from_millis(10);

/// When folders are looked at.
#[derive(Debug)]
pub(super) struct Look {
    at: Instant,
    is_running: bool,
    started: Instant,
    ended: Instant,
    lasted: Duration,
    /// How often that is where the kernel tells nothing.
    poll_interval: Duration,
    /// The kernel tells nothing at all.
    is_deaf: bool,
    /// Operators know that the kernel does not tell of everything.
    is_told: bool,
}

impl Look {
    pub(super) fn new(poll_interval: Duration, is_deaf: bool, now: Instant) -> Self {
        Self {
            at: now,
            is_running: false,
            started: now,
            ended: now,
            lasted: Duration::ZERO,
            poll_interval,
            is_deaf,
            is_told: false,
        }
    }

    /// When to look next, unless that is being done.
    pub(super) fn next(&self) -> Option<Instant> {
        (!self.is_running).then_some(self.at)
    }

    pub(super) fn start(&mut self, now: Instant) {
        (self.is_running, self.started) = (true, now);
    }

    /// Everything was looked at; whether operators are to be told that the kernel does not tell of all
    /// of it.
    pub(super) fn end(&mut self, is_watched: bool, now: Instant) -> bool {
        self.is_running = false;
        (self.ended, self.lasted) = (now, now.duration_since(self.started));
        let is_heard = is_watched && !self.is_deaf;
        let pause = if is_heard { PAUSE } else { self.poll_interval };
        self.at = now + pause.max(self.lasted * SHARE);
        !is_heard && !std::mem::replace(&mut self.is_told, true)
    }

    /// There is something new. It may be the first of many: looking must not become all that is done.
    pub(super) fn hint(&mut self, now: Instant) {
        let soon = self.ended + self.lasted * SHARE;
        self.at = self.at.min(soon.max(now + GATHERED));
    }

    /// The kernel tells no more, and operators know.
    pub(super) fn deafen(&mut self, now: Instant) {
        (self.is_deaf, self.is_told) = (true, true);
        self.at = now;
    }
}

#[cfg(test)]
mod tests;
