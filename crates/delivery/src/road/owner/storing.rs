//! Storing: what the owner does with its journal.
//!
//! While a journal is opened, what was handed over waits in the order of its arrival, within the
//! exporter's share of memory.

use super::{Courier, Held, Owner, Seat};
use crate::engine::{
    Action, Arrived, EnvelopeId, Event, LaneId, LaneKey, Loaded, MemberId, NotRead, NotWritten,
    Refused,
};
use crate::entry::{self, Entry};
use crate::road::intake::Handed;
use crate::road::store::{Read, Reading, Store};
use crate::road::trace::Trace;
use crate::settings::{Settings, Sizer};

use std::time::{Duration, Instant};

use journal::{Position, StreamId};
use pipeline::{Charge, Context, Environment, StartError, Waiting};
use runtime::budget::Budget;

/// The part of the memory for data that a window has.
const WINDOW_PART: usize = 16;
/// The largest window.
const WINDOW_MAX: usize = 64 << 20;

/// How the queue of an owner is kept.
pub(in crate::road) enum Shelf {
    /// In memory.
    Nothing,
    /// On disk, as soon as the journal is open.
    Opening(Vec<Handed>),
    Open(Box<Store>),
    /// The journal has ended.
    Closed,
}

impl Shelf {
    pub(super) fn store(&mut self) -> Option<&mut Store> {
        match self {
            Self::Open(store) => Some(store),
            Self::Nothing | Self::Opening(_) | Self::Closed => None,
        }
    }

    pub(super) fn explain(&self) -> Vec<String> {
        match self {
            Self::Nothing | Self::Closed => Vec::new(),
            Self::Opening(handed) => {
                vec![format!("{} requests wait for the journal to be opened", handed.len())]
            }
            Self::Open(store) => store.explain(),
        }
    }
}

/// What an owner needs to know to keep entries on disk.
#[derive(Debug)]
pub(in crate::road) struct Keeping {
    sizer: Sizer,
    expire_after: Option<Duration>,
    window_max: usize,
    /// The memory of the window, set aside as long as the owner lives.
    _window: Option<Budget>,
}

impl Keeping {
    pub(in crate::road) fn new(env: &Environment, settings: &Settings) -> Self {
        let queue = settings.queue.as_ref();
        let sizer = queue.map_or(Sizer::Requests, |queue| queue.sizer);
        let Some(store) = queue.and_then(|queue| queue.store.as_ref()) else {
            return Self { sizer, expire_after: None, window_max: 0, _window: None };
        };
        let mut window_max = (env.budget.bytes_max() / WINDOW_PART).clamp(1, WINDOW_MAX);
        let name = format!("{}/window", env.id);
        loop {
            match env.budget.child_with_minimum(&name, window_max, window_max) {
                Ok(window) => {
                    let (expire_after, window) = (store.expire_after, Some(window));
                    return Self { sizer, expire_after, window_max, _window: window };
                }
                // With very many queues, each has less.
                Err(_) if 1 < window_max => window_max /= 2,
                Err(_) => {
                    let expire_after = store.expire_after;
                    return Self { sizer, expire_after, window_max, _window: None };
                }
            }
        }
    }

    /// How many bytes of what is on disk are in memory, too.
    pub(in crate::road) fn window_max(&self) -> usize {
        self.window_max
    }
}

impl<C: Courier> Owner<C> {
    /// The journal is open: what it has comes before what waited.
    pub(in crate::road) fn opened(&mut self, mut store: Box<Store>, now: Instant) {
        self.parts.room.is_stored_in(store.journal());
        let recovered = store.recover(self.parts.keeping.sizer);
        let waiting = std::mem::replace(&mut self.parts.shelf, Shelf::Open(store));
        for stream in recovered {
            self.step(Event::Recovered(stream), now);
        }
        if let Some(store) = self.parts.shelf.store() {
            store.show();
        }
        if let Shelf::Opening(waiting) = waiting {
            waiting.into_iter().for_each(|handed| self.take(handed, now));
        }
    }

    /// The journal cannot be opened: nothing is promised that could not be kept.
    pub(super) fn not_opened(&mut self, error: &StartError) {
        tracing::error!(%error, "The journal of the queue could not be opened. Will try again.");
    }

    pub(super) fn perform_on_disk(&mut self, action: Action) {
        match action {
            Action::Write(envelope) => self.write(envelope),
            Action::Read { lane, key, after, bytes_max } => {
                if let Some(store) = self.parts.shelf.store() {
                    store.read(lane, key, after, bytes_max);
                }
            }
            Action::Unload(envelope) => self.unload(envelope),
            Action::Bury { envelope, refused } => self.bury(envelope, &refused),
            Action::Forget(envelope) => {
                if let Some(store) = self.parts.shelf.store() {
                    store.forget(envelope);
                }
            }
            other => debug_assert!(false, "{other:?} is not for the disk"),
        }
    }

    /// The journal answered for an envelope. What is on disk takes nothing of the memory of callers
    /// and of the exporter's share any more.
    pub(super) fn written(
        &mut self,
        envelope: EnvelopeId,
        result: Result<(StreamId, Position, usize), NotWritten>,
        now: Instant,
    ) {
        let mut room = None;
        let result = result.map(|place| {
            room = self.held.get_mut(&envelope).and_then(|held| held.slot.take());
            self.discharge(envelope);
            let store = self.parts.shelf.store().expect("only an open journal answers");
            store.written(envelope, place)
        });
        self.step(Event::Written(envelope, result), now);
        // It counts as stored now.
        drop(room);
    }

