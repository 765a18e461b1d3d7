//! Index: which records live, and where; which segments may go.
//!
//! Owner: the thread of the journal; the reader and the handles look into it under a lock that is held
//! for work in memory only. Bounds: `records_max` and `streams_max` of the settings.
//! Invariant: what a segment proves (records, the next position of a stream, what was forgotten in
//! older segments) lives elsewhere before it goes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::RangeBounds;

use bytes::Bytes;

use crate::frame;
use crate::positions::{Place, Positions};
use crate::segment::Previous;
use crate::{Damage, Position, StreamId};

/// Streams, their live records, and segments.
#[derive(Debug, Default)]
pub(crate) struct Index {
    pub(crate) streams: BTreeMap<StreamId, Stream>,
    names: HashMap<Bytes, StreamId>,
    pub(crate) segments: BTreeMap<u32, Segment>,
    pub(crate) next_stream: u32,
    pub(crate) live_records: u64,
    pub(crate) live_bytes: u64,
}

/// One stream.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    /// `None` until its declaration was found.
    pub(crate) name: Option<Bytes>,
    pub(crate) next: u64,
    pub(crate) live: Positions,
    pub(crate) live_bytes: u64,
    pub(crate) live_weight: u64,
    /// The segments that declare it; the last one counts.
    pub(crate) declared_in: BTreeSet<u32>,
    /// The segment without which its next position would not be known.
    pub(crate) proven_in: u32,
    pub(crate) damage: Option<Damage>,
}

/// One segment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Segment {
    /// The length of its file.
    pub(crate) bytes: u64,
    /// Frames of live data.
    pub(crate) live_bytes: u64,
    /// Frames that say what counts no more in other segments, by those.
    pub(crate) outcomes: BTreeMap<u32, u64>,
    /// It ended without a footer, because the disk failed.
    pub(crate) is_poisoned: bool,
    /// Where it ended then.
    pub(crate) bound: Option<Previous>,
    /// The segment before it, whose end only this one knows while that has no footer.
    pub(crate) previous: u32,
    /// Something in it cannot be read, so it is kept.
    pub(crate) is_damaged: bool,
}

impl Index {
    /// The stream of this name; a new one if there was none and there is room.
    pub(crate) fn stream_named(&mut self, name: &Bytes, streams_max: usize) -> Option<StreamId> {
        if let Some(id) = self.names.get(name) {
            return Some(*id);
        }
        if streams_max <= self.streams.len() {
            return None;
        }
        let id = StreamId(self.next_stream);
        self.next_stream += 1;
        self.declare(id, name.clone());
        Some(id)
    }

    /// Gives a stream its name.
    pub(crate) fn declare(&mut self, id: StreamId, name: Bytes) {
        self.next_stream = self.next_stream.max(id.0.saturating_add(1));
        self.names.insert(name.clone(), id);
        self.streams.entry(id).or_default().name = Some(name);
    }

    /// Removes a stream that has no live records; gives the segments that declare it.
    pub(crate) fn end(&mut self, id: StreamId) -> BTreeSet<u32> {
        let Some(stream) = self.streams.remove(&id) else { return BTreeSet::new() };
        debug_assert_eq!(stream.live.len(), 0, "its records were forgotten before");
        if let Some(name) = &stream.name
            && self.names.get(name) == Some(&id)
        {
            self.names.remove(name);
        }
        stream.declared_in
    }

    /// Adds a record, or moves it to another place; gives where it was.
    pub(crate) fn insert(
        &mut self,
        id: StreamId,
        position: Position,
        place: Place,
    ) -> Option<Place> {
        let stream = self.streams.entry(id).or_default();
        if stream.next <= position.0 {
            stream.next = position.0 + 1;
            stream.proven_in = place.segment;
        } else if stream.next == position.0 + 1 {
            stream.proven_in = stream.proven_in.max(place.segment);
        }
        let before = stream.live.insert(position.0, place);
        stream.live_bytes += u64::from(place.bytes);
        stream.live_weight += u64::from(place.weight);
        self.live_bytes += u64::from(place.bytes);
        match before {
            // A copy is as large as what it was made of, unless the file was written by others.
            Some(before) => {
                stream.live_bytes -= u64::from(before.bytes);
                stream.live_weight -= u64::from(before.weight);
                self.live_bytes -= u64::from(before.bytes);
                self.leave_segment(before);
            }
            None => self.live_records += 1,
        }
        self.segments.entry(place.segment).or_default().live_bytes += framed(place);
        before
    }

