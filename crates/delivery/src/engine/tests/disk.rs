//! A disk behind the world of one engine: streams of records, and what was asked of them.

use std::collections::{BTreeMap, VecDeque};

use pipeline::{Outcome, Status, Verdict};

use super::world::{Caller, World};
use crate::engine::{
    Action, Arrived, Engine, EnvelopeId, Event, LaneId, LaneKey, Loaded, MemberId, NotRead,
    NotWritten, Position, Recovered, Refused, Slice, Start, Written,
};
use crate::settings::Sizer;

#[derive(Clone, Debug, Default)]
pub(super) struct Disk {
    streams: BTreeMap<LaneKey, Stream>,
    keys: BTreeMap<EnvelopeId, LaneKey>,
    members: BTreeMap<EnvelopeId, Vec<(MemberId, usize)>>,
    places: BTreeMap<EnvelopeId, (LaneKey, Position)>,
    /// Callers that wait for what is on disk only.
    absent: BTreeMap<(LaneKey, Position), Vec<MemberId>>,
    pub(super) writes: VecDeque<EnvelopeId>,
    pub(super) reads: VecDeque<Read>,
    pub(super) burials: VecDeque<EnvelopeId>,
    pub(super) buried: usize,
}

#[derive(Clone, Debug, Default)]
struct Stream {
    next: u64,
    records: BTreeMap<Position, Record>,
}

