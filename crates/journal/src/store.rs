//! Store: the one writer of a directory. It gathers requests into groups, makes each durable with one
//! sync, and answers.
//!
//! Owner: the thread of the journal. Bounds: one group is what waited, cut at a segment's end.
//! Invariant: the index and the answers follow the disk, never the other way; what failed is written
//! anew elsewhere or refused, and never synced again.

mod compaction;
mod flight;
mod group;
#[cfg(mutants)]
pub(crate) mod mutant;
mod roll;
pub(crate) mod spares;
pub(crate) mod syncer;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::io;
use std::ops::{Range, RangeInclusive};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use runtime::metrics::{Counter, Histogram};
use runtime::volume::Volume;

use crate::AppendError;
use crate::frame;
use crate::index::Index;
use crate::reader::Reader;
use crate::record::{RANGES_MAX, Record};
use crate::segment::{Footer, Previous, Writer};
use crate::settings::Settings;
use crate::{Position, StreamId};

use compaction::Compaction;
use flight::Flight;
use group::Group;
use spares::Spares;
use syncer::{InPlace, Syncer};

/// A head has three numbers.
pub(crate) const HEAD_BYTES_MAX: usize = 30;

/// What the owner is asked to do.
pub(crate) enum Request {
    Append(Append),
    Forget(Forget),
    /// Forgets a stream and all its records.
    End(StreamId),
    /// Ends the thread.
    Close,
}

pub(crate) struct Append {
    pub(crate) stream: StreamId,
    pub(crate) weight: u32,
    pub(crate) body: Vec<Bytes>,
    pub(crate) done: AppendDone,
}

pub(crate) struct Forget {
    pub(crate) stream: StreamId,
    pub(crate) ranges: Vec<RangeInclusive<u64>>,
    pub(crate) done: Option<ForgetDone>,
}

/// Told once what became of an append.
pub(crate) type AppendDone = Box<dyn FnOnce(Result<Position, AppendError>) + Send>;

/// Told once that outcomes are durable.
pub(crate) type ForgetDone = Box<dyn FnOnce() + Send>;

/// The one writer of a directory.
pub(crate) struct Store {
    pub(crate) volume: Arc<dyn Volume>,
    pub(crate) settings: Settings,
    pub(crate) journal: u64,
    pub(crate) index: Arc<Mutex<Index>>,
    active: Option<Writer>,
    spares: Spares,
    /// What the disk has no room for of the spares that there are to be.
    spares_lack: u64,
    pub(crate) previous: Previous,
    pub(crate) next_segment: u32,
    /// What is gathered or written, and not being synced.
    group: Group,
    flight: Option<Flight>,
    pub(crate) syncer: Box<dyn Syncer>,
    /// The next positions of streams that have records not yet durable.
    nexts: HashMap<StreamId, u64>,
    /// What counts no more, but is not on disk as such yet.
    pub(crate) owed: Owed,
    waiting_forgets: Vec<ForgetDone>,
    doomed: VecDeque<u32>,
    /// Reads what is moved.
    reader: Reader,
    compaction: Option<Compaction>,
    /// A segment could not be emptied; it is tried again after the next group.
    is_resting: bool,
    pub(crate) counts: Counts,
    /// What the segments have together that take nothing new.
    closed_bytes: u64,
    /// No segment could be opened lately; that was told.
    cannot_open: bool,
    #[cfg(mutants)]
    pub(crate) mutant: Option<mutant::Mutant>,
    /// The largest of the appends that were refused for lack of room since somebody asked.
    refused: Option<u64>,
    /// What must be free before those who were refused are told.
    awaited: u64,
}

/// Outcomes that must be written, by the segment and the stream that they are about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Owed {
    forgotten: BTreeMap<(u32, StreamId), BTreeSet<u64>>,
    undeclared: BTreeSet<(u32, StreamId)>,
}

