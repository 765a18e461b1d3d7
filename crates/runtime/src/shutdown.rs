//! Shutdown: one signal with one deadline, seen by every part.
//!
//! Owner: whoever holds the [`Trigger`]. Invariant: a deadline only ever moves closer.

use std::time::Instant;

use crate::channel::{self, Ends, LatestReceiver, LatestSender};

/// Makes the signal of one process, or of one test.
#[must_use]
pub fn signal() -> (Trigger, Shutdown) {
    let ends = Ends { from: "shutdown trigger", to: "every part" };
    let (sender, receiver) = channel::latest(ends, None);
    (Trigger { sender, seen: receiver.clone() }, Shutdown { receiver })
}

/// Starts the shutdown.
#[derive(Clone, Debug)]
pub struct Trigger {
    sender: LatestSender<Option<Instant>>,
    seen: LatestReceiver<Option<Instant>>,
}

impl Trigger {
    /// Asks all parts to end by `deadline`; a later call can only bring it closer.
    pub fn begin(&self, deadline: Instant) {
        if self.seen.value().is_none_or(|earlier| deadline < earlier) {
            self.sender.set(Some(deadline));
        }
    }
}

/// Sees the shutdown. Clones are the same signal.
#[derive(Clone, Debug)]
pub struct Shutdown {
    receiver: LatestReceiver<Option<Instant>>,
}

impl Shutdown {
    /// The deadline, once shutdown has begun.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.receiver.value()
    }

    /// Waits until shutdown begins; gives its deadline. A dropped trigger counts as never.
    pub async fn begun(&self) -> Instant {
        let mut receiver = self.receiver.clone();
        let mut deadline = receiver.value();
        loop {
            if let Some(at) = deadline {
                return at;
            }
            match receiver.changed().await {
                Some(next) => deadline = next,
                None => std::future::pending().await,
            }
        }
    }
}

#[cfg(test)]
mod tests;
