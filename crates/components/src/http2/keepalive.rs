//! Keepalive: finds out that a silent peer is gone.
//!
//! Pure: time comes in as an argument, verdicts go out as values.

use std::time::{Duration, Instant};

/// How a connection that died is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Keepalive {
    /// A ping is sent after this long without a sign of life.
    pub(crate) interval: Duration,
    /// The connection is dead when the answer takes longer.
    pub(crate) timeout: Duration,
    /// Pings are sent when no request is under way, too.
    pub(crate) while_idle: bool,
}

/// The signs of life of one peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pulse {
    keepalive: Option<Keepalive>,
    heard: Instant,
    pinged: Option<Instant>,
    is_idle: bool,
}

/// What to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Feeling {
    /// Nothing, until then at the earliest.
    Well(Option<Instant>),
    Ping,
    Dead,
}

impl Pulse {
    pub(crate) fn new(keepalive: Option<Keepalive>, now: Instant) -> Self {
        Self { keepalive, heard: now, pinged: None, is_idle: true }
    }

    /// The peer sent something.
    pub(crate) fn heard(&mut self, now: Instant) {
        (self.heard, self.pinged) = (now, None);
    }

    /// There are requests under way, or none.
    pub(crate) fn is_idle(&mut self, is_idle: bool, now: Instant) {
        // The silence before a request was nobody's fault.
        if self.is_idle && !is_idle && self.keepalive.is_some_and(|keepalive| !keepalive.while_idle)
        {
            self.heard = now;
        }
        self.is_idle = is_idle;
    }

    /// A ping was sent.
    pub(crate) fn pinged(&mut self, now: Instant) {
        self.pinged.get_or_insert(now);
    }

    pub(crate) fn ask(&self, now: Instant) -> Feeling {
        let Some(keepalive) = self.keepalive else { return Feeling::Well(None) };
        let (end, verdict) = match self.pinged {
            Some(pinged) => (pinged + keepalive.timeout, Feeling::Dead),
            None if self.is_idle && !keepalive.while_idle => return Feeling::Well(None),
            None => (self.heard + keepalive.interval, Feeling::Ping),
        };
        if end <= now { verdict } else { Feeling::Well(Some(end)) }
    }
}

#[cfg(test)]
mod tests;
