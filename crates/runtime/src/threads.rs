//! Threads: named pools for work that blocks or that computes for long.
//!
//! Owner of the queue: the pool, behind one lock. Bounds: threads and waiting jobs, in number.
//! A job whose caller has left before it started is not run, and takes no room. The threads end with the last handle.
//! Paused test time does not see this work: it may pass a deadline while a thread is busy.

use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::channel::{self, Ends, OnceSender};

/// A pool of threads. Clones are the same pool.
#[derive(Clone)]
pub struct Pool {
    handle: Arc<Handle>,
}

/// Why a job gave no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    #[error("too many jobs wait for a thread of `{pool}`")]
    Full { pool: &'static str },
    #[error("a job of `{pool}` panicked: {message}")]
    Panicked { pool: &'static str, message: String },
}

/// Ends the threads when the last handle is gone.
struct Handle {
    shared: Arc<Shared>,
}

struct Shared {
    name: &'static str,
    queue_max: usize,
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Box<dyn Job>>,
    running: usize,
    is_closed: bool,
}

/// A job that waits for a thread.
trait Job: Send {
    /// Whether anybody still wants its result.
    fn is_awaited(&self) -> bool;
    fn run(self: Box<Self>);
}

struct Awaited<T, F> {
    job: F,
    result: OnceSender<std::thread::Result<T>>,
}

impl<T: Send, F: FnOnce() -> T + Send> Job for Awaited<T, F> {
    fn is_awaited(&self) -> bool {
        self.result.is_awaited()
    }

    fn run(self: Box<Self>) {
        let outcome = catch_unwind(AssertUnwindSafe(self.job));
        // The caller may leave while the job runs; then nobody wants the result.
        drop(self.result.send(outcome));
    }
}

impl Pool {
    /// Starts `threads` threads, with room for `queue_max` jobs that wait for one.
    pub fn new(name: &'static str, threads: usize, queue_max: usize) -> io::Result<Self> {
        assert!(0 < threads, "without a thread no job would ever end");
        let (queue, changed) = (Mutex::default(), Condvar::new());
        let shared = Arc::new(Shared { name, queue_max, queue, changed });
        // Made first: should a thread not start, those before it end with this handle.
        let handle = Arc::new(Handle { shared: Arc::clone(&shared) });
        for number in 0..threads {
            let shared = Arc::clone(&shared);
            let builder = std::thread::Builder::new().name(format!("{name}-{number}"));
            builder.spawn(move || shared.work())?;
        }
        Ok(Self { handle })
    }

    /// Runs `job` on a thread of the pool.
    pub async fn run<T, F>(&self, job: F) -> Result<T, RunError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let pool = self.handle.shared.name;
        let (sender, mut result) = channel::once(Ends { from: pool, to: "caller of the job" });
        if !self.handle.shared.push(Box::new(Awaited { job, result: sender })) {
            return Err(RunError::Full { pool });
        }
        let outcome = result.recv().await.expect("a job that is awaited is run");
        outcome.map_err(|panic| RunError::Panicked { pool, message: panic_message(&*panic) })
    }

    /// How many jobs wait for a thread.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.handle.shared.queue().jobs.len()
    }

    /// How many jobs run.
    #[must_use]
    pub fn running(&self) -> usize {
        self.handle.shared.queue().running
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let queue = self.handle.shared.queue();
        let (running, waiting) = (queue.running, queue.jobs.len());
        write!(f, "Pool({}, {running} run, {waiting} wait)", self.handle.shared.name)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.queue().is_closed = true;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn push(&self, job: Box<dyn Job>) -> bool {
        let mut queue = self.queue();
        let mut left = VecDeque::new();
        if self.queue_max <= queue.jobs.len() {
            let (kept, dropped) = queue.jobs.drain(..).partition(|job| job.is_awaited());
            (queue.jobs, left) = (kept, dropped);
        }
        let has_room = queue.jobs.len() < self.queue_max;
        if has_room {
            queue.jobs.push_back(job);
        }
        drop(queue);
        // What the jobs hold is dropped without the lock.
        drop(left);
        if has_room {
            self.changed.notify_one();
        }
        has_room
    }

    /// The life of a thread.
    fn work(&self) {
        while let Some(job) = self.next() {
            if job.is_awaited() {
                job.run();
            }
            self.queue().running -= 1;
        }
    }

    fn next(&self) -> Option<Box<dyn Job>> {
        let mut queue = self.queue();
        loop {
            if let Some(job) = queue.jobs.pop_front() {
                queue.running += 1;
                return Some(job);
            }
            if queue.is_closed {
                return None;
            }
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a panic said.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").to_owned()
}

#[cfg(test)]
mod tests;
