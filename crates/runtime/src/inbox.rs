//! Inbox: what an owner with a thread of its own is asked to do.
//!
//! Senders never wait; the owner takes all there is at once, and is woken only for what it sleeps for.
//! Bounds: weight in bytes, set at the start; who sends beyond it gets the item back. Items without
//! weight are about others that have been taken.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Makes an inbox that holds items of `weight_max` together.
#[must_use]
pub fn inbox<T>(weight_max: usize) -> (Sender<T>, Inbox<T>) {
    let contents = Contents {
        items: Vec::new(),
        weight: 0,
        senders: 1,
        is_closed: false,
        is_rung: false,
        wakes_at: None,
    };
    let shared = Shared { weight_max, contents: Mutex::new(contents), changed: Condvar::new() };
    let shared = Arc::new(shared);
    (Sender { shared: Arc::clone(&shared) }, Inbox { shared })
}

/// Why an item was not taken; it comes back.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused<T> {
    Full(T),
    Closed(T),
}

/// The sending end. The owner is told when the last one is gone.
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

/// The receiving end; closed when dropped.
pub struct Inbox<T> {
    shared: Arc<Shared<T>>,
}

/// Wakes the owner without an item. It does not keep the inbox open.
pub struct Bell<T> {
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    weight_max: usize,
    contents: Mutex<Contents<T>>,
    changed: Condvar,
}

struct Contents<T> {
    items: Vec<T>,
    weight: usize,
    senders: usize,
    is_closed: bool,
    is_rung: bool,
    /// The weight that the owner sleeps for; `None` while it is awake.
    wakes_at: Option<usize>,
}

impl<T> Sender<T> {
    /// Sends an item. A single item is taken whatever its weight.
    pub fn send(&self, item: T, weight: usize) -> Result<(), Refused<T>> {
        let mut contents = self.shared.lock();
        if contents.is_closed {
            return Err(Refused::Closed(item));
        }
        let is_over = self.shared.weight_max < contents.weight.saturating_add(weight);
        if is_over && 0 < weight && 0 < contents.weight {
            return Err(Refused::Full(item));
        }
        contents.weight += weight;
        contents.items.push(item);
        let wakes = contents.wakes_at.is_some_and(|weight| weight <= contents.weight);
        drop(contents);
        if wakes {
            self.shared.changed.notify_one();
        }
        Ok(())
    }

    /// The weight of what waits.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.shared.lock().weight
    }
}

impl<T> Inbox<T> {
    /// Takes all there is, waiting up to `patience` for it (`None`: as long as it takes); `None` when
    /// nothing is there and all senders are gone. The bell ends the wait.
    pub fn take(&mut self, patience: Option<Duration>) -> Option<Vec<T>> {
        self.wait(0, patience)
    }

    /// Takes all there is as soon as that has `weight`, or the bell rings; `None` as above.
    pub fn gather(&mut self, weight: usize) -> Option<Vec<T>> {
        self.wait(weight, None)
    }

    /// A way to wake the owner.
    #[must_use]
    pub fn bell(&self) -> Bell<T> {
        Bell { shared: Arc::clone(&self.shared) }
    }

    fn wait(&mut self, weight: usize, patience: Option<Duration>) -> Option<Vec<T>> {
        let is_idle = |contents: &mut Contents<T>| {
            let is_light = contents.items.is_empty() || contents.weight < weight;
            is_light && 0 < contents.senders && !contents.is_rung
        };
        let mut contents = self.shared.lock();
        contents.wakes_at = Some(weight);
        let changed = &self.shared.changed;
        let mut contents = match patience {
            None => changed.wait_while(contents, is_idle).unwrap_or_else(PoisonError::into_inner),
            Some(patience) => {
                let waited = changed.wait_timeout_while(contents, patience, is_idle);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        };
        (contents.wakes_at, contents.is_rung, contents.weight) = (None, false, 0);
        let items = std::mem::take(&mut contents.items);
        (!items.is_empty() || 0 < contents.senders).then_some(items)
    }
}

impl<T> Bell<T> {
    /// Wakes the owner, or keeps it from sleeping next time.
    pub fn ring(&self) {
        self.shared.lock().is_rung = true;
        self.shared.changed.notify_one();
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, Contents<T>> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared.lock().senders += 1;
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.shared.lock().senders -= 1;
        self.shared.changed.notify_one();
    }
}

impl<T> Drop for Inbox<T> {
    fn drop(&mut self) {
        let mut contents = self.shared.lock();
        contents.is_closed = true;
        let left = std::mem::take(&mut contents.items);
        drop(contents);
        // What the items hold is dropped without the lock.
        drop(left);
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sender({} waits)", self.weight())
    }
}

impl<T> fmt::Debug for Bell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bell")
    }
}

impl<T> fmt::Debug for Inbox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Inbox({} wait)", self.shared.lock().items.len())
    }
}

#[cfg(test)]
mod tests;
