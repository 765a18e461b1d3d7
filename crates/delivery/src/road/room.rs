//! Room: what may be held at once, taken by an edge before it hands anything over.
//!
//! Bounds: the exporter's share of memory, and three times what stays free in the process, so that
//! several that are stuck leave some to the others; the queue's size, when who does not fit is
//! refused.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use journal::Journal;
use pipeline::{Environment, Need};
use runtime::budget::{Budget, Permit};

use crate::settings::{Queue, Sizer};

/// Memory that an envelope is charged at least.
const BYTES_MIN: usize = 4096;
/// What an exporter may hold for each byte that stays free in the process. One that is stuck takes
/// three quarters at most, the next three quarters of the rest, and so on.
const HELD_PER_FREE: usize = 3;

pub(super) struct Room {
    sizer: Sizer,
    /// `None` when there is no queue, or when who does not fit waits in it.
    size_max: Option<usize>,
    /// The size of the queue, if there is one.
    pub(super) capacity: Option<usize>,
    used: AtomicUsize,
    /// What is on disk takes this much of the queue.
    stored: AtomicUsize,
    share: Budget,
    process: Budget,
    /// Where it is to be stored, when that is open.
    journal: OnceLock<Journal>,
    is_closed: AtomicBool,
    is_crowded: AtomicBool,
}

/// The room of one envelope, until it is dropped.
pub(super) struct Slot {
    pub(super) size: usize,
    taken: usize,
    room: Arc<Room>,
    memory: Permit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRoom {
    Closed,
    /// It does not even fit into an empty queue.
    TooLarge {
        size: usize,
        capacity: usize,
    },
    QueueFull,
    MemoryFull,
    JournalFull,
}

impl Room {
    pub(super) fn new(env: &Environment, queue: Option<&Queue>) -> Self {
        let capacity = queue.map(|queue| queue.queue_size);
        let is_parking = queue.is_some_and(|queue| queue.block_on_overflow);
        Self {
            sizer: queue.map_or(Sizer::Requests, |queue| queue.sizer),
            size_max: capacity.filter(|_| !is_parking),
            capacity,
            used: AtomicUsize::new(0),
            stored: AtomicUsize::new(0),
            share: Budget::root(format!("{}/held", env.id), part_of(&env.budget)),
            process: env.budget.clone(),
            journal: OnceLock::new(),
            is_closed: AtomicBool::new(false),
            is_crowded: AtomicBool::new(false),
        }
    }

    pub(super) fn reserve(self: &Arc<Self>, need: &Need<'_>) -> Result<Slot, NoRoom> {
        if self.is_closed.load(Ordering::Acquire) {
            return Err(NoRoom::Closed);
        }
        let size = match self.sizer {
            Sizer::Requests => 1,
            Sizer::Items => need.items,
            Sizer::Bytes => need.bytes_encoded,
        };
        if let Some(capacity) = self.capacity.filter(|capacity| *capacity < size) {
            return Err(NoRoom::TooLarge { size, capacity });
        }
        if need.is_shared && !self.journal_has_room(need.bytes_encoded) {
            return Err(NoRoom::JournalFull);
        }
        let memory = self.take_memory(need.bytes.max(BYTES_MIN)).ok_or(NoRoom::MemoryFull)?;
        let taken = self.take(size).ok_or(NoRoom::QueueFull)?;
        Ok(Slot { size, taken, room: Arc::clone(self), memory })
    }

    /// What is taken from now on is stored in `journal`.
    pub(super) fn is_stored_in(&self, journal: Journal) {
        self.journal.get_or_init(|| journal);
    }

    /// Who alone has the data may wait for room on disk; here others would have it meanwhile.
    fn journal_has_room(&self, bytes: usize) -> bool {
        self.journal.get().is_none_or(|journal| journal.has_room_for(bytes))
    }

    /// The exporter's share of the memory: a quarter stays free for the others, whatever happens to
    /// this destination. It follows the limit of the process, which a reload may change.
    pub(super) fn bytes_max(&self) -> usize {
        part_of(&self.process)
    }

    /// What is on disk takes `size` of the queue.
    pub(super) fn set_stored(&self, size: usize) {
        self.stored.store(size, Ordering::Release);
    }

    /// Refuses everything from now on.
    pub(super) fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
    }

    /// Notes that someone was refused; whether the owner does not know yet.
    pub(super) fn note_crowded(&self) -> bool {
        !self.is_crowded.swap(true, Ordering::AcqRel)
    }

    /// The owner knows: the next one is news again.
    pub(super) fn crowded_seen(&self) {
        self.is_crowded.store(false, Ordering::Release);
    }

    /// The edge has taken the bytes from the process already; here it is about whose they become.
    fn take_memory(&self, bytes: usize) -> Option<Permit> {
        let bytes_max = self.bytes_max();
        if self.share.bytes_max() != bytes_max {
            self.share.set_bytes_max(bytes_max);
        }
        let memory = self.share.try_take(bytes)?;
        let bytes_max = self.process.bytes_free().saturating_mul(HELD_PER_FREE);
        (self.share.bytes_used() <= bytes_max).then_some(memory)
    }

    fn take(&self, size: usize) -> Option<usize> {
        let Some(size_max) = self.size_max else { return Some(0) };
        let stored = self.stored.load(Ordering::Acquire);
        let size_max = size_max.saturating_sub(stored);
        let fits = |used: usize| used.checked_add(size).filter(|total| *total <= size_max);
        let taken = self.used.fetch_update(Ordering::AcqRel, Ordering::Relaxed, fits);
        taken.is_ok().then_some(size)
    }
}

fn part_of(process: &Budget) -> usize {
    process.bytes_max() / 4 * 3
}

impl Slot {
    /// Parts with the room of one piece: its items, of so many bytes. What all pieces take of the
    /// queue is what the whole took; a request of many pieces is still one request.
    pub(super) fn try_split(&mut self, items: usize, bytes: usize) -> Option<Self> {
        let memory = self.memory.try_split(bytes.max(BYTES_MIN))?;
        let size = match self.room.sizer {
            Sizer::Requests => 1,
            Sizer::Items => items,
            Sizer::Bytes => bytes,
        };
        let size = size.min(self.size);
        let taken = size.min(self.taken);
        self.size -= size;
        self.taken -= taken;
        Some(Self { size, taken, room: Arc::clone(&self.room), memory })
    }

    /// The memory that is taken.
    pub(super) fn bytes(&self) -> usize {
        self.memory.bytes()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.room.used.fetch_sub(self.taken, Ordering::AcqRel);
    }
}
