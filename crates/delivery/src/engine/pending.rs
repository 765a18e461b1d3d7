//! Pending: data that waits for company, and the rules by which it is cut.
//!
//! Full pieces are ready at once, a remainder stays. It is cut when a worker is free and the
//! minimum is reached, its time is over, a caller waits for it only, nobody is expected who could
//! add to it, the queue is full, or the engine drains. Until a worker takes it, it may grow.

use std::time::Instant;

use pipeline::{Code, Status, Verdict};

use super::batch::{Batch, Cut, Part};
use super::lane::Pending;
use super::lanes::LaneId;
use super::member::Member;
use super::{Arrived, Engine, MemberId};
use crate::ascending::Ascending;

pub(super) type Members = Ascending<MemberId, Member>;

impl Engine {
    /// Puts admitted data into its lane.
    pub(super) fn place(&mut self, id: LaneId, members: &[Arrived], now: Instant) {
        self.refuse_until_resumption(id, members, now);
        if self.batch_rules().is_none() {
            self.place_whole(id, members);
        } else {
            for arrived in members {
                let mut start = 0;
                for slice in &arrived.slices {
                    let range = start..start + slice.items;
                    start = range.end;
                    let part = Part { member: arrived.id, range, weight: slice.weight };
                    self.place_part(id, part, now);
                }
            }
            self.check_pending(id, now);
        }
        self.give_turn(id);
    }

    /// Makes the pending batch of a lane go to the next free worker.
    pub(super) fn make_due(&mut self, id: LaneId, cut: Cut) {
        self.undue.remove(&id);
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        if let Some(pending) = lane.pending.as_mut() {
            pending.due.get_or_insert(cut);
        }
        self.give_turn(id);
    }

    /// Makes every pending batch go to the next free worker.
    pub(super) fn flush_all(&mut self, cut: Cut) {
        for id in std::mem::take(&mut self.undue) {
            self.make_due(id, cut);
        }
    }

    /// A caller waits for nothing but its piece in the pending batch of `lane`.
    pub(super) fn tail_found(&mut self, lane: Option<LaneId>) {
        #[cfg(mutants)]
        if self.is_mutant(super::Mutant::RemainderNeverFlushed) {
            return;
        }
        if let Some(id) = lane {
            self.undue.remove(&id);
            if let Some(pending) = self.lanes.get_mut(&id).and_then(|lane| lane.pending.as_mut()) {
                pending.due.get_or_insert(Cut::Tail);
            }
            self.give_turn(id);
        }
    }

    /// Looks at a lane again whose time has come.
    pub(super) fn wake_lanes(&mut self, now: Instant) {
        while self.wakes.first().is_some_and(|(at, _)| *at <= now) {
            let Some((_, id)) = self.wakes.pop_first() else { return };
            if let Some(lane) = self.lanes.get_mut(&id) {
                lane.wake = None;
            }
            self.check_pending(id, now);
            self.give_turn(id);
            self.want(id);
        }
    }

