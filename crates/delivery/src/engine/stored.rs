//! Stored: entries of the queue that are on disk until they end.
//!
//! An envelope is written first; then it is owed, without deadline and without withdrawal. What
//! finds no room in the window is dropped from memory and read again when its turn comes: lanes keep
//! a place in their stream and a count, not entries.
//! Bounds: the window in bytes, and one entry beyond it. Invariant: an entry is forgotten only after
//! all of it was delivered, or its refusal was recorded; until then it can be read again.

mod ending;
mod patience;
mod reading;
mod returning;
mod writing;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;
use std::time::Instant;

use pipeline::Status;

use super::batch::Batch;
use super::health::Charge;
use super::lanes::LaneId;
use super::{Arrived, Engine, EnvelopeId, LaneKey, MemberId};
use crate::settings::{Exhausted, Sizer, Store};

use self::patience::Patience;
use self::writing::Writing;

/// The place of an entry in the stream of its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Position(pub(crate) u64);

/// An entry that the journal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) position: Position,
    /// Its size on disk.
    pub(crate) bytes: usize,
}

/// Why the journal did not take an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotWritten {
    /// There is no room; it is tried again when there is some.
    Full,
    /// Its caller is to send it again.
    Failed(Status),
    /// It never will.
    Refused(Status),
}

/// An entry that was read.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    pub(crate) envelope: EnvelopeId,
    pub(crate) position: Position,
    pub(crate) bytes: usize,
    /// Its contributors. Their deadlines are over.
    pub(crate) members: Vec<Arrived>,
    /// When it is given up.
    pub(crate) expires: Option<Instant>,
}

/// Why nothing was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotRead {
    /// It may succeed later.
    Failed(Status),
    /// What is on disk is damaged: nothing behind it is read any more.
    Damaged(Status),
}

/// What a stream of an earlier run holds.
#[derive(Clone, Debug)]
pub(crate) struct Recovered {
    pub(crate) key: LaneKey,
    pub(crate) entries: usize,
    /// What they take of the queue, in its unit.
    pub(crate) size: usize,
}

/// Items whose refusal is to be recorded, counted from the first of their entry.
pub(crate) type Refused = Vec<(Range<usize>, Status)>;

/// What the engine knows about its journal.
#[derive(Clone, Debug, Default)]
pub(super) struct Stored {
    /// Being written, or waiting to be.
    writing: BTreeMap<EnvelopeId, Writing>,
    /// Those for which there was no room in the journal, in order.
    unwritten: VecDeque<EnvelopeId>,
    /// When they are tried again at the latest.
    write_again_at: Option<Instant>,
    /// In memory and on disk.
    entries: BTreeMap<EnvelopeId, Entry>,
    /// Bytes of `entries`, and those set aside for reads under way.
    window_used: usize,
    /// The part of lanes that are not proven.
    unproven_used: usize,
    /// Entries whose refusal is being recorded.
    burying: usize,
    /// What is stored takes this much of the queue.
    size: usize,
    /// Lanes that may read when there is room in the window.
    readers: VecDeque<LaneId>,
    /// Lanes that wait until others that are not proven need less of the window.
    unproven_readers: VecDeque<LaneId>,
    patience: Patience,
    /// When refusals that could not be recorded are recorded again.
    burials: BTreeSet<(Instant, EnvelopeId)>,
    /// Batches that were given up, but are stored: what happens to them is decided last.
    kept: Vec<Kept>,
}

/// An entry in memory.
#[derive(Clone, Debug)]
struct Entry {
    lane: LaneId,
    position: Position,
    /// What it takes of the window.
    bytes: usize,
    /// What it takes of the queue.
    size: usize,
    members: Vec<Shelved>,
    refused: Refused,
    /// All of it ended, and its refusal is being recorded.
    is_burying: bool,
}

/// A member of an entry, and which of its items it has.
#[derive(Clone, Debug)]
struct Shelved {
    id: MemberId,
    start: usize,
    items: usize,
}

/// A batch that is stored, to be sent again.
#[derive(Clone, Debug)]
struct Kept {
    lane: LaneId,
    batch: Batch,
    due: Due,
}

/// When a batch is sent again at the earliest.
#[derive(Clone, Debug)]
enum Due {
    At(Instant),
    /// After the longest wait, because it was given up for this reason.
    Longest(Status),
}

/// What of a lane is on disk.
#[derive(Clone, Debug, Default)]
pub(super) struct Backlog {
    /// Entries that are on disk only.
    entries: usize,
    /// What they take of the queue.
    size: usize,
    /// Everything up to here came to memory, but for what was returned.
    after: Option<Position>,
    /// The bytes set aside for the read under way.
    reading: Option<usize>,
    /// Something was returned during the read under way.
    is_rewound: bool,
    /// In memory.
    loaded: BTreeSet<Position>,
    bytes_loaded: usize,
    /// The part of them that counts as unproven.
    bytes_unproven: usize,
    /// Ended during the read under way, which may still bring them.
    ended: BTreeSet<Position>,
    /// Envelopes being written.
    writing: usize,
    is_queued: bool,
    damage: Option<Status>,
    trouble: Option<Trouble>,
}

