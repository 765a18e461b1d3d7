//! Threads: named pools for work that blocks or that computes for long.
//!
//! Owner of the queue: the pool, behind one lock. Bounds: threads and waiting jobs, in number.
//! A job whose caller has left before it started is not run. The threads end with the last handle.
//! Paused test time does not see this work: it may pass a deadline while a thread is busy.

use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::channel::{self, Ends};

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
    jobs: VecDeque<Job>,
    running: usize,
    is_closed: bool,
}

type Job = Box<dyn FnOnce() + Send>;

impl Pool {
    /// Starts `threads` threads, with room for `queue_max` jobs that wait for one.
    pub fn new(name: &'static str, threads: usize, queue_max: usize) -> io::Result<Self> {
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
        let work = move || {
            if sender.is_awaited() {
                let outcome = catch_unwind(AssertUnwindSafe(job));
                // The caller may leave while the job runs; then nobody wants the result.
                drop(sender.send(outcome));
            }
        };
        if !self.handle.shared.push(Box::new(work)) {
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
    fn push(&self, job: Job) -> bool {
        let mut queue = self.queue();
        if self.queue_max <= queue.jobs.len() {
            return false;
        }
        queue.jobs.push_back(job);
        drop(queue);
        self.changed.notify_one();
        true
    }

    /// The life of a thread.
    fn work(&self) {
        while let Some(job) = self.next() {
            job();
            self.queue().running -= 1;
        }
    }

    fn next(&self) -> Option<Job> {
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
