//! Reading: brings entries from disk into the window, lane by lane.
//!
//! Bounds: the window; a lane has an eighth of it at least, when there are many, and those that are
//! not proven have half of it together. A lane that is shut reads nothing.

use std::time::{Duration, Instant};

use super::{Entry, Loaded, NotRead, Position, Shelved};
use crate::engine::health::Charge;
use crate::engine::lane::Lane;
use crate::engine::lanes::LaneId;
use crate::engine::{Action, Arrived, Engine, EnvelopeId, Note};

/// How long a lane waits after a read that failed.
const PAUSE: Duration = Duration::from_secs(1);
/// How many parts the window has when several lanes want it.
const PARTS: usize = 8;

/// Whether a lane may read now.
enum Turn {
    Read(usize),
    ShutUntil(Instant),
    /// Lanes that are not proven have their share of the window already.
    Unproven,
    Nothing,
}

impl Engine {
    /// Lines a lane up if it has something to read.
    pub(in crate::engine) fn want(&mut self, id: LaneId) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        let backlog = &mut lane.backlog;
        let is_wanting = 0 < backlog.entries && backlog.reading.is_none();
        if is_wanting && !backlog.is_queued && backlog.damage.is_none() {
            backlog.is_queued = true;
            self.stored.readers.push_back(id);
        }
    }

    pub(super) fn read_ahead(&mut self, now: Instant) {
        while self.stored.window_used < self.rules.window_max {
            let Some(id) = self.next_reader() else { return };
            match self.turn_to_read(id, now) {
                Turn::Read(bytes_max) => self.read(id, bytes_max),
                Turn::ShutUntil(at) => self.wake_at(id, at),
                Turn::Unproven => {
                    if let Some(lane) = self.lanes.get_mut(&id) {
                        lane.backlog.is_queued = true;
                        self.stored.unproven_readers.push_back(id);
                    }
                }
                Turn::Nothing => {}
            }
        }
    }

    /// What was read of a lane.
    pub(in crate::engine) fn loaded(
        &mut self,
        id: LaneId,
        result: Result<Vec<Loaded>, NotRead>,
        now: Instant,
    ) {
        let set_aside =
            self.lanes.get_mut(&id).and_then(|lane| lane.backlog.reading.take()).unwrap_or(0);
        self.stored.window_used -= set_aside;
        match result {
            Ok(entries) if self.ends_at.is_none() => self.shelve_all(id, entries, now),
            Ok(entries) => {
                self.actions.extend(entries.iter().map(|entry| Action::Unload(entry.envelope)));
            }
            Err(NotRead::Failed(status)) => {
                self.note(Note::NotRead { status, is_final: false });
                self.wake_at(id, now + PAUSE);
            }
            Err(NotRead::Damaged(status)) => {
                self.note(Note::NotRead { status: status.clone(), is_final: true });
                if let Some(lane) = self.lanes.get_mut(&id) {
                    lane.backlog.damage = Some(status);
                }
            }
        }
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.backlog.ended.clear();
            lane.backlog.is_rewound = false;
        }
        self.give_turn(id);
        self.forget_if_evicted(id);
    }

    /// Whether an entry that was just written may stay in memory.
    pub(super) fn may_stay(&self, id: LaneId, bytes: usize) -> bool {
        let Some(lane) = self.lanes.get(&id) else { return false };
        let is_next = lane.backlog.entries == 0 && lane.backlog.reading.is_none();
        let has_room = self.stored.window_used == 0
            || (self.stored.window_used + bytes <= self.rules.window_max
                && lane.backlog.bytes_loaded + bytes <= self.lane_max()
                && (lane.is_proven || self.stored.unproven_used + bytes <= self.unproven_max()));
        self.ends_at.is_none() && is_next && !lane.is_failing && has_room
    }

    /// What is in memory up to `position` is not read again.
    pub(super) fn pass_over(&mut self, id: LaneId, position: Position) {
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.backlog.after = lane.backlog.after.max(Some(position));
        }
    }

    pub(super) fn shelve(&mut self, envelope: EnvelopeId, entry: Entry) {
        self.stored.window_used += entry.bytes;
        let id = entry.lane;
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.backlog.loaded.insert(entry.position);
            lane.backlog.bytes_loaded += entry.bytes;
        }
        self.stored.entries.insert(envelope, entry);
        self.recount(id);
    }

    /// Takes an entry out of memory.
    pub(super) fn unshelve(&mut self, envelope: EnvelopeId) -> Option<Entry> {
        let entry = self.stored.entries.remove(&envelope)?;
        self.stored.window_used -= entry.bytes;
        self.stored.burying -= usize::from(entry.is_burying);
        if let Some(lane) = self.lanes.get_mut(&entry.lane) {
            lane.backlog.loaded.remove(&entry.position);
            lane.backlog.bytes_loaded -= entry.bytes;
        }
        self.recount(entry.lane);
        Some(entry)
    }

    fn next_reader(&mut self) -> Option<LaneId> {
        let has_room = self.stored.unproven_used < self.unproven_max();
        let unproven = has_room.then(|| self.stored.unproven_readers.pop_front()).flatten();
        let id = unproven.or_else(|| self.stored.readers.pop_front())?;
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.backlog.is_queued = false;
        }
        Some(id)
    }

    fn turn_to_read(&self, id: LaneId, now: Instant) -> Turn {
        let Some(lane) = self.lanes.get(&id).filter(|lane| is_wanting(lane)) else {
            return Turn::Nothing;
        };
        if let Some(until) = self.shut_until(id, now) {
            return Turn::ShutUntil(until);
        }
        let lane_max = self.lane_max();
        let used = self.stored.window_used;
        let mut room = (self.rules.window_max - used).min(self.rules.window_max.div_ceil(PARTS));
        if lane_max <= lane.backlog.bytes_loaded {
            // It lines up again when one of its entries ends.
            return Turn::Nothing;
        }
        room = room.min(lane_max - lane.backlog.bytes_loaded);
        if !lane.is_proven && self.is_shared() {
            let unproven = self.unproven_max().saturating_sub(self.stored.unproven_used);
            if unproven == 0 {
                return Turn::Unproven;
            }
            room = room.min(unproven);
        }
        Turn::Read(room.max(1))
    }

    fn read(&mut self, id: LaneId, bytes_max: usize) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        lane.backlog.reading = Some(bytes_max);
        self.stored.window_used += bytes_max;
        let (key, after) = (std::sync::Arc::clone(&lane.key), lane.backlog.after);
        self.actions.push(Action::Read { lane: id, key, after, bytes_max });
    }

    fn shelve_all(&mut self, id: LaneId, entries: Vec<Loaded>, now: Instant) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        let backlog = &mut lane.backlog;
        if backlog.is_rewound {
            // It is read again behind what was returned meanwhile: its order is kept.
            self.actions.extend(entries.iter().map(|entry| Action::Unload(entry.envelope)));
            return self.want(id);
        }
        let last = entries.last().map(|entry| entry.position);
        backlog.after = backlog.after.max(last);
        if last.is_none() && 0 < backlog.entries {
            self.set_right(id);
            return;
        }
        for entry in entries {
            let is_known = self.lanes.get(&id).is_some_and(|lane| {
                let backlog = &lane.backlog;
                backlog.loaded.contains(&entry.position) || backlog.ended.contains(&entry.position)
            });
            if is_known {
                self.actions.push(Action::Unload(entry.envelope));
            } else {
                self.shelve_one(id, entry, now);
            }
        }
        self.want(id);
    }

    fn shelve_one(&mut self, id: LaneId, loaded: Loaded, now: Instant) {
        let Loaded { envelope, position, bytes, members, expires } = loaded;
        let items = members.iter().map(Arrived::items).sum::<usize>();
        let size = self.size_in_queue(items, bytes);
        let mut start = 0;
        let mut shelved = Vec::with_capacity(members.len());
        for one in &members {
            let items = one.items();
            self.register_stored((envelope, id), one, expires);
            shelved.push(Shelved { id: one.id, start, items });
            start += items;
        }
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.backlog.entries = lane.backlog.entries.saturating_sub(1);
            lane.backlog.size = lane.backlog.size.saturating_sub(size);
        }
        self.admission.readmit(envelope, members.len(), size);
        self.shelve(envelope, Entry::new(id, (position, bytes), size, shelved));
        self.place(id, &members, now);
    }

    /// There is less on disk than was counted.
    fn set_right(&mut self, id: LaneId) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        let size = std::mem::take(&mut lane.backlog.size);
        lane.backlog.entries = 0;
        self.release(id, Charge { size, bytes: 0 });
        self.stored.size -= size;
        self.admission.free(size);
    }

    /// What one lane may have of the window.
    fn lane_max(&self) -> usize {
        self.rules.window_max.div_ceil(self.lanes.len().clamp(1, PARTS))
    }

    /// What lanes that are not proven may have of the window together.
    fn unproven_max(&self) -> usize {
        if self.is_shared() { self.rules.window_max.div_ceil(2) } else { self.rules.window_max }
    }
}

fn is_wanting(lane: &Lane) -> bool {
    let backlog = &lane.backlog;
    0 < backlog.entries && backlog.reading.is_none() && backlog.damage.is_none()
}