    /// Removes a record; gives where it stood.
    pub(crate) fn forget(&mut self, id: StreamId, position: Position) -> Option<Place> {
        let stream = self.streams.get_mut(&id)?;
        let place = stream.live.remove(position.0)?;
        stream.live_bytes -= u64::from(place.bytes);
        stream.live_weight -= u64::from(place.weight);
        if stream.damage.as_ref().is_some_and(|damage| damage.position == position) {
            stream.damage = None;
        }
        self.live_records -= 1;
        self.live_bytes -= u64::from(place.bytes);
        self.leave_segment(place);
        Some(place)
    }

    /// Where a record stands, if it lives.
    pub(crate) fn place(&self, id: StreamId, position: Position) -> Option<Place> {
        self.streams.get(&id)?.live.place(position.0)
    }

    /// The live records of a stream in `range`.
    pub(crate) fn within(
        &self,
        id: StreamId,
        range: impl RangeBounds<u64>,
    ) -> Vec<(Position, Place)> {
        let Some(stream) = self.streams.get(&id) else { return Vec::new() };
        stream.live.within(range).map(|(at, place)| (Position(at), place)).collect()
    }

    /// Notes a frame in `segment` that says what counts no more in `target`.
    pub(crate) fn add_outcome(&mut self, segment: u32, target: u32, bytes: usize) {
        if segment != target && self.segments.contains_key(&target) {
            let outcomes = &mut self.segments.entry(segment).or_default().outcomes;
            *outcomes.entry(target).or_default() += frame::padded(bytes) as u64;
        }
    }

    /// The streams that must be declared elsewhere before `segment` goes.
    pub(crate) fn proven_by(&self, segment: u32) -> Vec<StreamId> {
        let is_needed = |stream: &Stream| {
            let declared = stream.declared_in.last() == Some(&segment);
            declared || (stream.proven_in == segment && !stream.declared_in.is_empty())
        };
        let needed = self.streams.iter().filter(|(_, stream)| is_needed(stream));
        needed.map(|(id, _)| *id).collect()
    }

    /// Whether nothing in `segment` counts but what [`Index::proven_by`] names.
    pub(crate) fn is_dead(&self, segment: u32) -> bool {
        let Some(segment) = self.segments.get(&segment) else { return false };
        let bounds = self.segments.get(&segment.previous).is_some_and(|one| one.is_poisoned);
        segment.live_bytes == 0 && segment.outcomes.is_empty() && !bounds
    }

    /// Takes a segment out whose file is gone; gives what it had.
    pub(crate) fn remove_segment(&mut self, number: u32) -> u64 {
        let removed = self.segments.remove(&number);
        for segment in self.segments.values_mut() {
            segment.outcomes.remove(&number);
        }
        for stream in self.streams.values_mut() {
            stream.declared_in.remove(&number);
        }
        removed.map_or(0, |segment| segment.bytes)
    }

    /// What all files have together.
    pub(crate) fn bytes(&self) -> u64 {
        self.segments.values().map(|segment| segment.bytes).sum()
    }

    fn leave_segment(&mut self, place: Place) {
        if let Some(segment) = self.segments.get_mut(&place.segment) {
            segment.live_bytes -= framed(place);
        }
    }
}

impl Segment {
    /// What would be free if only that was left which counts.
    pub(crate) fn dead_bytes(&self) -> u64 {
        let outcomes: u64 = self.outcomes.values().sum();
        self.bytes.saturating_sub(self.live_bytes + outcomes)
    }
}

fn framed(place: Place) -> u64 {
    frame::padded(place.bytes as usize) as u64
}