    pub(super) fn loaded(&mut self, lane: LaneId, result: Result<Reading, NotRead>, now: Instant) {
        let result = result.map(|reading| {
            let (stream, key, entries) = reading.into_parts();
            entries.into_iter().map(|read| self.load((stream, &key), read, now)).collect()
        });
        self.step(Event::Loaded(lane, result), now);
    }

    /// The memory of the callers is not needed any more.
    fn discharge(&mut self, envelope: EnvelopeId) {
        let members = self.held.get(&envelope).map(|held| held.members.as_slice());
        for member in members.unwrap_or_default() {
            if let Some(seat) = self.seats.get_mut(member) {
                seat.charge = Charge::default();
            }
        }
    }

    /// Hands an envelope to the journal, without those who have been answered already.
    fn write(&mut self, envelope: EnvelopeId) {
        self.trim(envelope);
        let Some(held) = self.held.get(&envelope) else { return };
        let owners = held.members.iter().filter_map(|member| self.seats.get(member));
        let contributors =
            owners.map(|seat| entry::Owner { items: seat.items, trace: seat.stay.context() });
        let entry = Entry {
            stored_at: self.parts.clock.wall(),
            metadata: held.key.metadata.clone(),
            contributors: contributors.collect(),
            payload: held.payload.clone(),
            refused: None,
        };
        if let Some(store) = self.parts.shelf.store() {
            store.write(envelope, &held.key, &entry);
        }
    }

    /// Drops the items of members that ended from an envelope.
    fn trim(&mut self, envelope: EnvelopeId) {
        let Some(held) = self.held.get_mut(&envelope) else { return };
        let count = held.members.len();
        held.members.retain(|member| self.seats.contains_key(member));
        if held.members.len() == count {
            return;
        }
        let mut kept = Vec::with_capacity(held.members.len());
        let mut offset = 0;
        for member in &held.members {
            if let Some(seat) = self.seats.get_mut(member) {
                kept.push(seat.offset..seat.offset + seat.items);
                seat.offset = offset;
                offset += seat.items;
            }
        }
        held.payload = held.payload.select(&kept);
    }

    fn load(&mut self, (stream, key): (StreamId, &LaneKey), read: Read, now: Instant) -> Loaded {
        let envelope = self.next_envelope();
        let waiting = self
            .parts
            .shelf
            .store()
            .map(|store| store.loaded(envelope, stream, &read))
            .unwrap_or_default();
        let expires = read.expires(self.parts.keeping.expire_after, (now, self.parts.clock.wall()));
        let (position, bytes) = (read.position(), read.bytes);
        let Read { entry, slices, .. } = read;
        let mut members = Vec::with_capacity(slices.len());
        let mut offset = 0;
        for (index, (owner, slices)) in entry.contributors.iter().zip(slices).enumerate() {
            let id = match waiting.get(index) {
                Some(id) => *id,
                None => self.next_member(),
            };
            let signal = entry.payload.signal();
            let trace = &self.parts.trace;
            let seat = self.seats.or_insert_with(id, || Seat::stored(trace, owner, signal));
            seat.offset = offset;
            offset += owner.items;
            let is_blocked = seat.receipt.is_some() && seat.waiting == Waiting::Blocked;
            members.push(Arrived { id, deadline: now, is_blocked, slices });
        }
        let context = Context { metadata: entry.metadata, ..Context::default() };
        let ids = members.iter().map(|one| one.id).collect();
        let held =
            Held { payload: entry.payload, context, slot: None, key: key.clone(), members: ids };
        self.held.insert(envelope, held);
        Loaded { envelope, position, bytes, members, expires }
    }

    /// Drops an entry from memory; who waits for it keeps its seat.
    fn unload(&mut self, envelope: EnvelopeId) {
        let Some(held) = self.held.remove(&envelope) else { return };
        let is_waiting =
            |id: &MemberId| self.seats.get(id).is_some_and(|seat| seat.receipt.is_some());
        let is_any_waiting = held.members.iter().any(is_waiting);
        if !is_any_waiting {
            for member in &held.members {
                self.seats.remove(member);
            }
        }
        let waiting = if is_any_waiting { held.members } else { Vec::new() };
        if let Some(store) = self.parts.shelf.store() {
            store.unloaded(envelope, waiting);
        }
    }

    fn bury(&mut self, envelope: EnvelopeId, refused: &Refused) {
        let Some(held) = self.held.get(&envelope) else { return };
        let entry = Entry {
            stored_at: self.parts.clock.wall(),
            metadata: held.key.metadata.clone(),
            contributors: Vec::new(),
            payload: held.payload.clone(),
            refused: None,
        };
        if let Some(store) = self.parts.shelf.store() {
            store.bury(envelope, &entry, refused);
        }
    }
}

impl Seat {
    /// The place of a contributor whose data was read.
    fn stored(trace: &Trace, owner: &entry::Owner, signal: wire::Signal) -> Self {
        Self {
            receipt: None,
            offset: 0,
            items: owner.items,
            waiting: Waiting::Open,
            stay: trace.arrived(owner.trace, owner.items),
            signal,
            charge: Charge::default(),
        }
    }
}