/// What was done so far. Clones count together.
#[derive(Clone, Debug)]
pub(crate) struct Counts {
    pub(crate) appended: Counter,
    pub(crate) refused: Counter,
    pub(crate) groups: Counter,
    pub(crate) sync_took: Histogram,
    /// Segments that the disk failed to write.
    pub(crate) poisoned: Counter,
    /// Segments that were emptied.
    pub(crate) compacted: Counter,
}

/// Bounds of how long syncs take, in microseconds.
const SYNC_BOUNDS: &[u64] = &[
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000,
    5_000_000, 20_000_000,
];

/// What a store starts from.
pub(crate) struct Start {
    pub(crate) journal: u64,
    pub(crate) index: Index,
    pub(crate) previous: Previous,
    pub(crate) next_segment: u32,
    pub(crate) owed: Owed,
    pub(crate) spares: Spares,
}

impl Store {
    pub(crate) fn new(volume: Arc<dyn Volume>, settings: Settings, start: Start) -> Self {
        let Start { journal, index, previous, next_segment, owed, spares } = start;
        let closed_bytes = index.bytes();
        let index = Arc::new(Mutex::new(index));
        let reader = Reader::new(Arc::clone(&volume), Arc::clone(&index), journal);
        Self {
            volume,
            settings,
            journal,
            index,
            reader,
            compaction: None,
            is_resting: false,
            active: None,
            spares,
            spares_lack: 0,
            previous,
            next_segment,
            group: Group::default(),
            flight: None,
            syncer: Box::new(InPlace::default()),
            nexts: HashMap::new(),
            owed,
            waiting_forgets: Vec::new(),
            doomed: VecDeque::new(),
            counts: Counts::default(),
            closed_bytes,
            cannot_open: false,
            #[cfg(mutants)]
            mutant: None,
            refused: None,
            awaited: 0,
        }
    }

    /// Notes on the disk that all is on it, when nothing else is to be done.
    pub(crate) fn mark(&mut self) {
        let Some(writer) = self.active.as_mut().filter(|writer| writer.is_to_be_marked()) else {
            return;
        };
        if !writer.fits(64, 0) {
            // The footer says it, too.
            self.seal();
        } else if let Err(error) = writer.mark() {
            self.poison(&error);
        }
    }

    /// Whether something could not be done and is to be tried again.
    pub(crate) fn is_owing(&self) -> bool {
        let is_written = self.owed.is_empty() && self.waiting_forgets.is_empty();
        let is_waited_for = 0 < self.awaited && !self.spares.is_complete();
        !is_written || !self.doomed.is_empty() || is_waited_for || 0 < self.lacks()
    }

    fn stage_append(&mut self, append: Append) {
        let Append { stream, weight, body, done } = append;
        let bytes = body.iter().map(Bytes::len).sum();
        if let Err(error) = self.see_to_room(stream, bytes) {
            if error == AppendError::Full {
                self.refused = self.refused.max(Some(framed(bytes) as u64));
            }
            self.counts.refused.add(1);
            return done(Err(error));
        }
        let position = self.next_position(stream);
        self.push_data(Record::Data { stream, position, weight }, body, done);
    }

    /// Sees to room for a record and, before it, the declaration of its stream.
    fn see_to_room(&mut self, stream: StreamId, bytes: usize) -> Result<(), AppendError> {
        self.admit(stream, bytes)?;
        self.ensure_declared(stream)?;
        self.ensure_for_data(framed(bytes), Footer::growth(HEAD_BYTES_MAX))?;
        // The group with the declaration may have failed just now.
        if self.undeclared_name(stream).is_none() {
            return Ok(());
        }
        Err(AppendError::Failed { error: "the stream could not be declared".to_owned() })
    }

    fn ensure_declared(&mut self, stream: StreamId) -> Result<(), AppendError> {
        let Some(name) = self.undeclared_name(stream) else { return Ok(()) };
        let bytes = name.len() + HEAD_BYTES_MAX;
        self.ensure_for_data(frame::padded(bytes), Footer::growth(bytes))?;
        self.push_declaration(stream);
        Ok(())
    }

