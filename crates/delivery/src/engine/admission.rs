//! Admission: what the queue holds, and who waits for room.
//!
//! Room that becomes free admits, in the order of arrival, all who fit; it stops at the first who
//! does not. Bounds: the queue's size; who waits is bounded by the exporter's share of memory.

use std::collections::VecDeque;
use std::time::Instant;

use pipeline::{Code, Outcome, Status, Verdict};

use super::batch::Cut;
use super::health::Charge;
use super::lanes::LaneId;
use super::member::Member;
use super::{Action, Arrival, Arrived, Engine, EnvelopeId};
use crate::ascending::Ascending;
use crate::settings::Queue;

#[derive(Clone, Debug)]
pub(super) struct Admission {
    capacity: Option<usize>,
    /// Whether who does not fit waits here; if not, it was refused before it came.
    is_parking: bool,
    used: usize,
    envelopes: Ascending<EnvelopeId, Held>,
    parked: VecDeque<Arrival>,
}

#[derive(Clone, Debug)]
struct Held {
    members: usize,
    /// What it takes; nothing while it waits for room.
    charge: Charge,
}

impl Admission {
    pub(super) fn new(queue: Option<&Queue>) -> Self {
        Self {
            capacity: queue.map(|queue| queue.queue_size),
            is_parking: queue.is_some_and(|queue| queue.block_on_overflow),
            used: 0,
            envelopes: Ascending::default(),
            parked: VecDeque::new(),
        }
    }

    pub(super) fn used(&self) -> usize {
        self.used
    }

    pub(super) fn capacity(&self) -> Option<usize> {
        self.capacity
    }

    pub(super) fn parked_len(&self) -> usize {
        self.parked.len()
    }

    /// Whether waiting for company makes no sense, because none can be let in.
    pub(super) fn is_full(&self) -> bool {
        !self.parked.is_empty() || self.capacity.is_some_and(|capacity| capacity <= self.used)
    }

    /// One member of `envelope` ended; what the envelope took if it was the last.
    pub(super) fn member_ended(&mut self, envelope: EnvelopeId) -> Option<Charge> {
        let held = self.envelopes.get_mut(&envelope)?;
        held.members -= 1;
        if 0 < held.members {
            return None;
        }
        let charge = held.charge;
        self.used -= charge.size;
        self.envelopes.remove(&envelope);
        Some(charge)
    }

    /// One more than its members holds the envelope.
    pub(super) fn hold_on(&mut self, envelope: EnvelopeId) {
        if let Some(held) = self.envelopes.get_mut(&envelope) {
            held.members += 1;
        }
    }

    /// An envelope is on disk: it takes `size` of the queue, and memory of the window only. Gives
    /// what it took before.
    pub(super) fn recharge(&mut self, envelope: EnvelopeId, size: usize) -> Charge {
        let Some(held) = self.envelopes.get_mut(&envelope) else { return Charge::default() };
        let before = std::mem::replace(&mut held.charge, Charge { size, bytes: 0 });
        self.used = self.used - before.size + size;
        before
    }

    /// An envelope leaves memory, but not the queue.
    pub(super) fn set_aside(&mut self, envelope: EnvelopeId) {
        self.envelopes.remove(&envelope);
    }

    /// What was set aside comes back to memory.
    pub(super) fn readmit(&mut self, envelope: EnvelopeId, members: usize, size: usize) {
        self.envelopes.insert(envelope, Held { members, charge: Charge { size, bytes: 0 } });
    }

    /// Something that is on disk takes `size`.
    pub(super) fn hold(&mut self, size: usize) {
        self.used += size;
    }

    /// The contrary.
    pub(super) fn free(&mut self, size: usize) {
        self.used -= size;
    }

    pub(super) fn forget_parked(&mut self) {
        self.parked.clear();
    }

    fn fits(&self, size: usize) -> bool {
        !self.is_parking || self.capacity.is_none_or(|capacity| self.used + size <= capacity)
    }

    fn is_gone(&self, arrival: &Arrival) -> bool {
        !self.envelopes.contains_key(&arrival.envelope)
    }

    /// The first who waits, if it fits; who left meanwhile is skipped.
    fn next_admitted(&mut self) -> Option<Arrival> {
        while self.parked.front().is_some_and(|first| self.is_gone(first)) {
            self.parked.pop_front();
        }
        let is_fitting = self.parked.front().is_some_and(|first| self.fits(first.size));
        is_fitting.then(|| self.parked.pop_front()).flatten()
    }

    fn take(&mut self, envelope: EnvelopeId, charge: Charge) {
        if let Some(held) = self.envelopes.get_mut(&envelope) {
            held.charge = charge;
            self.used += charge.size;
        }
    }
}

