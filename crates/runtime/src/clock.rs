//! Clock: the time of the world, monotonic and wall.
//!
//! Follows tokio's time, so a test that pauses tokio's clock moves every timer at once.

use std::future::Future;
use std::time::{Duration, Instant, SystemTime};

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
        tokio::time::sleep_until(at.into()).await;
    }

    /// Waits for `period`.
    pub async fn sleep(self, period: Duration) {
        tokio::time::sleep(period).await;
    }

    /// Waits for `future`, until `deadline` at the latest.
    pub async fn by<F: Future>(self, deadline: Instant, future: F) -> Result<F::Output, Elapsed> {
        tokio::time::timeout_at(deadline.into(), future).await.map_err(|_| Elapsed)
    }
}
