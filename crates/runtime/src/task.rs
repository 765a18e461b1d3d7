//! Tasks: each has a name, a parent and an end.
//!
//! Owner: a [`Scope`] lists the tasks spawned in it and counts those below it.
//! Invariant: a task that is not detached ends when its [`Task`] is dropped; one that is ends with
//! its scope. A panic ends the task alone; it is logged and counted.

#[cfg(feature = "schedules")]
pub mod schedule;
mod scope;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

pub use scope::{Leftovers, Scope};

use crate::waits::{self, What};

pub(crate) use scope::{Identity, current};

/// A running task. Dropping it cancels the task; [`Task::detach`] leaves it to its scope.
#[must_use = "dropping a task cancels it"]
pub struct Task<T> {
    handle: Option<tokio::task::JoinHandle<Option<T>>>,
    /// On record while somebody waits for the end of the task.
    wait: Option<waits::Entry>,
}

/// The task panicked or was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the task ended without a result")]
pub struct Ended;

impl<T> Task<T> {
    fn new(handle: tokio::task::JoinHandle<Option<T>>) -> Self {
        Self { handle: Some(handle), wait: None }
    }

    /// Leaves the task running in its scope.
    pub fn detach(mut self) {
        self.handle = None;
    }

    /// Whether the task has ended, so that awaiting it does not wait.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.handle.as_ref().is_none_or(tokio::task::JoinHandle::is_finished)
    }

    /// Asks the task to end at its next wait.
    pub fn cancel(&self) {
        if let Some(handle) = &self.handle {
            handle.abort();
        }
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, Ended>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let handle = self.handle.as_mut().expect("a detached task is consumed");
        // A panic was caught and reported where the task ran; an error here is a cancellation.
        let polled = Pin::new(handle).poll(cx).map(|joined| joined.ok().flatten().ok_or(Ended));
        if polled.is_ready() {
            self.wait = None;
        } else {
            self.wait.get_or_insert_with(|| waits::Entry::open(What::tasks()));
        }
        polled
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.cancel();
    }
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Task")
    }
}

#[cfg(test)]
mod tests;
