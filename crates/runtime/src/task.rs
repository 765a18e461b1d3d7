//! Tasks: each has a name, a parent and an end.
//!
//! Owner: a [`Scope`] counts the tasks spawned in it and below it.
//! Invariant: a task that is not detached ends when its [`Task`] is dropped.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::sync::Notify;

use crate::clock::Clock;

/// A parent of tasks. Clones are the same scope.
#[derive(Clone)]
pub struct Scope {
    inner: Arc<Inner>,
}

struct Inner {
    name: String,
    parent: Option<Scope>,
    alive: AtomicUsize,
    changed: Notify,
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scope({}, {} alive)", self.inner.name, self.alive())
    }
}

impl Scope {
    /// The scope at the top of a process or of a test.
    #[must_use]
    pub fn root(name: impl Into<String>) -> Self {
        Self::with_parent(name.into(), None)
    }

    /// A scope inside this one.
    #[must_use]
    pub fn child(&self, name: &str) -> Self {
        Self::with_parent(format!("{}/{name}", self.inner.name), Some(self.clone()))
    }

    /// The path of names from the root.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// How many tasks of this scope and of the scopes below have not ended.
    #[must_use]
    pub fn alive(&self) -> usize {
        self.inner.alive.load(Ordering::Acquire)
    }

    /// Starts a task.
    pub fn spawn<F>(&self, name: &str, future: F) -> Task<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let presence = Presence::enter(self.clone());
        let label = format!("{}/{name}", self.inner.name);
        let handle = tokio::spawn(async move {
            let _presence = presence;
            let _label = label;
            future.await
        });
        Task { handle: Some(handle) }
    }

    /// Waits until no task of this scope is left; `false` if some are at `deadline`.
    pub async fn idle_by(&self, clock: Clock, deadline: Instant) -> bool {
        let idle = async {
            loop {
                let changed = self.inner.changed.notified();
                if self.alive() == 0 {
                    return;
                }
                changed.await;
            }
        };
        clock.by(deadline, idle).await.is_ok()
    }

    fn with_parent(name: String, parent: Option<Self>) -> Self {
        let inner = Inner { name, parent, alive: AtomicUsize::new(0), changed: Notify::new() };
        Self { inner: Arc::new(inner) }
    }
}

/// Counts one task in its scope and in all scopes above, until dropped.
struct Presence(Scope);

impl Presence {
    fn enter(scope: Scope) -> Self {
        let mut at = Some(&scope);
        while let Some(here) = at {
            here.inner.alive.fetch_add(1, Ordering::AcqRel);
            at = here.inner.parent.as_ref();
        }
        Self(scope)
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        let mut at = Some(&self.0);
        while let Some(here) = at {
            here.inner.alive.fetch_sub(1, Ordering::AcqRel);
            here.inner.changed.notify_waiters();
            at = here.inner.parent.as_ref();
        }
    }
}

/// A running task. Dropping it cancels the task; [`Task::detach`] leaves it to its scope.
#[must_use = "dropping a task cancels it"]
pub struct Task<T> {
    handle: Option<tokio::task::JoinHandle<T>>,
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Task")
    }
}

/// The task panicked or was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the task ended without a result")]
pub struct Ended;

impl<T> Task<T> {
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
        Pin::new(handle).poll(cx).map_err(|_| Ended)
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.cancel();
    }
}