/// What a batch inherits from those that were returned to its lane before it.
#[derive(Clone, Copy, Debug)]
struct Trouble {
    first_attempt: Option<Instant>,
    interval: Option<std::time::Duration>,
}

impl Entry {
    fn new(
        lane: LaneId,
        (position, bytes): (Position, usize),
        size: usize,
        members: Vec<Shelved>,
    ) -> Self {
        Self { lane, position, bytes, size, members, refused: Vec::new(), is_burying: false }
    }
}

impl Backlog {
    /// Whether the lane can be forgotten.
    pub(super) fn is_empty(&self) -> bool {
        self.entries == 0 && self.writing == 0 && self.reading.is_none() && self.loaded.is_empty()
    }
}

impl Backlog {
    /// Whether something waits on disk, or what is there is damaged.
    pub(super) fn is_waiting(&self) -> bool {
        0 < self.entries || self.damage.is_some()
    }

    pub(super) fn explain(&self) -> String {
        let entries = self.entries;
        match &self.damage {
            Some(damage) => format!("{entries} requests wait on disk behind damage: {damage}"),
            None => format!("{entries} requests wait on disk for their turn"),
        }
    }
}

impl Position {
    fn before(self) -> Option<Self> {
        self.0.checked_sub(1).map(Self)
    }
}

impl Engine {
    /// What is stored takes this much of the queue.
    pub(crate) fn stored_size(&self) -> usize {
        self.stored.size
    }

    pub(super) fn store(&self) -> Option<&Store> {
        self.rules.settings.queue.as_ref()?.store.as_ref()
    }

    /// Whether what cannot be delivered for now is kept.
    fn is_keeping(&self) -> bool {
        self.store().is_some_and(|store| store.on_exhausted == Exhausted::Keep)
    }

    /// What an earlier run left behind; before anything arrives.
    pub(super) fn recovered(&mut self, recovered: Recovered, now: Instant) {
        let Recovered { key, entries, size } = recovered;
        let id = self.lane_of_stream(key, now);
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.backlog.entries += entries;
            lane.backlog.size += size;
        }
        self.hold(id, Charge { size, bytes: 0 });
        self.admission.hold(size);
        self.stored.size += size;
        self.want(id);
    }

    /// When something stored is to be looked at.
    pub(super) fn next_of_store(&self) -> Option<Instant> {
        let burial = self.stored.burials.first().map(|(at, _)| *at);
        let write = self.stored.write_again_at.filter(|_| !self.stored.unwritten.is_empty());
        [self.next_impatient(), burial, write].into_iter().flatten().min()
    }

    pub(super) fn tend_store_timers(&mut self, now: Instant) {
        self.answer_impatient(now);
        if self.stored.write_again_at.is_some_and(|at| at <= now) {
            self.write_waiting();
        }
        self.bury_again(now);
    }

    /// Whether a refusal is being recorded.
    pub(super) fn is_burying(&self) -> bool {
        0 < self.stored.burying
    }

    /// Decides about what was given up in this step, then reads what there is room for.
    pub(super) fn tend_store(&mut self, now: Instant) {
        if self.store().is_none() {
            return;
        }
        self.return_kept(now);
        if self.ends_at.is_some() {
            self.unload_resting();
        } else {
            self.read_ahead(now);
        }
    }

    /// What an entry takes of the queue.
    fn size_in_queue(&self, items: usize, bytes: usize) -> usize {
        match self.rules.settings.queue.as_ref().map(|queue| queue.sizer) {
            Some(Sizer::Bytes) => bytes,
            Some(Sizer::Items) => items,
            _ => 1,
        }
    }

    /// Counts the window of a lane as proven or not, as it is now.
    pub(super) fn recount(&mut self, id: LaneId) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        let bytes = if lane.is_proven { 0 } else { lane.backlog.bytes_loaded };
        self.stored.unproven_used += bytes;
        self.stored.unproven_used -= std::mem::replace(&mut lane.backlog.bytes_unproven, bytes);
    }
}

#[cfg(test)]
impl Engine {
    /// The window adds up to what is in it.
    pub(crate) fn check_window(&self) {
        let entries = self.stored.entries.values().map(|entry| entry.bytes).sum::<usize>();
        let ids = self.lanes.ids();
        let lanes = || ids.iter().filter_map(|id| self.lanes.get(id));
        let reads = lanes().filter_map(|lane| lane.backlog.reading).sum::<usize>();
        assert_eq!(self.stored.window_used, entries + reads);
        let unproven = lanes().map(|lane| lane.backlog.bytes_unproven).sum::<usize>();
        assert_eq!(self.stored.unproven_used, unproven);
        let burying = self.stored.entries.values().filter(|entry| entry.is_burying).count();
        assert_eq!(self.stored.burying, burying);
    }
}
