//! Drain: everything is sent at once, nothing backs off any more, and what is left near the
//! deadline is answered. Callers of what keeps failing are told now: nothing is resumed for them.

use std::time::Instant;

use pipeline::{Code, Status, Verdict};

use super::batch::{Cut, Part};
use super::endings::Finish;
use super::lanes::LaneId;
use super::pending::Members;
use super::scopes::Passage;
use super::{Action, Engine, MemberId};

impl Engine {
    pub(super) fn drain(&mut self, ends_at: Instant, now: Instant) {
        self.ends_at = Some(self.ends_at.map_or(ends_at, |earlier| earlier.min(ends_at)));
        self.drain_store();
        self.flush_all(Cut::Shutdown);
        #[cfg(mutants)]
        if self.is_mutant(super::Mutant::HaltOutlivesDrain) {
            return;
        }
        let ids = self.lanes.ids();
        let halted: Vec<_> = ids.iter().copied().filter(|id| self.is_halted(*id, now)).collect();
        for (id, batch) in std::mem::take(&mut self.backoffs).into_values() {
            self.resume(id, batch);
        }
        for id in halted {
            self.abandon(id);
        }
        self.resume_scopes();
        for id in ids {
            self.finish(id, Finish::Abandoned);
        }
        if self.ends_at.is_some_and(|at| at <= now) {
            self.answer_all_left();
        }
    }

    /// Whether one more attempt now would only fail like the last.
    fn is_halted(&self, id: LaneId, now: Instant) -> bool {
        let is_ordered = self.rules.settings.lanes.is_ordered;
        let is_waiting = self
            .lanes
            .get(&id)
            .is_some_and(|lane| lane.breaker.is_shut() || (is_ordered && 0 < lane.backing_off));
        is_waiting || self.passage(id, now) != Passage::Free
    }

    /// Answers the callers of a lane that is halted, instead of trying once more. What nobody waits
    /// for is tried: it has nobody else.
    fn abandon(&mut self, id: LaneId) {
        let is_owed = |part: &Part, members: &Members| {
            members.get(&part.member).is_none_or(|one| one.deadline.is_none())
        };
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        let mut gone = Vec::new();
        for batch in &mut lane.ready {
            gone.extend(batch.extract(|part| is_owed(part, &self.members)));
        }
        gone.extend(self.extract_pending(id, is_owed));
        gone.retain(|part| self.members.get(&part.member).is_some_and(|one| !one.has_left));
        let delay = self.suggested_delay();
        let verdict = self.shut_verdict(id, delay);
        self.give_up(gone, &verdict, Some(delay));
    }

    /// There is no time left: everyone who still waits is told so.
    pub(super) fn answer_all_left(&mut self) {
        self.clear_resting();
        for attempt in self.workers.end_all() {
            self.actions.push(Action::Abort(attempt));
        }
        for lane in self.lanes.values_mut() {
            lane.running = 0;
        }
        self.admission.forget_parked();
        self.end_store();
        let ids: Vec<MemberId> = self.members.keys().collect();
        for id in ids {
            self.answer_at_end(id);
        }
    }

    /// Takes everything out of its place that is not being sent.
    pub(super) fn clear_resting(&mut self) {
        for lane in self.lanes.values_mut() {
            lane.pending = None;
            lane.ready.clear();
            lane.backing_off = 0;
            lane.halves_held = 0;
            lane.has_turn = false;
        }
        self.turns.clear();
        self.scopes.clear();
        self.undue.clear();
        self.backoffs.clear();
        self.halvings.clear();
    }

    fn answer_at_end(&mut self, id: MemberId) {
        let message = "the collector shut down before it was delivered";
        let status = Status::new(Code::Unavailable, message);
        let Some(member) = self.members.get_mut(&id) else { return };
        let resting = member.resting();
        let flying = std::mem::take(&mut member.flying);
        let delay = Some(self.suggested_delay());
        for (_, range) in flying {
            self.settle(id, range, Verdict::Unknown(status.clone()));
        }
        for range in resting {
            self.settle(id, range, Verdict::RetryAfter { delay, status: status.clone() });
        }
    }
}
