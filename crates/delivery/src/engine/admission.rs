//! Admission: what the queue holds, and who waits for room.
//!
//! Room that becomes free admits, in the order of arrival, all who fit; it stops at the first who
//! does not. Bounds: the queue's size; who waits is bounded by the exporter's share of memory.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use pipeline::Outcome;

use super::batch::Cut;
use super::health::Charge;
use super::member::Member;
use super::{Action, Arrival, Arrived, Engine, EnvelopeId};
use crate::settings::Queue;

#[derive(Clone, Debug)]
pub(super) struct Admission {
    capacity: Option<usize>,
    /// Whether who does not fit waits here; if not, it was refused before it came.
    is_parking: bool,
    used: usize,
    envelopes: BTreeMap<EnvelopeId, Held>,
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
            envelopes: BTreeMap::new(),
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
            self.flush_all(Cut::Full);
        } else {
            self.admit(arrival, now);
        }
    }

    /// Lets in who fits now; whether there was someone.
    pub(super) fn admit_parked(&mut self, now: Instant) -> bool {
        let mut is_any_admitted = false;
        while let Some(arrival) = self.admission.next_admitted() {
            self.admit(arrival, now);
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
        };
        self.members.insert(arrived.id, member);
    }

    fn admit(&mut self, arrival: Arrival, now: Instant) {
        let charge = Charge { size: arrival.size, bytes: arrival.bytes };
        let Arrival { envelope, key, mut members, .. } = arrival;
        members.retain(|arrived| self.members.contains_key(&arrived.id));
        let lane = match self.lane_for(key, now) {
            Ok(lane) => lane,
            Err(verdict) => return self.refuse_lane(&members, &verdict),
        };
        if !self.may_hold(lane, charge) {
            return self.refuse_failing(lane, &members, now);
        }
        self.admission.take(envelope, charge);
        self.hold(lane, charge);
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