    /// Refuses what cannot be taken, now or ever.
    fn admit(&self, stream: StreamId, bytes: usize) -> Result<(), AppendError> {
        let bytes_max = self.settings.body_bytes_max();
        if bytes_max < bytes {
            return Err(AppendError::TooLarge { bytes, bytes_max });
        }
        let index = self.index();
        if !index.streams.contains_key(&stream) {
            return Err(AppendError::NoStream);
        }
        let records = index.live_records + self.unsettled().map(Group::appends).sum::<u64>();
        drop(index);
        if self.room() < framed(bytes) as u64 || self.settings.records_max <= records {
            return Err(AppendError::Full);
        }
        Ok(())
    }

    /// Bytes that data may still take.
    pub(crate) fn room(&self) -> u64 {
        let active = self.active.as_ref().map_or(0, Writer::bytes_used);
        self.settings.data_bytes_max().saturating_sub(self.closed_bytes + active)
    }

    /// Whether an append was refused for lack of room since this was asked last.
    pub(crate) fn take_refused(&mut self) -> bool {
        let refused = self.refused.take();
        self.awaited = self.awaited.max(refused.unwrap_or(0));
        refused.is_some()
    }

    /// Whether there is room again for what was refused.
    pub(crate) fn has_room(&mut self) -> bool {
        let has_room = self.awaited <= self.room()
            && self.spares.is_complete()
            && self.index().live_records < self.settings.records_max;
        if has_room {
            self.awaited = 0;
        }
        has_room
    }

    fn undeclared_name(&self, stream: StreamId) -> Option<Bytes> {
        let index = self.index();
        let known = &index.streams[&stream];
        let is_declared =
            !known.declared_in.is_empty() || self.unsettled().any(|group| group.declares(stream));
        if is_declared { None } else { known.name.clone() }
    }

    fn next_position(&mut self, stream: StreamId) -> Position {
        let settled = self.index().streams[&stream].next;
        let next = self.nexts.entry(stream).or_insert(settled);
        *next += 1;
        Position(*next - 1)
    }

    /// The groups that are not answered for.
    fn unsettled(&self) -> impl Iterator<Item = &Group> {
        self.flight.as_ref().map(|flight| &flight.group).into_iter().chain([&self.group])
    }

    fn stage_forget(&mut self, forget: Forget) {
        let Forget { stream, ranges, done } = forget;
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        for range in ranges {
            for (position, place) in index.within(stream, range) {
                index.forget(stream, position);
                self.owed.forget(place.segment, stream, position);
            }
        }
        drop(index);
        self.waiting_forgets.extend(done);
    }

    fn stage_end(&mut self, stream: StreamId) {
        // What is staged for it becomes known first, so that it ends, too.
        self.flush();
        self.stage_forget(Forget { stream, ranges: vec![0..=u64::MAX], done: None });
        let declared_in = self.index().end(stream);
        self.owed.undeclared.extend(declared_in.into_iter().map(|segment| (segment, stream)));
    }

    /// Puts what counts no more into the group.
    fn stage_owed(&mut self) {
        let poisoned = self.counts.poisoned.value();
        while let Some((target, record)) = self.owed.next() {
            let bytes = record.encoded().len();
            let ensured = self.ensure(frame::padded(bytes), Footer::growth(bytes));
            // What failed is owed again; a disk that fails always must not keep us here.
            if ensured.is_err() || poisoned != self.counts.poisoned.value() {
                return;
            }
            self.owed.settle(target, &record);
            if self.index().segments.contains_key(&target) {
                self.push_outcome(target, record);
            }
        }
        self.group.forgets.append(&mut self.waiting_forgets);
    }

    pub(crate) fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_active(&self, segment: u32) -> bool {
        self.active.as_ref().is_some_and(|active| active.number() == segment)
    }
}

