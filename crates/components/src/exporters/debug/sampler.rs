//! Sampler: writes the first few requests of each second, then every n-th.
//!
//! Pure: time comes in as an argument. Owner: the exporter, one for each signal.

use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(1);

/// What was seen in the second that runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sampler {
    initial: u32,
    thereafter: u32,
    window: Option<Instant>,
    seen: u32,
}

impl Sampler {
    pub(super) fn new(initial: u32, thereafter: u32) -> Self {
        Self { initial, thereafter, window: None, seen: 0 }
    }

    /// Counts a request at `now`; whether to write it.
    pub(super) fn takes(&mut self, now: Instant) -> bool {
        if self.window.is_none_or(|start| start + WINDOW <= now) {
            self.window = Some(now);
            self.seen = 0;
        }
        self.seen = self.seen.saturating_add(1);
        if self.seen <= self.initial {
            return true;
        }
        self.thereafter != 0 && (self.seen - self.initial).is_multiple_of(self.thereafter)
    }
}
