//! Heart: whether the server of an HTTP/2 connection is alive.
//!
//! Pure. Bounds: what was written and is not taken for [`WRITE_PATIENCE`] ends the connection.

use std::time::{Duration, Instant};

use crate::http2::{Feeling, Keepalive, Pulse, Sign, Verdict, Watch};

const WRITE_PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Heart {
    pulse: Pulse,
    /// Since when the server takes nothing of what was written.
    blocked_since: Option<Instant>,
}

impl Heart {
    pub(super) fn new(keepalive: Option<Keepalive>, now: Instant) -> Self {
        Self { pulse: Pulse::new(keepalive, now), blocked_since: None }
    }
}

impl Watch for Heart {
    fn note(&mut self, sign: Sign, now: Instant) {
        match sign {
            Sign::Read(_) => self.pulse.heard(now),
            Sign::Wrote { is_blocked } => {
                let since = self.blocked_since.unwrap_or(now);
                self.blocked_since = is_blocked.then_some(since);
            }
            Sign::Streams(count) => self.pulse.is_idle(count == 0, now),
            Sign::Done(Verdict::Ping) => self.pulse.pinged(now),
            Sign::Sent { .. } | Sign::Pinged { .. } | Sign::TakenBack | Sign::Done(_) => {}
        }
    }

    fn ask(&self, now: Instant) -> Verdict {
        let blocked_until = self.blocked_since.map(|since| since + WRITE_PATIENCE);
        if blocked_until.is_some_and(|until| until <= now) {
            return Verdict::Cut("the peer takes nothing of what is sent");
        }
        match self.pulse.ask(now) {
            Feeling::Well(until) => {
                Verdict::WaitUntil([until, blocked_until].into_iter().flatten().min())
            }
            Feeling::Ping => Verdict::Ping,
            Feeling::Dead => Verdict::Cut("the peer does not answer pings"),
        }
    }
}

#[cfg(test)]
mod tests;
