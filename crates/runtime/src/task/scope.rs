//! Scope: the parent of tasks, and of other scopes.
//!
//! Owner of the list of tasks: the scope they were spawned in, behind a lock that is held for one
//! insertion or removal. Invariant: after [`Scope::close`] every task of the scope and of those below
//! it has been told to end, those spawned later included.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::Task;
use crate::clock::Clock;
use crate::slab::Slab;
use crate::threads::panic_message;
use crate::waits::{self, What};

/// How long cancelled tasks get to notice. One that computes or blocks on a thread may take longer.
const CANCEL_GRACE: Duration = Duration::from_secs(1);

/// A parent of tasks. Clones are the same scope.
#[derive(Clone)]
pub struct Scope {
    inner: Arc<Inner>,
}

/// Who did not end by itself until the scope closed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// Told to end, in the order of their names.
    pub cancelled: Vec<String>,
    /// Told to end, and still there.
    pub stuck: Vec<String>,
}

struct Inner {
    name: String,
    parent: Option<Scope>,
    children: Mutex<Vec<Weak<Inner>>>,
    tasks: Mutex<Slab<Entry>>,
    /// Here and below.
    alive: AtomicUsize,
    panicked: AtomicU64,
    is_closed: AtomicBool,
    changed: Notify,
}

/// A task in the list of its scope.
struct Entry {
    identity: Arc<Identity>,
    abort: Option<AbortHandle>,
}

/// What a task is called.
#[derive(Debug)]
pub(crate) struct Identity {
    scope: Scope,
    name: Box<str>,
}

/// Lists one task in its scope and counts it in all scopes above, until dropped.
struct Presence {
    identity: Arc<Identity>,
    number: usize,
}

tokio::task_local! {
    static CURRENT: Presence;
}

