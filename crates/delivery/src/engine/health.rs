//! Health: how much lanes that fail, or have fallen silent, may hold together.
//!
//! Bounds: half of the queue, and half of the exporter's share of memory, as soon as there is
//! more than one lane. What they took in before they failed is given back when others need it; and
//! as long as some are in doubt, lanes that were not answered yet leave the last quarter to those that
//! were. So a dead target never holds what the others need, and nor do many that are new.

use std::time::{Duration, Instant};

use pipeline::{Status, Verdict};

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

/// What lanes hold together that may not hold as much as they like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Health {
    held: Charge,
    /// Lanes that fail, or have fallen silent.
    pub(super) held_by_unhealthy: Charge,
    /// Lanes whose target is in doubt.
    pub(super) held_by_doubtful: Charge,
    /// Nobody of those in doubt was found who could be put out, and none came since.
    is_spent: bool,
}

impl Health {
    /// A lane that stands like `lane` holds `charge` more.
    fn add(&mut self, lane: &Lane, charge: Charge) {
        self.held.add(charge);
        if !lane.is_healthy() {
            self.held_by_unhealthy.add(charge);
        }
        if lane.is_doubtful() {
            self.held_by_doubtful.add(charge);
        }
    }

    /// It holds `charge` less.
    fn subtract(&mut self, lane: &Lane, charge: Charge) {
        self.held.subtract(charge);
        if !lane.is_healthy() {
            self.held_by_unhealthy.subtract(charge);
        }
        if lane.is_doubtful() {
            self.held_by_doubtful.subtract(charge);
        }
    }
}

impl Engine {
    /// Whether a lane may take this in beside what others hold already.
    fn may_hold(&self, id: LaneId, charge: Charge) -> bool {
        let Some(lane) = self.lanes.get(&id).filter(|_| self.is_shared()) else { return true };
        let health = &self.health;
        let is_nobody_doubtful = health.held_by_doubtful == Charge::default();
        let is_known = lane.is_proven || self.rules.is_relay;
        (lane.is_healthy() || self.is_within(half, health.held_by_unhealthy, charge))
            && (is_known || is_nobody_doubtful || self.is_within(most, health.held, charge))
    }

    /// The same, but a lane of which nothing is here, and whose pause is over, takes the place of
    /// another one, to show whether it still fails.
    pub(super) fn may_enter(&mut self, id: LaneId, charge: Charge, now: Instant) -> bool {
        self.heed_silence(now);
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
        let is_within =
            |engine: &Self| engine.is_within(half, engine.health.held_by_doubtful, charge);
        self.heed_silence(now);
        if !self.is_shared() || self.health.is_spent || is_within(self) {
            return;
        }
        let mut last = None;
        while !is_within(self) {
            last = self.last_in_place(last);
            let Some(id) = last else {
                self.health.is_spent = true;
                return;
            };
            self.put_out(id, now);
        }
    }

    /// The last member before `end` that is of a lane in doubt and could be put out.
    fn last_in_place(&self, end: Option<MemberId>) -> Option<MemberId> {
        let is_in_place = |(_, member): &(MemberId, &Member)| {
            let lane = member.lane.and_then(|id| self.lanes.get(&id));
            member.is_at_rest() && lane.is_some_and(Lane::is_doubtful)
        };
        self.members.before(end).find(is_in_place).map(|(id, _)| id)
    }

    /// Tells the caller of a member that is not being sent to try again.
    fn put_out(&mut self, id: MemberId, now: Instant) {
        let Some(lane) = self.members.get(&id).and_then(|member| member.lane) else { return };
        let verdict = self.failing_verdict(lane, now);
        self.end_resting(id, &verdict);
        self.forget_if_evicted(lane);
    }

    /// Something of the lane may be at rest that was not: it could be given back.
    pub(super) fn came_to_rest(&mut self, id: LaneId) {
        if self.lanes.get(&id).is_some_and(Lane::is_doubtful) {
            self.health.is_spent = false;
        }
    }

    /// Whether lanes that hold `held` may take `charge` beside, and not more than a part of all.
    fn is_within(&self, part: fn(usize) -> usize, held: Charge, charge: Charge) -> bool {
        let size_max = self.admission.capacity().map_or(usize::MAX, part);
        let bytes_max = part(self.rules.bytes_max);
        held.size.saturating_add(charge.size) <= size_max
            && held.bytes.saturating_add(charge.bytes) <= bytes_max
    }

    pub(super) fn hold(&mut self, id: LaneId, charge: Charge) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        lane.held.add(charge);
        self.health.add(lane, charge);
        self.came_to_rest(id);
    }

    pub(super) fn release(&mut self, id: LaneId, charge: Charge) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        lane.held.subtract(charge);
        self.health.subtract(lane, charge);
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

    /// The lane is not answered in time: it is not proven until it is answered again.
    pub(super) fn fell_silent(&mut self, id: LaneId) {
        self.change_health(id, |lane| (lane.is_proven, lane.is_silent) = (false, true));
    }

    /// The destination did not take what the lane sent.
    pub(super) fn not_taken(&mut self, id: LaneId, status: &Status) {
        self.change_health(id, |lane| {
            lane.is_proven = false;
            lane.last_failure = Some(status.clone());
        });
    }

    /// The destination answered the lane.
    pub(super) fn answered(&mut self, id: LaneId, is_failing: bool) {
        self.change_health(id, |lane| {
            (lane.is_proven, lane.is_silent, lane.is_failing) = (true, false, is_failing);
        });
    }

    fn change_health(&mut self, id: LaneId, change: impl FnOnce(&mut Lane)) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        self.health.subtract(lane, lane.held);
        let was_doubtful = lane.is_doubtful();
        change(lane);
        self.health.add(lane, lane.held);
        if !was_doubtful {
            self.came_to_rest(id);
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

fn half(all: usize) -> usize {
    all / 2
}

/// Three quarters.
fn most(all: usize) -> usize {
    all - all / 4
}

#[cfg(test)]
impl Engine {
    /// The counts add up to what the lanes hold, and nobody is overlooked who could be put out.
    pub(crate) fn check_health(&self) {
        let ids = self.lanes.ids();
        let lanes = || ids.iter().filter_map(|id| self.lanes.get(id));
        let mut expected = Health { is_spent: self.health.is_spent, ..Health::default() };
        lanes().for_each(|lane| expected.add(lane, lane.held));
        assert_eq!(self.health, expected);
        assert!(!self.health.is_spent || self.last_in_place(None).is_none());
    }
}
