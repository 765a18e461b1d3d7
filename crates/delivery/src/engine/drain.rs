//! Drain: everything is sent at once, nothing backs off any more, and what is left near the
//! deadline is answered.

use std::time::Instant;

use pipeline::{Code, Status, Verdict};

use super::batch::Cut;
use super::{Action, Engine, MemberId};

impl Engine {
    pub(super) fn drain(&mut self, ends_at: Instant, now: Instant) {
        self.ends_at = Some(self.ends_at.map_or(ends_at, |earlier| earlier.min(ends_at)));
        self.flush_all(Cut::Shutdown);
        for lane in self.lanes.values_mut() {
            lane.breaker.resume();
        }
        for (id, batch) in std::mem::take(&mut self.backoffs).into_values() {
            self.resume(id, batch);
        }
        let ids: Vec<_> = self.lanes.keys().copied().collect();
        for id in ids {
            self.give_turn(id);
        }
        if self.ends_at.is_some_and(|at| at <= now) {
            self.answer_all_left();
        }
    }

    /// There is no time left: everyone who still waits is told so.
    pub(super) fn answer_all_left(&mut self) {
        let ids: Vec<MemberId> = self.members.keys().copied().collect();
        for lane in self.lanes.values_mut() {
            lane.pending = None;
            lane.ready.clear();
            lane.running = 0;
            lane.waiting = 0;
            lane.has_turn = false;
        }
        self.turns.clear();
        self.unproven_turns.clear();
        self.undue.clear();
        self.backoffs.clear();
        self.halvings.clear();
        self.admission.forget_parked();
        for attempt in self.workers.end_all() {
            self.actions.push(Action::Abort(attempt));
        }
        for id in ids {
            self.answer_at_end(id);
        }
    }

    fn answer_at_end(&mut self, id: MemberId) {
        let message = "the collector shut down before it was delivered";
        let status = Status::new(Code::Unavailable, message);
        let Some(member) = self.members.get_mut(&id) else { return };
        let resting = member.resting();
        let flying = std::mem::take(&mut member.flying);
        let delay = Some(self.suggested_delay());
        for range in flying {
            self.settle(id, range, Verdict::Unknown(status.clone()));
        }
        for range in resting {
            self.settle(id, range, Verdict::RetryAfter { delay, status: status.clone() });
        }
    }
}
