//! Mailbox: the inbox of an owner. Signals come before data, and neither sender ever waits.
//!
//! Owner of the contents: the [`Mailbox`]. Bounds: the senders' admission; who sends data has
//! reserved room for it, and signals are about such data only.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::channel::Ends;
use crate::waits::{self, Kind, What};

/// Makes a mailbox and a way to send to it.
#[must_use]
pub fn mailbox<S, D>(ends: Ends) -> (Post<S, D>, Mailbox<S, D>) {
    let contents = Contents { signals: VecDeque::new(), data: VecDeque::new(), is_closed: false };
    let shared = Arc::new(Shared { contents: Mutex::new(contents), arrived: Notify::new(), ends });
    (Post { shared: Arc::clone(&shared) }, Mailbox { shared })
}

/// What comes out of a mailbox.
#[derive(Debug, PartialEq, Eq)]
pub enum Mail<S, D> {
    Signal(S),
    Data(D),
}

/// The sending end. Clones send to the same mailbox.
pub struct Post<S, D> {
    shared: Arc<Shared<S, D>>,
}

/// The receiving end; closed when dropped.
pub struct Mailbox<S, D> {
    shared: Arc<Shared<S, D>>,
}

struct Shared<S, D> {
    contents: Mutex<Contents<S, D>>,
    arrived: Notify,
    ends: Ends,
}

struct Contents<S, D> {
    signals: VecDeque<S>,
    data: VecDeque<D>,
    is_closed: bool,
}

impl<S, D> Post<S, D> {
    /// Sends a signal; it is dropped when the owner is gone.
    pub fn signal(&self, signal: S) {
        let mut contents = self.shared.lock();
        if !contents.is_closed {
            contents.signals.push_back(signal);
            drop(contents);
            self.shared.arrived.notify_one();
        }
    }

    /// Sends data, or gives it back when the owner takes no more.
    pub fn data(&self, data: D) -> Result<(), D> {
        let mut contents = self.shared.lock();
        if contents.is_closed {
            return Err(data);
        }
        contents.data.push_back(data);
        drop(contents);
        self.shared.arrived.notify_one();
        Ok(())
    }
}

impl<S, D> Mailbox<S, D> {
    /// Takes the next mail if there is one: signals first.
    pub fn try_recv(&mut self) -> Option<Mail<S, D>> {
        let mut contents = self.shared.lock();
        let signal = contents.signals.pop_front().map(Mail::Signal);
        signal.or_else(|| contents.data.pop_front().map(Mail::Data))
    }

    /// Waits for the next mail.
    pub async fn recv(&mut self) -> Mail<S, D> {
        loop {
            if let Some(mail) = self.try_recv() {
                return mail;
            }
            let item = What::received(Kind::Item, self.shared.ends);
            waits::observed(item, self.shared.arrived.notified()).await;
        }
    }

    /// Takes no more mail; gives the data that was not received.
    pub fn close(&mut self) -> Vec<D> {
        let mut contents = self.shared.lock();
        contents.is_closed = true;
        let signals = std::mem::take(&mut contents.signals);
        let data = std::mem::take(&mut contents.data);
        drop(contents);
        // A signal may own what posts here when it is dropped, which takes the lock.
        drop(signals);
        data.into()
    }

    /// The names of both ends.
    #[must_use]
    pub fn ends(&self) -> Ends {
        self.shared.ends
    }
}

impl<S, D> Drop for Mailbox<S, D> {
    fn drop(&mut self) {
        drop(self.close());
    }
}

impl<S, D> Clone for Post<S, D> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<S, D> Shared<S, D> {
    fn lock(&self) -> MutexGuard<'_, Contents<S, D>> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S, D> fmt::Debug for Post<S, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Post({} to {})", self.shared.ends.from, self.shared.ends.to)
    }
}

impl<S, D> fmt::Debug for Mailbox<S, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mailbox({} to {})", self.shared.ends.from, self.shared.ends.to)
    }
}

#[cfg(test)]
mod tests;
