//! Freed: wakes whoever waits for bytes to go back.
//!
//! Owner of the list: the tree. Invariant: a release after [`Freed::listen`] is never missed, and
//! while nobody listens a release costs one load.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use super::Tree;

/// Hears when bytes go back to a tree.
pub struct Freed {
    tree: Arc<Tree>,
    watcher: Arc<Watcher>,
}

#[derive(Debug, Default)]
struct Watcher {
    is_listening: AtomicBool,
    woken: Notify,
}

/// Who hears of releases in one tree.
#[derive(Debug, Default)]
pub(super) struct Watchers {
    listening: AtomicUsize,
    all: Mutex<Vec<Arc<Watcher>>>,
}

impl Freed {
    pub(super) fn new(tree: Arc<Tree>) -> Self {
        let watcher = Arc::new(Watcher::default());
        tree.watchers.change(|all| all.push(Arc::clone(&watcher)));
        Self { tree, watcher }
    }

    /// Listens from now on; says whether it did not before. Bytes that went back earlier wake
    /// nobody, so try once more after a call that returns `true`.
    pub fn listen(&self) -> bool {
        let is_new = !self.watcher.is_listening.swap(true, Ordering::SeqCst);
        if is_new {
            self.tree.watchers.listening.fetch_add(1, Ordering::SeqCst);
        }
        is_new
    }

    /// Stops listening until the next [`Freed::listen`].
    pub fn ignore(&self) {
        if self.watcher.is_listening.swap(false, Ordering::SeqCst) {
            self.tree.watchers.listening.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// Waits for a release, or for [`Freed::nudge`], since the last wait.
    pub async fn wait(&self) {
        self.watcher.woken.notified().await;
    }

    /// Ends the wait as if bytes had gone back.
    pub fn nudge(&self) {
        self.watcher.woken.notify_one();
    }
}

impl Drop for Freed {
    fn drop(&mut self) {
        self.ignore();
        self.tree.watchers.change(|all| all.retain(|one| !Arc::ptr_eq(one, &self.watcher)));
    }
}

impl fmt::Debug for Freed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Freed")
    }
}

impl Watchers {
    /// Wakes all who listen. The ledger's lock is not held: a waker may do anything.
    pub(super) fn wake(&self) {
        if self.listening.load(Ordering::SeqCst) == 0 {
            return;
        }
        let all = self.change(|all| all.clone());
        for watcher in all.iter().filter(|one| one.is_listening.load(Ordering::SeqCst)) {
            watcher.woken.notify_one();
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut Vec<Arc<Watcher>>) -> T) -> T {
        change(&mut self.all.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