#[derive(Clone, Debug)]
struct Record {
    /// The items of each contributor.
    sizes: Vec<usize>,
    items: Vec<End>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum End {
    #[default]
    Open,
    /// It was sent, and is owed still.
    Tried,
    Delivered,
    Refused,
    /// Its caller was told that nobody knows, or took it back.
    Excused,
}

impl End {
    fn tried(self) -> Self {
        if self == Self::Open { Self::Tried } else { self }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Read {
    lane: LaneId,
    key: LaneKey,
    after: Option<Position>,
    pub(super) bytes_max: usize,
}

impl Disk {
    pub(super) fn arrived(
        &mut self,
        envelope: EnvelopeId,
        key: &LaneKey,
        members: &[(MemberId, usize)],
    ) {
        self.keys.insert(envelope, key.clone());
        self.members.insert(envelope, members.to_vec());
    }

    /// Entries on disk.
    pub(super) fn len(&self) -> usize {
        self.streams.values().map(|stream| stream.records.len()).sum()
    }

    /// The last `count` entries of each stream are not there after all.
    pub(super) fn lose(&mut self, count: usize) {
        for stream in self.streams.values_mut() {
            (0..count).for_each(|_| drop(stream.records.pop_last()));
        }
    }

    pub(super) fn is_asked(&self) -> bool {
        !self.writes.is_empty() || !self.reads.is_empty() || !self.burials.is_empty()
    }

    fn record_of(&mut self, envelope: EnvelopeId) -> Option<&mut Record> {
        let (key, position) = self.places.get(&envelope)?;
        self.streams.get_mut(key)?.records.get_mut(position)
    }

    fn start_of(&self, envelope: EnvelopeId, member: MemberId) -> usize {
        let before = self.members[&envelope].iter().take_while(|(id, _)| *id != member);
        before.map(|(_, items)| items).sum()
    }

    /// What is sent was not delivered before; where order is promised, nothing passes what was sent
    /// before it and is owed still.
    pub(super) fn started(&mut self, start: &Start, is_ordered: bool) {
        let first = start.parts.first().and_then(|part| self.places.get(&part.envelope));
        if let Some((key, position)) = first.filter(|_| is_ordered) {
            let before = self.streams[key].records.range(..*position);
            let passed = before.filter(|(_, record)| record.items.contains(&End::Tried));
            assert_eq!(passed.count(), 0, "sent out of order");
        }
        for part in &start.parts {
            let offset = self.start_of(part.envelope, part.member);
            if let Some(record) = self.record_of(part.envelope) {
                let items = &mut record.items[offset + part.range.start..offset + part.range.end];
                for end in items {
                    assert!(!matches!(end, End::Delivered | End::Refused), "nothing is sent twice");
                    *end = end.tried();
                }
            }
        }
    }

    pub(super) fn delivered(&mut self, start: &Start) {
        for part in &start.parts {
            let offset = self.start_of(part.envelope, part.member);
            if let Some(record) = self.record_of(part.envelope) {
                record.items[offset + part.range.start..offset + part.range.end]
                    .fill(End::Delivered);
            }
        }
    }

    pub(super) fn answered(&mut self, envelope: EnvelopeId, member: MemberId, outcome: &Outcome) {
        let offset = self.start_of(envelope, member);
        let Some(record) = self.record_of(envelope) else { return };
        for (range, verdict) in &outcome.parts {
            if *verdict != Verdict::Delivered {
                record.items[offset + range.start..offset + range.end].fill(End::Refused);
            }
        }
    }

    fn forget(&mut self, envelope: EnvelopeId) {
        let (key, position) = self.places.remove(&envelope).expect("it is on disk");
        let stream = self.streams.get_mut(&key).expect("its stream");
        let record = stream.records.remove(&position).expect("it is forgotten once");
        let is_ended = record.items.iter().all(|end| !matches!(end, End::Open | End::Tried));
        assert!(is_ended, "what is forgotten was delivered or refused: {record:?}");
    }
}

impl World {
    pub(super) fn perform_on_disk(&mut self, action: Action) {
        match action {
            Action::Write(envelope) => {
                // Who took its data back, or was refused, is not written.
                let callers = &self.callers;
                let members = self.disk.members.get_mut(&envelope).expect("it arrived");
                members.retain(|(id, _)| callers[id].answer.is_none());
                self.disk.writes.push_back(envelope);
            }
            Action::Read { lane, key, after, bytes_max } => {
                let key = (*key).clone();
                self.disk.reads.push_back(Read { lane, key, after, bytes_max });
            }
            Action::Unload(envelope) => self.unloaded(envelope),
            Action::Bury { envelope, refused } => self.bury(envelope, &refused),
            Action::Forget(envelope) => self.disk.forget(envelope),
            other => unreachable!("{other:?} is not for the disk"),
        }
    }

    /// The journal has what was first handed to it.
    pub(super) fn written(&mut self) {
        let envelope = self.disk.writes.pop_front().expect("something is written");
        let members = self.disk.members[&envelope].clone();
        let items = members.iter().map(|(_, items)| items).sum();
        let key = self.disk.keys[&envelope].clone();
        let stream = self.disk.streams.entry(key.clone()).or_default();
        let position = Position(stream.next);
        stream.next += 1;
        let sizes = members.iter().map(|(_, items)| *items).collect();
        let is_unwanted = members.iter().all(|(id, _)| !self.callers[id].is_waiting());
        let open = if is_unwanted { End::Excused } else { End::Open };
        stream.records.insert(position, Record { sizes, items: vec![open; items] });
        self.disk.places.insert(envelope, (key, position));
        // Who was told that it may be stored has had its answer.
        for (id, items) in &members {
            if self.callers[id].answer.is_some() {
                let start = self.disk.start_of(envelope, *id);
                let record = self.disk.record_of(envelope).expect("it was just written");
                record.items[start..start + items].fill(End::Excused);
            }
        }
        self.step(Event::Written(envelope, Ok(Written { position, bytes: items })));
    }

    pub(super) fn not_written(&mut self, reason: NotWritten) {
        let envelope = self.disk.writes.pop_front().expect("something is written");
        self.step(Event::Written(envelope, Err(reason)));
    }

    /// The read that was asked for first ends.
    pub(super) fn read(&mut self) {
        let Read { lane, key, after, bytes_max } =
            self.disk.reads.pop_front().expect("something is read");
        let mut loaded = Vec::new();
        let mut bytes = 0;
        let stream = self.disk.streams.entry(key.clone()).or_default().clone();
        for (position, record) in &stream.records {
            if after.is_some_and(|after| *position <= after) {
                continue;
            }
            bytes += record.items.len();
            if bytes_max < bytes && !loaded.is_empty() {
                break;
            }
            loaded.push(self.load(&key, *position, &record.sizes));
        }
        self.step(Event::Loaded(lane, Ok(loaded)));
    }

    pub(super) fn not_read(&mut self, reason: NotRead) {
        let read = self.disk.reads.pop_front().expect("something is read");
        self.step(Event::Loaded(read.lane, Err(reason)));
    }

    pub(super) fn buried(&mut self, result: Result<(), Status>) {
        let envelope = self.disk.burials.pop_front().expect("something is recorded");
        self.disk.buried += usize::from(result.is_ok());
        self.step(Event::Buried(envelope, result));
    }

    /// Answers everything that was asked of the disk.
    pub(super) fn settle_disk(&mut self) {
        while self.disk.is_asked() {
            if !self.disk.writes.is_empty() {
                self.written();
            } else if !self.disk.reads.is_empty() {
                self.read();
            } else {
                self.buried(Ok(()));
            }
        }
    }

    /// The process ends without a word, and starts anew. Of what was being written, `written` is
    /// on disk.
    pub(super) fn crash(&mut self, written: usize) {
        for envelope in std::mem::take(&mut self.disk.writes).into_iter().take(written) {
            let sizes: Vec<usize> =
                self.disk.members[&envelope].iter().map(|(_, items)| *items).collect();
            let items = vec![End::Open; sizes.iter().sum()];
            let key = self.disk.keys[&envelope].clone();
            let stream = self.disk.streams.entry(key).or_default();
            stream.records.insert(Position(stream.next), Record { sizes, items });
            stream.next += 1;
        }
        let Disk { streams, buried, .. } = std::mem::take(&mut self.disk);
        self.disk = Disk { streams, buried, ..Disk::default() };
        self.restart();
    }

    fn restart(&mut self) {
        self.attempts.clear();
        self.callers.clear();
        self.forget_envelopes();
        self.engine = Engine::new(self.rules.clone());
        let sizer = self.rules.settings.queue.as_ref().map(|queue| queue.sizer);
        for stream in self.disk.streams.values_mut() {
            // What was delivered and not forgotten is sent once more.
            for record in stream.records.values_mut() {
                record.items.fill(End::Open);
            }
        }
        for (key, stream) in self.disk.streams.clone() {
            let items = stream.records.values().map(|record| record.items.len()).sum();
            let entries = stream.records.len();
            let size = if sizer == Some(Sizer::Requests) { entries } else { items };
            if 0 < entries {
                self.step(Event::Recovered(Recovered { key, entries, size }));
            }
        }
    }

    fn load(&mut self, key: &LaneKey, position: Position, sizes: &[usize]) -> Loaded {
        let envelope = self.next_envelope();
        let ids = self.disk.absent.remove(&(key.clone(), position)).unwrap_or_default();
        let mut members = Vec::new();
        for (index, items) in sizes.iter().enumerate() {
            let id = ids.get(index).copied().unwrap_or_else(|| self.next_member());
            self.callers.insert(id, Caller::of_stored(envelope, *items));
            let slices = vec![Slice { items: *items, weight: *items }];
            members.push(Arrived { id, deadline: self.now, is_blocked: false, slices });
        }
        let ids: Vec<_> = members.iter().map(|one| one.id).zip(sizes.iter().copied()).collect();
        self.disk.arrived(envelope, key, &ids);
        self.disk.places.insert(envelope, (key.clone(), position));
        self.hold_envelope(envelope, sizes.len());
        Loaded { envelope, position, bytes: sizes.iter().sum(), members, expires: None }
    }

    fn unloaded(&mut self, envelope: EnvelopeId) {
        let (key, position) = self.disk.places.remove(&envelope).expect("it is on disk");
        let record = &self.disk.streams[&key].records;
        assert!(record.contains_key(&position), "what leaves memory is on disk");
        let ids = self.disk.members[&envelope].iter().map(|(id, _)| *id);
        self.disk.absent.insert((key, position), ids.collect());
        self.drop_envelope(envelope);
    }

    fn bury(&mut self, envelope: EnvelopeId, refused: &Refused) {
        assert!(!refused.is_empty(), "there is something to record");
        self.disk.burials.push_back(envelope);
    }
}
