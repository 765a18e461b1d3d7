//! Health: how much lanes that fail, or have fallen silent, may hold together.
//!
//! Bounds: half of the queue, and half of the exporter's share of memory, as soon as there is
//! more than one lane. What they took in before they failed is given back when others need it. So a
//! dead target never holds what the others need.

use std::time::{Duration, Instant};

use pipeline::Verdict;

use super::lane::{Lane, not_taking};
use super::lanes::LaneId;
use super::member::Member;
use super::{Arrived, Engine, MemberId};

/// What envelopes take: of the queue in its unit, and of the memory in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Charge {
    pub(super) size: usize,
    pub(super) bytes: usize,
}

impl Charge {
    fn add(&mut self, other: Self) {
        self.size += other.size;
        self.bytes += other.bytes;
    }

    fn subtract(&mut self, other: Self) {
        self.size -= other.size;
        self.bytes -= other.bytes;
    }
}

impl Engine {
    /// Whether a lane that is not healthy may take this in beside what all such hold already.
    pub(super) fn may_hold(&self, id: LaneId, charge: Charge) -> bool {
        let is_healthy = self.lanes.get(&id).is_some_and(Lane::is_healthy);
        is_healthy || !self.is_shared() || self.is_within_half(self.held_by_unhealthy, charge)
    }

    /// The same, but a lane of which nothing is here, and whose pause is over, takes the place of
    /// another one, to show whether it still fails.
    pub(super) fn may_enter(&mut self, id: LaneId, charge: Charge, now: Instant) -> bool {
        let is_absent = self.lanes.get(&id).is_some_and(|lane| lane.held == Charge::default());
        if self.may_hold(id, charge) {
            return true;
        }
        if is_absent && self.shut_until(id, now).is_none() {
            self.make_room(charge, now);
        }
        self.may_hold(id, charge)
    }

    /// Someone found no room: lanes that fail keep half of it, and `charge` less, of what they took
    /// before. Callers who came last are told to try again.
    pub(super) fn make_room(&mut self, charge: Charge, now: Instant) {
        if !self.is_shared() {
            return;
        }
        let mut held = Charge::default();
        self.lanes.values().filter(|lane| lane.is_doubtful()).for_each(|lane| held.add(lane.held));
        if self.is_within_half(held, charge) {
            return;
        }
        let is_in_place = |(_, member): &(MemberId, &Member)| {
            let lane = member.lane.and_then(|id| self.lanes.get(&id));
            member.is_at_rest() && lane.is_some_and(Lane::is_doubtful)
        };
        let mut last: Vec<MemberId> =
            self.members.iter().filter(is_in_place).map(|(id, _)| id).collect();
        while !self.is_within_half(held, charge) {
            let Some(id) = last.pop() else { return };
            held.subtract(self.put_out(id, now));
        }
    }

    /// Tells the caller of a member that is not being sent to try again; what that makes free.
    fn put_out(&mut self, id: MemberId, now: Instant) -> Charge {
        let Some(lane) = self.members.get(&id).and_then(|member| member.lane) else {
            return Charge::default();
        };
        let held =
            |engine: &Self| engine.lanes.get(&lane).map_or(Charge::default(), |lane| lane.held);
        let before = held(self);
        let verdict = self.failing_verdict(lane, now);
        self.end_resting(id, &verdict);
        self.forget_if_evicted(lane);
        let mut freed = before;
        freed.subtract(held(self));
        freed
    }

    /// Whether lanes that hold `held` may take `charge` beside.
    fn is_within_half(&self, held: Charge, charge: Charge) -> bool {
        let size_max = self.admission.capacity().map_or(usize::MAX, |capacity| capacity / 2);
        let bytes_max = self.rules.bytes_max / 2;
        held.size.saturating_add(charge.size) <= size_max
            && held.bytes.saturating_add(charge.bytes) <= bytes_max
    }

    pub(super) fn hold(&mut self, id: LaneId, charge: Charge) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        lane.held.add(charge);
        if !lane.is_healthy() {
            self.held_by_unhealthy.add(charge);
        }
    }

    pub(super) fn release(&mut self, id: LaneId, charge: Charge) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        lane.held.subtract(charge);
        if !lane.is_healthy() {
            self.held_by_unhealthy.subtract(charge);
        }
    }

    /// An envelope of a lane takes `size` of the queue from now on, and no memory of its share.
    pub(super) fn recharge(&mut self, envelope: super::EnvelopeId, id: LaneId, size: usize) {
        let before = self.admission.recharge(envelope, size);
        self.release(id, before);
        self.hold(id, Charge { size, bytes: 0 });
    }

    /// Notes whether the destination takes what this lane sends.
    pub(super) fn set_failing(&mut self, id: LaneId, is_failing: bool) {
        self.change_health(id, |lane| lane.is_failing = is_failing);
    }

    /// Notes whether an attempt of this lane takes too long, and no other was answered since.
    pub(super) fn set_silent(&mut self, id: LaneId, is_silent: bool) {
        self.change_health(id, |lane| lane.is_silent = is_silent);
    }

    fn change_health(&mut self, id: LaneId, change: impl FnOnce(&mut Lane)) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        let was_healthy = lane.is_healthy();
        change(lane);
        match (was_healthy, lane.is_healthy()) {
            (true, false) => self.held_by_unhealthy.add(lane.held),
            (false, true) => self.held_by_unhealthy.subtract(lane.held),
            _ => {}
        }
    }

    /// What a caller is told that cannot wait until the lane is used again.
    pub(super) fn shut_verdict(&self, id: LaneId, delay: Duration) -> Verdict {
        let status = self.last_failure(id).unwrap_or_else(not_taking);
        Verdict::RetryAfter { delay: Some(delay), status }
    }

    /// Tells the callers of a lane that fails to try again later.
    pub(super) fn refuse_failing(&mut self, id: LaneId, members: &[Arrived], now: Instant) {
        let verdict = self.failing_verdict(id, now);
        for arrived in members {
            if let Some(member) = self.members.get(&arrived.id) {
                self.settle(arrived.id, 0..member.items, verdict.clone());
            }
        }
    }

    fn failing_verdict(&mut self, id: LaneId, now: Instant) -> Verdict {
        let suggested = self.suggested_delay();
        let delay = self.shut_until(id, now).map_or(suggested, |until| until - now);
        self.shut_verdict(id, delay)
    }
}