    /// Has the lane looked at again at `at`, or earlier.
    pub(super) fn wake_at(&mut self, id: LaneId, at: Instant) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        if lane.wake.is_some_and(|wake| wake <= at) {
            return;
        }
        if let Some(wake) = lane.wake.replace(at) {
            self.wakes.remove(&(wake, id));
        }
        self.wakes.insert((at, id));
    }

    /// Removes what a member that left has in the pending batch.
    pub(super) fn unpend(&mut self, id: LaneId, member: MemberId) {
        self.extract_pending(id, |part, _| part.member != member);
    }

    /// Takes parts out of the pending batch of a lane.
    pub(super) fn extract_pending(
        &mut self,
        id: LaneId,
        is_kept: impl Fn(&Part, &Members) -> bool,
    ) -> Vec<Part> {
        let lane = self.lanes.get_mut(&id);
        let Some(lane) = lane.filter(|lane| lane.pending.is_some()) else { return Vec::new() };
        let Some(pending) = lane.pending.as_mut() else { return Vec::new() };
        let gone = pending.batch.extract(|part| is_kept(part, &self.members));
        for part in &gone {
            let Some(member) = self.members.get_mut(&part.member) else { continue };
            member.pending -= part.items();
            if member.pending == 0 && !member.is_blocked {
                pending.open_callers -= 1;
            }
        }
        if pending.batch.parts.is_empty() {
            lane.pending = None;
            self.undue.remove(&id);
        }
        gone
    }

    /// Without batching, an envelope is sent as it came.
    fn place_whole(&mut self, id: LaneId, members: &[Arrived]) {
        let mut batch = Batch::default();
        for arrived in members.iter().filter(|one| self.members.contains_key(&one.id)) {
            let items = arrived.slices.iter().map(|slice| slice.items).sum::<usize>();
            if 0 < items {
                batch.push(Part { member: arrived.id, range: 0..items, weight: items });
            }
        }
        if let Some(lane) = self.lanes.get_mut(&id)
            && !batch.parts.is_empty()
        {
            lane.ready.push_back(batch);
        }
    }

    fn place_part(&mut self, id: LaneId, mut part: Part, now: Instant) {
        let max = self.batch_max().unwrap_or(usize::MAX);
        if max < part.weight && self.is_measured_in_bytes() {
            let message = format!("one item of {} bytes is larger than `max_size`", part.weight);
            let verdict = Verdict::Refused(Status::new(Code::InvalidArgument, message));
            return self.give_up(vec![part], &verdict, None);
        }
        while 0 < part.items() && self.members.contains_key(&part.member) {
            let weight = self.pending_weight(id);
            let room = max.saturating_sub(weight);
            if part.weight <= room {
                self.pend(id, part, now);
                if self.pending_weight(id) == max {
                    self.close_pending(id);
                }
                return;
            }
            if !self.is_measured_in_bytes() && 0 < room {
                let front = part.take_front(room.min(part.items()));
                self.pend(id, front, now);
            }
            self.close_pending(id);
        }
    }

    fn pending_weight(&self, id: LaneId) -> usize {
        let pending = self.lanes.get(&id).and_then(|lane| lane.pending.as_ref());
        pending.map_or(0, |pending| pending.batch.weight)
    }

    fn pend(&mut self, id: LaneId, part: Part, now: Instant) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        let Some(member) = self.members.get_mut(&part.member) else { return };
        let undue = &mut self.undue;
        let pending = lane.pending.get_or_insert_with(|| {
            undue.insert(id);
            Box::new(Pending {
                batch: Batch::default(),
                opened_at: now,
                last_arrival: now,
                open_callers: 0,
                due: None,
            })
        });
        if member.pending == 0 && !member.is_blocked {
            pending.open_callers += 1;
        }
        member.pending += part.items();
        pending.last_arrival = now;
        pending.batch.push(part);
    }

    /// The pending batch is as large as it may be: it waits for a worker only.
    fn close_pending(&mut self, id: LaneId) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        let Some(pending) = lane.pending.take() else { return };
        self.undue.remove(&id);
        let mut batch = pending.batch;
        batch.cut = Some(pending.due.unwrap_or(Cut::Size));
        unmark(&mut self.members, &batch);
        lane.ready.push_back(batch);
    }

    /// Applies the rules that depend on size and time.
    fn check_pending(&mut self, id: LaneId, now: Instant) {
        let Some(rules) = self.batch_rules() else { return };
        let (min, flush_timeout) = (rules.min_size, rules.flush_timeout);
        let Some(pending) = self.lanes.get(&id).and_then(|lane| lane.pending.as_ref()) else {
            return;
        };
        if pending.due.is_some() {
            return;
        }
        #[cfg(mutants)]
        if self.is_mutant(super::Mutant::RemainderNeverFlushed) && pending.batch.weight < min {
            return;
        }
        let is_evicted = self.lanes.get(&id).is_some_and(|lane| lane.is_evicted);
        let cut = if min <= pending.batch.weight || flush_timeout.is_none() {
            Some(Cut::Size)
        } else if self.ends_at.is_some() {
            Some(Cut::Shutdown)
        } else if self.admission.is_full() || is_evicted {
            Some(Cut::Full)
        } else {
            None
        };
        match (cut, pending.cut_at(flush_timeout)) {
            (Some(cut), _) => self.make_due(id, cut),
            (None, Some((at, cut))) if at <= now => self.make_due(id, cut),
            (None, Some((at, _))) => self.wake_at(id, at),
            (None, None) => {}
        }
    }
}

/// Notes that what is in `batch` is not pending any more.
pub(super) fn unmark(members: &mut Members, batch: &Batch) {
    for part in &batch.parts {
        if let Some(member) = members.get_mut(&part.member) {
            member.pending = member.pending.saturating_sub(part.items());
        }
    }
}
