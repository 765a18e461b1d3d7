//! Rejections: callers that were told no. They know it themselves, so operators are told seldom.
//!
//! Bounds: one line each [`PAUSE`], about all since the last.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_secs(10);

/// What was rejected since operators were told of it.
#[derive(Default)]
pub(super) struct Rejections(Mutex<Untold>);

#[derive(Default)]
struct Untold {
    told_at: Option<Instant>,
    items: u64,
}

impl Rejections {
    /// Notes items that were rejected; gives how many operators are to be told of now.
    pub(super) fn note(&self, items: usize, now: Instant) -> Option<u64> {
        let mut untold = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        untold.items += items as u64;
        if untold.told_at.is_some_and(|told_at| now < told_at + PAUSE) {
            return None;
        }
        untold.told_at = Some(now);
        Some(std::mem::take(&mut untold.items))
    }
}
