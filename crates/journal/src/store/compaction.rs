//! Compaction: moves what counts out of a segment that is mostly dead, so that it can go.
//!
//! One segment at a time, in steps between groups, from the reserve that data cannot take. A record
//! keeps its stream and position. Invariant: what is moved is durable in its new place before the old
//! one counts no more, and what a segment says about others is said anew before it goes.

use std::collections::VecDeque;
use std::io;

use bytes::Bytes;
use runtime::volume::Access;

use super::{HEAD_BYTES_MAX, Store};
use crate::frame::{self, HEADER_BYTES, Kind, Salt};
use crate::index::Segment;
use crate::positions::Place;
use crate::record::Record;
use crate::segment::{Ends, Footer, name_of};
use crate::{Position, StreamId};

/// What one step moves at most, so that appends do not wait long.
const STEP_BYTES_MAX: usize = 1 << 20;

/// Small segments that are put together.
const SMALL_SEGMENTS_MAX: usize = 8;

/// The emptying of one segment.
#[derive(Debug)]
pub(super) struct Compaction {
    source: u32,
    left: VecDeque<(StreamId, Position)>,
    /// Segments that had failed when it began.
    poisoned: u64,
}

impl Store {
    /// Does one step, if a segment is worth it; `false` when there is nothing to do.
    pub(crate) fn compact(&mut self) -> bool {
        if self.compaction.is_none() {
            let Some(source) = self.worth_emptying().filter(|_| !self.is_resting) else {
                return false;
            };
            match self.begin(source) {
                Ok(compaction) => self.compaction = Some(compaction),
                Err(error) => return self.give_up(source, &error),
            }
        }
        let Some(mut compaction) = self.compaction.take() else { return false };
        if let Err(error) = self.step(&mut compaction) {
            return self.give_up(compaction.source, &error);
        }
        if compaction.left.is_empty() {
            self.finish(&compaction);
        } else {
            self.compaction = Some(compaction);
        }
        true
    }

    /// Whether a segment is being emptied.
    pub(crate) fn is_compacting(&self) -> bool {
        self.compaction.is_some()
    }

    /// The segment whose emptying gives most room back for what it costs.
    fn worth_emptying(&self) -> Option<u32> {
        let segment_bytes = u64::from(self.settings.segment_bytes);
        let room = self.room();
        let share = if 0 < self.awaited || room < segment_bytes {
            8
        } else if room < self.settings.data_bytes_max() / 2 {
            2
        } else {
            1
        };
        let index = self.index();
        let small = index.segments.values().filter(|one| one.bytes * 8 <= segment_bytes).count();
        let is_worth = |one: &Segment| {
            let dead = one.dead_bytes();
            let is_mostly_dead = one.bytes * 7 <= dead * 8 || one.bytes <= dead * share;
            let is_small = one.bytes * 8 <= segment_bytes && SMALL_SEGMENTS_MAX < small;
            is_small || (is_mostly_dead && segment_bytes <= dead * 8)
        };
        let idle = index.segments.iter().filter(|(number, one)| {
            let counts = 0 < one.live_bytes || !one.outcomes.is_empty();
            let is_free = !self.is_active(**number) && !self.doomed.contains(number);
            counts && is_free && !one.is_damaged
        });
        let shelter = self.shelter();
        let worth = idle.filter(|(_, one)| is_worth(one) && moved(one) <= shelter);
        worth.max_by_key(|(_, one)| one.dead_bytes() * 1000 / one.bytes.max(1)).map(|(at, _)| *at)
    }

    /// What can be moved although the disk has no room left.
    fn shelter(&self) -> u64 {
        let segment = u64::from(self.settings.segment_bytes);
        let active = self.active.as_ref().map_or(0, |one| segment.saturating_sub(one.bytes_used()));
        active + self.spares.count() as u64 * segment
    }

    fn begin(&mut self, source: u32) -> io::Result<Compaction> {
        let bound = self.index().segments.get(&source).and_then(|segment| segment.bound);
        let file = self.volume.open(&name_of(source), Access::Read)?;
        let salt = Salt { journal: self.journal, segment: source };
        let loaded = Ends::read(file, source)?.load(salt, bound)?;
        let mut left = VecDeque::new();
        for (_, record) in loaded.footer.contents() {
            match record {
                Record::Data { stream, position, .. } => left.push_back((stream, position)),
                Record::Forget { segment, .. } | Record::Undeclare { segment, .. } => {
                    let is_about_another =
                        segment != source && self.index().segments.contains_key(&segment);
                    if is_about_another {
                        self.owed.restore(&record);
                    }
                }
                Record::Declare { .. } => {}
            }
        }
        let index = self.index();
        let is_here = |place: Option<Place>| place.is_some_and(|place| place.segment == source);
        left.retain(|(stream, position)| is_here(index.place(*stream, *position)));
        drop(index);
        left.shrink_to_fit();
        Ok(Compaction { source, left, poisoned: self.counts.poisoned.value() })
    }

    fn step(&mut self, compaction: &mut Compaction) -> io::Result<()> {
        let mut moved = 0;
        while let Some((stream, position)) = compaction.left.front().copied() {
            if STEP_BYTES_MAX <= moved {
                break;
            }
            let place = self.index().place(stream, position);
            if let Some(place) = place.filter(|place| place.segment == compaction.source) {
                self.move_record(stream, position, place)?;
                moved += place.bytes as usize;
            }
            compaction.left.pop_front();
        }
        self.commit(Vec::new());
        if compaction.poisoned != self.counts.poisoned.value() {
            return Err(io::Error::other("the disk failed meanwhile"));
        }
        Ok(())
    }

    fn move_record(
        &mut self,
        stream: StreamId,
        position: Position,
        place: Place,
    ) -> io::Result<()> {
        let bytes = match self.reader.verified(stream, position, place) {
            Ok(bytes) => Bytes::from(bytes),
            Err(error) => return Err(io::Error::other(error.to_string())),
        };
        let length = place.bytes as usize;
        self.ensure(frame::padded(length), Footer::growth(HEAD_BYTES_MAX))
            .map_err(io::Error::other)?;
        let head_bytes = frame::Header::decode(&bytes).map_or(0, |header| header.head_bytes);
        let (head, body) = (HEADER_BYTES..HEADER_BYTES + head_bytes, HEADER_BYTES + head_bytes..);
        let writer = self.active.as_mut().expect("room was ensured");
        let offset = writer.push(Kind::Data, &bytes[head], vec![bytes.slice(body)]);
        let to = Place { segment: writer.number(), offset, ..place };
        self.group.moved(stream, position, (place, to));
        Ok(())
    }

    /// Lets the segment go: what it said is said elsewhere.
    fn finish(&mut self, compaction: &Compaction) {
        if !self.owed.is_only_about(compaction.source) {
            // Not all of it could be said; the segment is tried again.
            self.is_resting = true;
            return;
        }
        if let Some(segment) = self.index().segments.get_mut(&compaction.source) {
            segment.outcomes.clear();
        }
        self.counts.compacted.add(1);
    }

    fn give_up(&mut self, source: u32, error: &io::Error) -> bool {
        self.flush();
        let (volume, file) = (self.volume.name(), name_of(source));
        tracing::warn!(volume, file, %error, "The journal cannot empty a segment; it is kept for now.");
        self.is_resting = true;
        false
    }
}

/// What is to be moved out of a segment at most, repeated in a footer.
fn moved(segment: &Segment) -> u64 {
    let counts = segment.bytes - segment.dead_bytes();
    segment.bytes.min(counts + counts / 2)
}