impl Engine {
    pub(super) fn arrived(&mut self, arrival: Arrival, now: Instant) {
        let held = Held { members: arrival.members.len(), charge: Charge::default() };
        self.admission.envelopes.insert(arrival.envelope, held);
        for arrived in &arrival.members {
            self.register(arrival.envelope, arrived);
        }
        let must_wait = !self.admission.parked.is_empty() || !self.admission.fits(arrival.size);
        if must_wait {
            self.admission.parked.push_back(arrival);
            self.crowded(now);
        } else {
            self.admit(arrival, now);
        }
    }

    /// Lanes may have begun to fail, or fallen silent, while others wait for room.
    pub(super) fn make_room_for_parked(&mut self, now: Instant) {
        if self.is_anyone_parked() {
            self.make_room(Charge::default(), now);
        }
    }

    pub(super) fn is_anyone_parked(&self) -> bool {
        !self.admission.parked.is_empty()
    }

    /// Someone finds no room: nothing waits for company, and lanes that fail give back what is more
    /// than their part.
    pub(super) fn crowded(&mut self, now: Instant) {
        self.make_room(Charge::default(), now);
        self.flush_all(Cut::Full);
    }

    /// Lets in who fits now; whether there was someone.
    pub(super) fn admit_parked(&mut self, now: Instant) -> bool {
        let mut is_any_admitted = false;
        while let Some(arrival) = self.admission.next_admitted() {
            self.admit(arrival, now);
            #[cfg(mutants)]
            if self.is_mutant(super::Mutant::RoomWakesOne) {
                return false;
            }
            is_any_admitted = true;
        }
        is_any_admitted
    }

    fn register(&mut self, envelope: EnvelopeId, arrived: &Arrived) {
        let items = arrived.slices.iter().map(|slice| slice.items).sum();
        let member = Member {
            envelope,
            items,
            open: items,
            flying: Vec::new(),
            backoffs: Vec::new(),
            pending: 0,
            outcome: Outcome::default(),
            withdrawn: 0,
            deadline: Some(arrived.deadline),
            is_blocked: arrived.is_blocked,
            has_left: false,
            is_maybe_delivered: false,
            lane: None,
            is_writing: false,
            is_stored: false,
            expires: None,
        };
        self.members.insert(arrived.id, member);
    }

    /// A member that came from disk.
    pub(super) fn register_stored(
        &mut self,
        (envelope, lane): (EnvelopeId, LaneId),
        arrived: &Arrived,
        expires: Option<Instant>,
    ) {
        self.register(envelope, arrived);
        let is_awaited = self.is_awaited(arrived.id);
        if let Some(member) = self.members.get_mut(&arrived.id) {
            member.become_owed(!is_awaited);
            (member.lane, member.expires) = (Some(lane), expires);
        }
    }

    /// Tells those who wait for room to come again: there will be none.
    pub(super) fn refuse_parked(&mut self) {
        let status = Status::new(Code::Unavailable, "the collector is shutting down");
        for arrival in std::mem::take(&mut self.admission.parked) {
            for arrived in &arrival.members {
                let Some(items) = self.members.get(&arrived.id).map(|one| one.items) else {
                    continue;
                };
                let delay = Some(self.suggested_delay());
                let verdict = Verdict::RetryAfter { delay, status: status.clone() };
                self.settle(arrived.id, 0..items, verdict);
            }
        }
    }

    fn admit(&mut self, arrival: Arrival, now: Instant) {
        let charge = Charge { size: arrival.size, bytes: arrival.bytes };
        let Arrival { envelope, key, mut members, .. } = arrival;
        members.retain(|arrived| self.members.contains_key(&arrived.id));
        let lane = match self.lane_for(key, now) {
            Ok(lane) => lane,
            Err(verdict) => return self.refuse_lane(&members, &verdict),
        };
        if !self.may_enter(lane, charge, now) {
            return self.refuse_failing(lane, &members, now);
        }
        self.admission.take(envelope, charge);
        self.hold(lane, charge);
        if self.store().is_some() {
            return self.write(lane, envelope, members, now);
        }
        let is_early =
            self.rules.settings.queue.as_ref().is_some_and(|queue| !queue.wait_for_result);
        for arrived in &members {
            let Some(member) = self.members.get_mut(&arrived.id) else { continue };
            member.lane = Some(lane);
            if is_early {
                member.deadline = None;
                member.is_blocked = false;
                self.actions.push(Action::Acknowledge(arrived.id));
            }
        }
        self.place(lane, &members, now);
        if self.admission.is_full() {
            self.flush_all(Cut::Full);
        }
    }
}
