//! Channels: bounded, with names at both ends.
//!
//! Bounds: the capacity given at construction; `once` holds one value, `latest` the newest only.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{mpsc, oneshot, watch};

use crate::clock::Clock;
use crate::waits::{self, Kind, What};

/// Who sends and who serves the other end, as shown to operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    pub from: &'static str,
    pub to: &'static str,
}

/// Why a value was not sent; it comes back.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError<T> {
    #[error("the channel is full")]
    Full(T),
    #[error("the receiving end is gone")]
    Closed(T),
}

/// Makes a channel that holds at most `capacity` values.
#[must_use]
pub fn bounded<T>(ends: Ends, capacity: usize) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = mpsc::channel(capacity);
    (Sender { ends, inner: sender }, Receiver { ends, inner: receiver })
}

/// The sending end of [`bounded`].
#[derive(Debug)]
pub struct Sender<T> {
    ends: Ends,
    inner: mpsc::Sender<T>,
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self { ends: self.ends, inner: self.inner.clone() }
    }
}

impl<T> Sender<T> {
    /// Sends without waiting.
    pub fn try_send(&self, value: T) -> Result<(), SendError<T>> {
        self.inner.try_send(value).map_err(|error| match error {
            mpsc::error::TrySendError::Full(value) => SendError::Full(value),
            mpsc::error::TrySendError::Closed(value) => SendError::Closed(value),
        })
    }

    /// Sends, waiting for room until `deadline`.
    pub async fn send_by(
        &self,
        clock: Clock,
        deadline: Instant,
        value: T,
    ) -> Result<(), SendError<T>> {
        let room = waits::observed(What::sent(Kind::Room, self.ends), self.inner.reserve());
        match clock.by(deadline, room).await {
            Ok(Ok(slot)) => {
                slot.send(value);
                Ok(())
            }
            Ok(Err(_)) => Err(SendError::Closed(value)),
            Err(_) => Err(SendError::Full(value)),
        }
    }

    /// Waits until the receiving end is gone.
    pub async fn closed(&self) {
        waits::observed(What::sent(Kind::Closing, self.ends), self.inner.closed()).await;
    }

    /// The names of both ends.
    #[must_use]
    pub fn ends(&self) -> Ends {
        self.ends
    }
}

/// The receiving end of [`bounded`].
#[derive(Debug)]
pub struct Receiver<T> {
    ends: Ends,
    inner: mpsc::Receiver<T>,
}

impl<T> Receiver<T> {
    /// Waits for the next value; `None` when all senders are gone.
    pub async fn recv(&mut self) -> Option<T> {
        waits::observed(What::received(Kind::Item, self.ends), self.inner.recv()).await
    }

    /// Takes the next value if there is one.
    pub fn try_recv(&mut self) -> Option<T> {
        self.inner.try_recv().ok()
    }

    /// Refuses further values; those sent before are still received.
    pub fn close(&mut self) {
        self.inner.close();
    }

    /// The names of both ends.
    #[must_use]
    pub fn ends(&self) -> Ends {
        self.ends
    }
}

/// Makes a channel for exactly one value.
#[must_use]
pub fn once<T>(ends: Ends) -> (OnceSender<T>, OnceReceiver<T>) {
    let (sender, receiver) = oneshot::channel();
    (OnceSender { inner: sender }, OnceReceiver { ends, inner: receiver })
}

/// The sending end of [`once`].
#[derive(Debug)]
pub struct OnceSender<T> {
    inner: oneshot::Sender<T>,
}

impl<T> OnceSender<T> {
    /// Sends the value, or gives it back when nobody waits any more.
    pub fn send(self, value: T) -> Result<(), T> {
        self.inner.send(value)
    }

    /// Whether the receiving end still exists.
    #[must_use]
    pub fn is_awaited(&self) -> bool {
        !self.inner.is_closed()
    }
}

/// The receiving end of [`once`].
#[derive(Debug)]
pub struct OnceReceiver<T> {
    ends: Ends,
    inner: oneshot::Receiver<T>,
}

impl<T> OnceReceiver<T> {
    /// Waits for the value; `None` when the sender was dropped.
    pub async fn recv(&mut self) -> Option<T> {
        let completion = What::received(Kind::Completion, self.ends);
        waits::observed(completion, &mut self.inner).await.ok()
    }

    /// Takes the value if it has come.
    pub fn try_recv(&mut self) -> Option<T> {
        self.inner.try_recv().ok()
    }

    /// The names of both ends.
    #[must_use]
    pub fn ends(&self) -> Ends {
        self.ends
    }
}

/// Makes a channel that keeps only the newest value.
#[must_use]
pub fn latest<T>(ends: Ends, initial: T) -> (LatestSender<T>, LatestReceiver<T>) {
    let (sender, receiver) = watch::channel(initial);
    (LatestSender { inner: Arc::new(sender) }, LatestReceiver { ends, inner: receiver })
}

/// The sending end of [`latest`].
#[derive(Debug)]
pub struct LatestSender<T> {
    inner: Arc<watch::Sender<T>>,
}

impl<T> Clone for LatestSender<T> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<T> LatestSender<T> {
    /// Replaces the value and wakes the receivers.
    pub fn set(&self, value: T) {
        self.inner.send_replace(value);
    }
}

/// A receiving end of [`latest`].
#[derive(Debug)]
pub struct LatestReceiver<T> {
    ends: Ends,
    inner: watch::Receiver<T>,
}

impl<T> Clone for LatestReceiver<T> {
    fn clone(&self) -> Self {
        Self { ends: self.ends, inner: self.inner.clone() }
    }
}

impl<T: Clone> LatestReceiver<T> {
    /// The newest value.
    #[must_use]
    pub fn value(&self) -> T {
        self.inner.borrow().clone()
    }

    /// Waits for a value that was not seen yet; `None` when the sender is gone.
    pub async fn changed(&mut self) -> Option<T> {
        let change = What::received(Kind::Change, self.ends);
        waits::observed(change, self.inner.changed()).await.ok()?;
        Some(self.inner.borrow_and_update().clone())
    }

    /// The names of both ends.
    #[must_use]
    pub fn ends(&self) -> Ends {
        self.ends
    }
}

#[cfg(test)]
mod tests;