/// The task that runs now; `None` outside of all scopes.
pub(crate) fn current() -> Option<Arc<Identity>> {
    CURRENT.try_with(|presence| Arc::clone(&presence.identity)).ok()
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
        let child = Self::with_parent(format!("{}/{name}", self.inner.name), Some(self.clone()));
        let mut children = lock(&self.inner.children);
        children.retain(|child| 0 < child.strong_count());
        children.push(Arc::downgrade(&child.inner));
        child
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

    /// The paths of the tasks of this scope and of the scopes below, in their order.
    #[must_use]
    pub fn alive_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for scope in self.with_descendants() {
            let tasks = lock(&scope.inner.tasks);
            names.extend(tasks.iter().map(|(_, entry)| entry.identity.to_string()));
        }
        names.sort_unstable();
        names
    }

    /// How many tasks of this scope and of the scopes below have panicked.
    #[must_use]
    pub fn panicked(&self) -> u64 {
        self.inner.panicked.load(Ordering::Relaxed)
    }

    /// Starts a task. In a closed scope it is told to end before it has begun.
    #[inline]
    pub fn spawn<F>(&self, name: &str, future: F) -> Task<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        // In a box: a large future would be moved a dozen times until it runs and has ended, and what
        // follows would be compiled for each.
        self.start(name, Box::pin(future))
    }

    fn start<T: Send + 'static>(&self, name: &str, future: BoxFuture<'static, T>) -> Task<T> {
        let presence = Presence::enter(self.clone(), name);
        let number = presence.number;
        let identity = Arc::clone(&presence.identity);
        let caught = AssertUnwindSafe(future).catch_unwind().map(|result| match result {
            Ok(value) => Some(value),
            Err(panic) => {
                report_panic(&*panic);
                None
            }
        });
        let named = CURRENT.scope(presence, caught);
        #[cfg(feature = "schedules")]
        let named = super::schedule::scheduled(named);
        let handle = tokio::spawn(named);
        self.started(number, &identity, handle.abort_handle());
        Task::new(handle)
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
        clock.by(deadline, waits::observed(What::tasks(), idle)).await.is_ok()
    }

    /// Waits for the tasks of this scope and of the scopes below to end, and cancels those that
    /// have not at `deadline`.
    pub async fn close(&self, clock: Clock, deadline: Instant) -> Leftovers {
        if self.idle_by(clock, deadline).await {
            self.cancel_all();
            return Leftovers::default();
        }
        let cancelled = self.alive_names();
        self.cancel_all();
        let until = clock.now() + CANCEL_GRACE;
        let is_idle = self.idle_by(clock, until).await;
        let stuck = if is_idle { Vec::new() } else { self.alive_names() };
        Leftovers { cancelled, stuck }
    }

    /// The end of a test: panics if a task does not end by itself, or has panicked.
    pub async fn assert_idle(&self, clock: Clock) {
        let deadline = clock.now() + Duration::from_secs(5);
        let is_idle = self.idle_by(clock, deadline).await;
        assert!(is_idle, "tasks are left: {:?}", self.alive_names());
        assert_eq!(0, self.panicked(), "tasks of {} panicked", self.name());
    }

    /// Tells all tasks to end, and those that come later.
    fn cancel_all(&self) {
        self.inner.is_closed.store(true, Ordering::SeqCst);
        for scope in self.with_descendants() {
            let tasks = lock(&scope.inner.tasks);
            let aborts: Vec<_> =
                tasks.iter().filter_map(|(_, entry)| entry.abort.clone()).collect();
            // Cancelling may drop a task here and now, which takes it off the list.
            drop(tasks);
            aborts.iter().for_each(AbortHandle::abort);
        }
    }

    /// Notes how to cancel a task that was just spawned, unless it has ended already.
    fn started(&self, number: usize, identity: &Arc<Identity>, abort: AbortHandle) {
        let mut tasks = lock(&self.inner.tasks);
        if let Some(entry) = tasks.value_mut(number)
            && Arc::ptr_eq(&entry.identity, identity)
        {
            entry.abort = Some(abort.clone());
        }
        drop(tasks);
        // Closing sets the flag before it reads the lists: one of the two sees the other. A scope
        // that was made since is closed as well, by those above it.
        if self.ancestors().any(|scope| scope.inner.is_closed.load(Ordering::SeqCst)) {
            abort.abort();
        }
    }

    /// This scope and all below it that still exist, parents first.
    fn with_descendants(&self) -> Vec<Self> {
        let mut scopes = vec![self.clone()];
        let mut at = 0;
        while let Some(scope) = scopes.get(at).cloned() {
            let children = lock(&scope.inner.children);
            scopes.extend(children.iter().filter_map(Weak::upgrade).map(|inner| Self { inner }));
            at += 1;
        }
        scopes
    }

    /// This scope and all above it.
    fn ancestors(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |scope| scope.inner.parent.as_ref())
    }

    fn with_parent(name: String, parent: Option<Self>) -> Self {
        let inner = Inner {
            name,
            parent,
            children: Mutex::default(),
            tasks: Mutex::default(),
            alive: AtomicUsize::new(0),
            panicked: AtomicU64::new(0),
            is_closed: AtomicBool::new(false),
            changed: Notify::new(),
        };
        Self { inner: Arc::new(inner) }
    }
}

impl Presence {
    fn enter(scope: Scope, name: &str) -> Self {
        for above in scope.ancestors() {
            above.inner.alive.fetch_add(1, Ordering::AcqRel);
        }
        let identity = Arc::new(Identity { scope, name: name.into() });
        let entry = Entry { identity: Arc::clone(&identity), abort: None };
        let number = lock(&identity.scope.inner.tasks).insert(entry);
        Self { identity, number }
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        let scope = &self.identity.scope;
        let entry = lock(&scope.inner.tasks).remove(self.number);
        drop(entry);
        for above in scope.ancestors() {
            above.inner.alive.fetch_sub(1, Ordering::AcqRel);
            above.inner.changed.notify_waiters();
        }
    }
}

/// Counts and logs the panic of the task that runs now.
fn report_panic(panic: &(dyn Any + Send)) {
    let message = panic_message(panic);
    let Some(identity) = current() else { return };
    for scope in identity.scope.ancestors() {
        scope.inner.panicked.fetch_add(1, Ordering::Relaxed);
    }
    tracing::error!(task = %identity, message, "A task panicked; this is a defect.");
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.scope.inner.name, self.name)
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scope({}, {} alive)", self.inner.name, self.alive())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
