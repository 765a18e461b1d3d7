//! Receive: the memory of bodies that are not admitted yet, in wire bytes.
//!
//! Bodies are read as they come, whatever they wait for, so none of them holds its connection's
//! flow-control window. Owner: one [`Connection`] for each connection, one [`Holding`] a request.
//! Bounds: the share of the listener, and a cap a connection. At a bound the youngest request of
//! the connection is turned away, so that the oldest always moves on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use runtime::budget::{Budget, Permit};
use runtime::channel::{self, Ends, OnceReceiver, OnceSender};
use runtime::region::Region;

/// The smallest piece of memory that is accounted for.
const PIECE_BYTES: usize = 4 << 10;
/// How many times what came is set aside for what comes next.
const TRUST: usize = 4;

/// What one connection holds of the receive budget.
#[derive(Debug)]
pub(super) struct Connection {
    budget: Budget,
    requests: Mutex<Requests>,
}

#[derive(Debug, Default)]
struct Requests {
    /// Requests by age: the youngest has the highest number.
    held: BTreeMap<u64, Held>,
    next: u64,
}

#[derive(Debug)]
struct Held {
    permit: Option<Permit>,
    evict: OnceSender<()>,
}

/// The memory of one request's body; goes back when dropped.
#[derive(Debug)]
pub(super) struct Holding {
    connection: Arc<Connection>,
    number: u64,
}

/// There is no room, and this request is the one to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Full {
    #[error("too many bytes are being received; try again later")]
    Now,
    /// However little else there is, it would not fit.
    #[error("the request is larger than the {bytes_max} bytes of memory that there are for it")]
    Always { bytes_max: usize },
}

/// Resolves when the request has to make room for an older one.
#[derive(Debug)]
pub(super) struct Eviction(OnceReceiver<()>);

impl Connection {
    /// A connection that takes from `budget`, its share.
    pub(super) fn new(budget: Budget) -> Self {
        Self { budget, requests: Mutex::default() }
    }

    /// Begins to hold a request's body.
    pub(super) fn hold(self: &Arc<Self>) -> (Holding, Eviction) {
        let ends = Ends { from: "older request", to: "request body" };
        let (evict, evicted) = channel::once(ends);
        let mut requests = self.lock();
        let number = requests.next;
        requests.next += 1;
        requests.held.insert(number, Held { permit: None, evict });
        (Holding { connection: Arc::clone(self), number }, Eviction(evicted))
    }

    fn lock(&self) -> MutexGuard<'_, Requests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Requests {
    /// Turns the youngest request away, unless that is `number` itself.
    fn make_room_for(&mut self, number: u64) -> Result<(), Full> {
        let youngest = self.held.last_entry().filter(|entry| number < *entry.key());
        // A request that just ended no longer listens; its memory is free all the same.
        youngest.ok_or(Full::Now)?.remove().evict.send(()).ok();
        Ok(())
    }
}

impl Held {
    fn try_grow(&mut self, budget: &Budget, bytes: usize) -> bool {
        match &mut self.permit {
            Some(permit) => permit.try_grow(bytes),
            None => {
                self.permit = budget.try_take(bytes);
                self.permit.is_some()
            }
        }
    }
}

impl Holding {
    /// Takes `bytes` more, at the cost of younger requests of the connection if need be.
    fn grow(&self, bytes: usize) -> Result<(), Full> {
        let budget = &self.connection.budget;
        let mut requests = self.connection.lock();
        loop {
            let held = requests.held.get_mut(&self.number).ok_or(Full::Now)?;
            if held.try_grow(budget, bytes) {
                return Ok(());
            }
            let total = bytes + held.permit.as_ref().map_or(0, Permit::bytes);
            let bytes_max = budget.bytes_ever();
            if bytes_max < total {
                return Err(Full::Always { bytes_max });
            }
            requests.make_room_for(self.number)?;
        }
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.connection.lock().held.remove(&self.number);
    }
}

impl Eviction {
    /// Waits until the request has to go; for ever if it need not.
    pub(super) async fn happened(&mut self) -> Full {
        match self.0.recv().await {
            Some(()) => Full::Now,
            None => std::future::pending().await,
        }
    }
}

/// Bytes as they come, in one piece, within a [`Holding`].
#[derive(Debug)]
pub(super) struct Buffer<'a> {
    holding: &'a Holding,
    region: Option<Region>,
    bytes_max: usize,
    bytes_accounted: usize,
}

impl<'a> Buffer<'a> {
    /// A buffer for at most `bytes_max`.
    pub(super) fn new(holding: &'a Holding, bytes_max: usize) -> Self {
        Self { holding, region: None, bytes_max, bytes_accounted: 0 }
    }

    pub(super) fn filled(&self) -> &[u8] {
        self.region.as_deref().unwrap_or_default()
    }

    /// Adds a chunk; there will be so many bytes in all, if that is known. What was not written to
    /// yet is no memory: what is accounted for grows by doubling, up to what is `expected`.
    pub(super) fn push(&mut self, chunk: &[u8], expected: Option<usize>) -> Result<(), Full> {
        let needed = self.filled().len() + chunk.len();
        if self.bytes_accounted < needed {
            let doubled = (2 * self.bytes_accounted).min(expected.unwrap_or(usize::MAX));
            self.account(doubled.max(needed).max(PIECE_BYTES))?;
        }
        let region = self.region(needed, expected);
        region.push(chunk).map_err(|full| Full::Always { bytes_max: full.bytes_max })
    }

    /// Room for what comes next, at least `coming` bytes: where to read, and how much of it. A client
    /// that sent much is trusted to send more, so that few reads take a large body.
    pub(super) fn room(
        &mut self,
        coming: usize,
        expected: Option<usize>,
    ) -> Result<(&mut Region, usize), Full> {
        let filled = self.filled().len();
        let needed = filled + coming.min(PIECE_BYTES);
        if self.bytes_accounted <= 2 * filled {
            let ample = (TRUST * filled).min(expected.unwrap_or(self.bytes_max)).max(needed);
            self.account(ample).or_else(|_| self.account(needed))?;
        }
        let bytes_max = coming.min(self.bytes_accounted - filled);
        Ok((self.region(filled + coming, expected), bytes_max))
    }

    fn account(&mut self, bytes: usize) -> Result<(), Full> {
        if self.bytes_accounted < bytes {
            self.holding.grow(bytes - self.bytes_accounted)?;
            self.bytes_accounted = bytes;
        }
        Ok(())
    }

    fn region(&mut self, needed: usize, expected: Option<usize>) -> &mut Region {
        let bytes_max = self.bytes_max;
        self.region.get_or_insert_with(|| match expected {
            Some(bytes) => Region::of(bytes.max(needed).min(bytes_max)),
            None => Region::up_to(bytes_max),
        })
    }

    pub(super) fn finish(self) -> Bytes {
        self.region.map(Region::into_bytes).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
