//! Clock: the time of the world, monotonic and wall.
//!
//! Follows tokio's time, so a test that pauses tokio's clock moves every timer at once.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::time::{Duration, Instant, SystemTime};

use crate::waits::{self, What};

/// A way to ask for the time. Copies are the same clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock;

/// The deadline of a wait passed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("deadline passed")]
pub struct Elapsed;

impl Clock {
    /// The monotonic time.
    #[must_use]
    pub fn now(self) -> Instant {
        tokio::time::Instant::now().into_std()
    }

    /// The wall time; it may jump.
    #[must_use]
    pub fn wall(self) -> SystemTime {
        SystemTime::now()
    }

    /// Waits until `at`.
    pub async fn sleep_until(self, at: Instant) {
        waits::observed(What::timer(), tokio::time::sleep_until(at.into())).await;
    }

    /// Waits for `period`.
    pub async fn sleep(self, period: Duration) {
        waits::observed(What::timer(), tokio::time::sleep(period)).await;
    }

    /// Waits for `future`, until `deadline` at the latest.
    pub async fn by<F: Future>(self, deadline: Instant, future: F) -> Result<F::Output, Elapsed> {
        let mut timeout = pin!(tokio::time::timeout_at(deadline.into(), future));
        let poll = poll_fn(|cx| waits::with_deadline(deadline, || timeout.as_mut().poll(cx)));
        poll.await.map_err(|_| Elapsed)
    }
}

#[cfg(test)]
mod tests;