impl Default for Counts {
    fn default() -> Self {
        let [appended, refused, groups, poisoned, compacted] = Default::default();
        let sync_took = Histogram::of_durations(SYNC_BOUNDS);
        Self { appended, refused, groups, sync_took, poisoned, compacted }
    }
}

impl Owed {
    pub(crate) fn forget(&mut self, segment: u32, stream: StreamId, position: Position) {
        self.forgotten.entry((segment, stream)).or_default().insert(position.0);
    }

    pub(crate) fn undeclare(&mut self, segment: u32, stream: StreamId) {
        self.undeclared.insert((segment, stream));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.forgotten.is_empty() && self.undeclared.is_empty()
    }

    /// Whether nothing is owed but what goes with `segment`.
    fn is_only_about(&self, segment: u32) -> bool {
        self.forgotten.keys().all(|(target, _)| *target == segment)
            && self.undeclared.iter().all(|(target, _)| *target == segment)
    }

    /// Whether the end of a stream that `segment` declares is not written.
    fn is_to_undeclare(&self, segment: u32) -> bool {
        let of_segment = (segment, StreamId(0))..=(segment, StreamId(u32::MAX));
        self.undeclared.range(of_segment).next().is_some()
    }

    /// The next record to write, and the segment that it is about.
    fn next(&self) -> Option<(u32, Record<'static>)> {
        if let Some(((segment, stream), positions)) = self.forgotten.first_key_value() {
            let (segment, stream) = (*segment, *stream);
            return Some((segment, Record::Forget { stream, segment, ranges: ranges(positions) }));
        }
        let (segment, stream) = *self.undeclared.first()?;
        Some((segment, Record::Undeclare { stream, segment }))
    }

    /// Takes out what `record` says.
    pub(crate) fn settle(&mut self, target: u32, record: &Record<'_>) {
        match record {
            Record::Forget { stream, ranges, .. } => {
                let Some(positions) = self.forgotten.get_mut(&(target, *stream)) else { return };
                for range in ranges {
                    let after = positions.split_off(&range.start).split_off(&range.end);
                    positions.extend(after);
                }
                if positions.is_empty() {
                    self.forgotten.remove(&(target, *stream));
                }
            }
            Record::Undeclare { stream, .. } => {
                self.undeclared.remove(&(target, *stream));
            }
            Record::Data { .. } | Record::Declare { .. } => {}
        }
    }

    /// Puts back what `record` says.
    fn restore(&mut self, record: &Record<'_>) {
        match record {
            Record::Forget { stream, segment, ranges } => {
                let positions = self.forgotten.entry((*segment, *stream)).or_default();
                positions.extend(ranges.iter().cloned().flatten());
            }
            Record::Undeclare { stream, segment } => self.undeclare(*segment, *stream),
            Record::Data { .. } | Record::Declare { .. } => {}
        }
    }

    /// Drops what is about segments that are gone.
    pub(crate) fn retain(&mut self, is_there: impl Fn(u32) -> bool) {
        self.forgotten.retain(|(target, _), _| is_there(*target));
        self.undeclared.retain(|(target, _)| is_there(*target));
    }
}

/// As ranges, the first few.
fn ranges(positions: &BTreeSet<u64>) -> Vec<Range<u64>> {
    let mut ranges: Vec<Range<u64>> = Vec::new();
    for position in positions {
        let count = ranges.len();
        match ranges.last_mut() {
            Some(last) if last.end == *position => last.end += 1,
            _ if count == RANGES_MAX => break,
            _ => ranges.push(*position..*position + 1),
        }
    }
    ranges
}

/// What a record with a body of `bytes` takes at most.
fn framed(bytes: usize) -> usize {
    frame::padded(bytes + HEAD_BYTES_MAX)
}

/// Why the disk did not do it, as callers are told.
fn refused(error: &io::Error) -> AppendError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => AppendError::Full,
        _ => AppendError::Failed { error: error.to_string() },
    }
}

#[cfg(test)]
pub(crate) mod tests;
