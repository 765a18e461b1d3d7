//! Worker: the life of a disk's thread.
//!
//! Takes all that waits at once, does it in order, syncs each file that somebody waits for once, and
//! answers. Owner of the queue: the disk, behind one lock.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::files::Files;
use super::{DiskError, Durability};
use crate::channel::OnceSender;

/// What is asked of the thread.
pub(super) enum Request {
    Append(Append),
    /// Anything that is answered at once.
    Call(Box<dyn FnOnce(&mut Files) + Send>),
    Close {
        file: usize,
    },
}

pub(super) struct Append {
    pub(super) file: usize,
    pub(super) slices: Vec<Bytes>,
    pub(super) durability: Durability,
    pub(super) reply: OnceSender<Result<u64, DiskError>>,
}

/// The requests that wait for the thread.
pub(super) struct Queue {
    name: &'static str,
    requests_max: usize,
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    requests: VecDeque<Request>,
    is_closed: bool,
}

impl Queue {
    pub(super) fn new(name: &'static str, requests_max: usize) -> Self {
        Self { name, requests_max, waiting: Mutex::default(), changed: Condvar::new() }
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn len(&self) -> usize {
        self.waiting().requests.len()
    }

    pub(super) fn push(&self, request: Request) -> bool {
        let mut waiting = self.waiting();
        if self.requests_max <= waiting.requests.len() {
            return false;
        }
        waiting.requests.push_back(request);
        drop(waiting);
        self.changed.notify_one();
        true
    }

    /// Closing is never refused: there is at most one for each open file.
    pub(super) fn close_file(&self, file: usize) {
        self.waiting().requests.push_back(Request::Close { file });
        self.changed.notify_one();
    }

    pub(super) fn close(&self) {
        self.waiting().is_closed = true;
        self.changed.notify_one();
    }

    /// Waits for requests and takes all there are; `None` when there will be no more.
    fn next(&self) -> Option<VecDeque<Request>> {
        let mut waiting = self.waiting();
        while waiting.requests.is_empty() {
            if waiting.is_closed {
                return None;
            }
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        Some(std::mem::take(&mut waiting.requests))
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Obeys the queue until it is closed and empty.
pub(super) fn run(queue: &Queue, files: Files) {
    let mut worker = Worker { files, unsynced: Vec::new() };
    while let Some(requests) = queue.next() {
        for request in requests {
            worker.obey(request);
        }
        worker.sync();
    }
}

struct Worker {
    files: Files,
    /// Appends that wait for the next sync, and the length of their file after them.
    unsynced: Vec<Unsynced>,
}

struct Unsynced {
    file: usize,
    bytes: u64,
    reply: OnceSender<Result<u64, DiskError>>,
}

impl Worker {
    fn obey(&mut self, request: Request) {
        match request {
            Request::Append(append) => self.append(append),
            Request::Call(call) => {
                // It may rename or replace the files that earlier appends wait for.
                self.sync();
                call(&mut self.files);
            }
            Request::Close { file } => {
                self.sync();
                self.files.close(file);
            }
        }
    }

    fn append(&mut self, append: Append) {
        let Append { file, slices, durability, reply } = append;
        if !reply.is_awaited() {
            return;
        }
        match self.files.append(file, &slices) {
            Ok(bytes) if durability == Durability::Synced => {
                self.unsynced.push(Unsynced { file, bytes, reply });
            }
            // Here and below: who left meanwhile does not want the result.
            result => drop(reply.send(result)),
        }
    }

    fn sync(&mut self) {
        let mut unsynced = std::mem::take(&mut self.unsynced);
        while let Some(file) = unsynced.first().map(|first| first.file) {
            let synced = self.files.sync(file);
            for waiting in unsynced.extract_if(.., |one| one.file == file) {
                let result = match &synced {
                    Ok(()) => Ok(waiting.bytes),
                    Err(error) => Err(error.again()),
                };
                drop(waiting.reply.send(result));
            }
        }
    }
}

impl DiskError {
    /// The same error for another caller.
    fn again(&self) -> Self {
        match self {
            Self::Io { attempt, path, error } => {
                let error = std::io::Error::new(error.kind(), error.to_string());
                Self::Io { attempt, path: path.clone(), error }
            }
            Self::Poisoned { path } => Self::Poisoned { path: path.clone() },
            Self::Full => Self::Full,
            Self::Ended => Self::Ended,
        }
    }
}
