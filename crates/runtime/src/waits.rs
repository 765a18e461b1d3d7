//! Waits: who waits, for what, since when and until when at the latest.
//!
//! Every wait of this crate goes through [`observed`]: its first `Pending` makes an entry, `Ready`
//! or drop removes it. Owner of the entries: this module, one slab for each of a few shards.
//! Cost: nothing for a wait that does not block; else two short locks and a reading of the clock.

use std::cell::Cell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::channel::Ends;
use crate::clock::Clock;
use crate::slab::Slab;
use crate::task::{Identity, current};

/// One wait, as shown to operators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// The path of the task that waits.
    pub task: String,
    pub waits_for: What,
    pub since: Instant,
    /// When the nearest deadline around the wait ends it.
    pub until: Option<Instant>,
}

/// What somebody waits for, and who can end the wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct What {
    pub kind: Kind,
    /// Who can end it, as its channel or pool was named.
    pub served_by: &'static str,
    /// Whom it serves.
    pub on_behalf_of: &'static str,
}

/// The kind of a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A value from a channel.
    Item,
    /// Room in a channel.
    Room,
    /// The one value that a completion brings.
    Completion,
    /// A newer value than the one that was seen.
    Change,
    /// The other end of a channel to go away.
    Closing,
    /// Memory at a door.
    Memory,
    /// A moment in time.
    Timer,
    /// Tasks to end.
    Tasks,
    /// A peer on the network, or the kernel.
    Socket,
}

impl What {
    /// A wait of the receiving end.
    #[must_use]
    pub const fn received(kind: Kind, ends: Ends) -> Self {
        Self { kind, served_by: ends.from, on_behalf_of: ends.to }
    }

    /// A wait of the sending end.
    #[must_use]
    pub const fn sent(kind: Kind, ends: Ends) -> Self {
        Self { kind, served_by: ends.to, on_behalf_of: ends.from }
    }

    /// A wait for the network.
    #[must_use]
    pub const fn socket(served_by: &'static str) -> Self {
        Self { kind: Kind::Socket, served_by, on_behalf_of: "" }
    }

    pub(crate) const fn timer() -> Self {
        Self { kind: Kind::Timer, served_by: "clock", on_behalf_of: "" }
    }

    pub(crate) const fn tasks() -> Self {
        Self { kind: Kind::Tasks, served_by: "tasks of the scope", on_behalf_of: "" }
    }
}

/// Waits for `future`; the wait is seen by [`snapshot`] while it blocks.
pub async fn observed<F: Future>(what: What, future: F) -> F::Output {
    let mut future = pin!(future);
    let mut entry = None;
    poll_fn(|cx| {
        let polled = future.as_mut().poll(cx);
        if polled.is_pending() && entry.is_none() {
            entry = Some(Entry::open(what));
        }
        polled
    })
    .await
}

/// All waits of the process now, longest first.
#[must_use]
pub fn snapshot() -> Vec<Wait> {
    let mut waits = Vec::new();
    for shard in &SHARDS {
        waits.extend(lock(shard).iter().map(|(_, record)| record.clone()));
    }
    let mut waits: Vec<_> = waits.into_iter().map(Record::shown).collect();
    waits.sort_by(|one, other| one.since.cmp(&other.since).then_with(|| one.task.cmp(&other.task)));
    waits
}

/// Polls under a deadline, which the waits inside then show.
pub(crate) fn with_deadline<T>(deadline: Instant, poll: impl FnOnce() -> T) -> T {
    let _restored = Deadline(DEADLINE.get());
    let nearest = DEADLINE.get().map_or(deadline, |outer| outer.min(deadline));
    DEADLINE.set(Some(nearest));
    poll()
}

/// Restores the deadline around, should the poll panic.
struct Deadline(Option<Instant>);

impl Drop for Deadline {
    fn drop(&mut self) {
        DEADLINE.set(self.0);
    }
}

/// A wait as it is kept: names are made when somebody asks.
#[derive(Clone)]
struct Record {
    task: Option<Arc<Identity>>,
    waits_for: What,
    since: Instant,
    until: Option<Instant>,
}

impl Record {
    fn shown(self) -> Wait {
        let Self { task, waits_for, since, until } = self;
        let task = task.map_or_else(|| "outside of all tasks".to_owned(), |task| task.to_string());
        Wait { task, waits_for, since, until }
    }
}

/// A wait on record. Its record goes when it is dropped.
#[derive(Debug)]
pub(crate) struct Entry {
    shard: usize,
    number: usize,
}

/// Threads are spread over these so that they seldom meet at a lock.
const SHARDS_LEN: usize = 16;

static SHARDS: [Mutex<Slab<Record>>; SHARDS_LEN] = [const { Mutex::new(Slab::new()) }; SHARDS_LEN];
static NEXT_SHARD: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static SHARD: usize = NEXT_SHARD.fetch_add(1, Ordering::Relaxed) % SHARDS_LEN;
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
}

impl Entry {
    /// Puts a wait of the current task on record.
    pub(crate) fn open(waits_for: What) -> Self {
        let (since, until) = (Clock.now(), DEADLINE.get());
        let record = Record { task: current(), waits_for, since, until };
        let shard = SHARD.with(|shard| *shard);
        Self { shard, number: lock(&SHARDS[shard]).insert(record) }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let record = lock(&SHARDS[self.shard]).remove(self.number);
        // It may be the last to know its task's scope, which is not to be dropped under the lock.
        drop(record);
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Item => "an item",
            Kind::Room => "room",
            Kind::Completion => "an answer",
            Kind::Change => "a change",
            Kind::Closing => "the end",
            Kind::Memory => "memory",
            Kind::Timer => "a moment",
            Kind::Tasks => "the end",
            Kind::Socket => "the network",
        };
        write!(f, "{kind} of {}", self.served_by)?;
        if self.on_behalf_of.is_empty() { Ok(()) } else { write!(f, " for {}", self.on_behalf_of) }
    }
}

fn lock(shard: &Mutex<Slab<Record>>) -> MutexGuard<'_, Slab<Record>> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
