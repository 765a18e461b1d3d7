//! Eviction: which lane goes when there are too many, or when it is idle.
//!
//! Bounds: `lanes_max`, and beyond it one lane for each admitted envelope until it is empty.

use std::time::Instant;

use pipeline::{Code, Status, Verdict};

use super::batch::Cut;
use super::lanes::LaneId;
use super::{Arrived, Engine, LaneKey};
use crate::settings::LanesMax;

/// How many lanes are looked at to find one that is idle.
const LOOKED_AT_MAX: usize = 16;

impl Engine {
    /// The lane of `key`, made if needed; the verdict when there are too many.
    pub(super) fn lane_for(&mut self, key: LaneKey, now: Instant) -> Result<LaneId, Verdict> {
        if let Some(id) = self.lanes.find(&key) {
            self.lanes.touch(id, now);
            return Ok(id);
        }
        let is_kept = self.store().is_some() || self.rules.settings.lanes.is_ordered;
        let lanes = &self.rules.settings.lanes;
        match lanes.max {
            LanesMax::Refuse(max) if max <= self.lanes.len() => return Err(too_many_combinations()),
            LanesMax::Evict(max) if max <= self.lanes.len() && is_kept => {
                self.forget_idle(now)?;
            }
            LanesMax::Evict(max) if max <= self.lanes.len() => self.evict_oldest(),
            _ => {}
        }
        Ok(self.lanes.open(key, now))
    }

    /// The lane of a stream that an earlier run left, however many there are.
    pub(super) fn lane_of_stream(&mut self, key: LaneKey, now: Instant) -> LaneId {
        self.lanes.find(&key).unwrap_or_else(|| self.lanes.open(key, now))
    }

    pub(super) fn refuse_lane(&mut self, members: &[Arrived], verdict: &Verdict) {
        for arrived in members {
            let Some(member) = self.members.get(&arrived.id) else { continue };
            self.settle(arrived.id, 0..member.items, verdict.clone());
        }
    }

    /// Removes a lane that was evicted, or makes sure it can be, once it is empty.
    pub(super) fn forget_if_evicted(&mut self, id: LaneId) {
        if self.lanes.get(&id).is_some_and(|lane| lane.is_evicted && lane.is_empty()) {
            self.forget(id);
        }
    }

    /// When the lane that was idle longest is due to go, at the earliest.
    pub(super) fn next_eviction(&self) -> Option<Instant> {
        let idle_timeout = self.rules.settings.lanes.idle_timeout?;
        Some(self.lanes.used_since()? + idle_timeout)
    }

    pub(super) fn evict_idle(&mut self, now: Instant) {
        let Some(idle_timeout) = self.rules.settings.lanes.idle_timeout else { return };
        while let Some((last_used, id)) = self.lanes.oldest()
            && last_used + idle_timeout <= now
        {
            if self.is_idle(id, now) {
                self.forget(id);
            } else {
                self.lanes.touch(id, now);
            }
        }
    }

    /// Makes room for a lane without parting one in two, whose order would be lost.
    fn forget_idle(&mut self, now: Instant) -> Result<(), Verdict> {
        for _ in 0..LOOKED_AT_MAX {
            let Some((_, id)) = self.lanes.oldest() else { break };
            if self.is_idle(id, now) {
                self.forget(id);
                return Ok(());
            }
            self.lanes.touch(id, now);
        }
        let status = Status::new(Code::Unavailable, "too many targets are in use at once");
        Err(Verdict::RetryAfter { delay: Some(self.suggested_delay()), status })
    }

    /// Whether the lane holds nothing, neither data nor back.
    fn is_idle(&self, id: LaneId, now: Instant) -> bool {
        let lane = self.lanes.get(&id);
        lane.is_none_or(|lane| {
            lane.is_empty() && lane.breaker.open_until().is_none_or(|until| until <= now)
        })
    }

    /// The oldest lane makes room. What it holds becomes ready work; nothing is waited for.
    fn evict_oldest(&mut self) {
        let Some((_, id)) = self.lanes.oldest() else { return };
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        if lane.is_empty() {
            return self.forget(id);
        }
        lane.is_evicted = true;
        self.lanes.retire(id);
        self.make_due(id, Cut::Full);
    }

    fn forget(&mut self, id: LaneId) {
        let Some(lane) = self.lanes.close(id) else { return };
        self.scopes.forget(&lane);
        if let Some(wake) = lane.wake {
            self.wakes.remove(&(wake, id));
        }
        self.undue.remove(&id);
    }
}

/// In upstream's words.
fn too_many_combinations() -> Verdict {
    let message = "too many batcher metadata-value combinations";
    Verdict::Refused(Status::new(Code::InvalidArgument, message))
}
