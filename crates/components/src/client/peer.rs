//! Peer: an address that works, and its connections.
//!
//! Owner of the idle HTTP/1 connections: [`Pool`]. Bounds: idle ones and open ones by [`Limits`];
//! an HTTP/2 peer has one connection.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use hyper::client::conn::http1;
use runtime::channel::{self, Ends, LatestReceiver, LatestSender};
use runtime::task::{Scope, Task};

use super::body::Outgoing;
use super::directory::Target;
use crate::http2::Handle;

/// How many HTTP/1 connections an address may have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) open_max: usize,
    pub(crate) idle_max: usize,
    /// An idle connection is not used again after this long; `None` uses it as long as it lives.
    pub(crate) idle_timeout: Option<Duration>,
}

/// An address that works.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) target: Target,
    pub(crate) connections: Connections,
    has_answered: AtomicBool,
}

#[derive(Debug)]
pub(crate) enum Connections {
    Shared(Handle),
    Pooled(Arc<Pool>),
}

/// The HTTP/1 connections of one address.
#[derive(Debug)]
pub(crate) struct Pool {
    limits: Limits,
    idle: Mutex<Vec<Idle>>,
    places: Arc<Places>,
    changes: LatestReceiver<()>,
}

/// Counts open connections. Apart from the pool, so that an idle connection does not keep alive
/// the pool that keeps it.
#[derive(Debug)]
struct Places {
    open: AtomicUsize,
    freed: LatestSender<()>,
}

#[derive(Debug)]
struct Idle {
    connection: Lease,
    since: Instant,
}

/// An HTTP/1 connection in use. Dropped, it is closed; [`Pool::keep`] keeps it.
pub(crate) struct Lease {
    pub(crate) sender: http1::SendRequest<Outgoing>,
    _task: Task<()>,
    _place: Place,
}

/// The right to have one more connection open.
pub(crate) struct Place(Arc<Places>);

/// What a pool has for a request.
pub(crate) enum Found {
    Idle(Lease),
    Place(Place),
    /// As many as allowed are open and busy.
    Full,
}

impl Peer {
    pub(crate) fn new(target: Target, connections: Connections) -> Self {
        Self { target, connections, has_answered: AtomicBool::new(false) }
    }

    /// Notes that a request was answered.
    pub(crate) fn answered(&self) {
        self.has_answered.store(true, Ordering::Relaxed);
    }

    /// Whether any request was answered.
    pub(crate) fn has_answered(&self) -> bool {
        self.has_answered.load(Ordering::Relaxed)
    }

    /// Whether a request may be tried here.
    pub(crate) fn is_open(&self) -> bool {
        match &self.connections {
            Connections::Shared(handle) => handle.is_taking(),
            Connections::Pooled(_) => true,
        }
    }
}

impl Pool {
    pub(crate) fn new(limits: Limits) -> Arc<Self> {
        let ends = Ends { from: "connection pool", to: "requests without a connection" };
        let (freed, changes) = channel::latest(ends, ());
        let idle = Mutex::new(Vec::new());
        let places = Arc::new(Places { open: AtomicUsize::new(0), freed });
        Arc::new(Self { limits, idle, places, changes })
    }

    /// The connection that was idle for the shortest time, or the right to open one.
    pub(crate) fn find(&self, now: Instant) -> Found {
        while let Some(idle) = self.pop() {
            let is_stale = self.limits.idle_timeout.is_some_and(|max| idle.since + max <= now);
            if !is_stale && !idle.connection.sender.is_closed() {
                return Found::Idle(idle.connection);
            }
        }
        self.place().map_or(Found::Full, Found::Place)
    }

    /// The right to open one more connection.
    pub(crate) fn place(&self) -> Option<Place> {
        let more = |open: usize| (open < self.limits.open_max).then_some(open + 1);
        let taken = self.places.open.fetch_update(Ordering::AcqRel, Ordering::Relaxed, more);
        taken.is_ok().then(|| Place(Arc::clone(&self.places)))
    }

    /// Keeps a connection for the next request, if there is room for one more idle one.
    pub(crate) fn keep(&self, connection: Lease, now: Instant) {
        let surplus = {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.len() < self.limits.idle_max {
                idle.push(Idle { connection, since: now });
                None
            } else {
                Some(connection)
            }
        };
        drop(surplus);
        self.places.freed.set(());
    }

    /// Wakes whoever found the pool full, each time a connection is given back or closed.
    pub(crate) fn changes(&self) -> LatestReceiver<()> {
        self.changes.clone()
    }

    /// Closes what was idle for too long.
    pub(crate) fn evict(&self, now: Instant) {
        let Some(max) = self.limits.idle_timeout else { return };
        let stale = {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            let is_fresh = |idle: &Idle| now < idle.since + max;
            let (kept, stale) =
                std::mem::take(&mut *idle).into_iter().partition::<Vec<_>, _>(is_fresh);
            *idle = kept;
            stale
        };
        drop(stale);
    }

    fn pop(&self) -> Option<Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

impl Place {
    /// Turns the right into a connection, whose bytes move in `scope`.
    pub(crate) fn fill(
        self,
        sender: http1::SendRequest<Outgoing>,
        connection: BoxFuture<'static, ()>,
        scope: &Scope,
    ) -> Lease {
        Lease { sender, _task: scope.spawn("http1 connection", connection), _place: self }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::AcqRel);
        self.0.freed.set(());
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lease({:?})", self.sender)
    }
}
