//! Dispatch: which lane the next free worker serves.
//!
//! Lanes take turns. Where several compete, a lane that is not proven gets one attempt at a time, a
//! trial, and trials have slots of their own, half as many as there are workers: so a target that
//! fails or swallows costs the others nothing. When a lane that worked falls silent, others may have
//! done so too: all that were not answered since then show with one attempt that they still work,
//! at once, among the slow; and so do, as long as something is slow, all that were never answered. So
//! many that are silent together hold the workers once, and not in turn.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pipeline::{Code, Status, Verdict};

use super::batch::Batch;
use super::lane::Lane;
use super::lanes::LaneId;
use super::member::push_snug;
use super::scopes::Passage;
use super::turns::{Free, Slot};
use super::workers::Count;
use super::{Action, Engine, MemberId, Start, StartPart};
use crate::target::Scope;

/// How long an attempt may take that nobody waits for and that has no timeout.
const ATTEMPT_MAX: Duration = Duration::from_hours(1);

/// Whether a lane may start something now.
enum Gate {
    Open(Slot),
    ShutUntil(Instant),
    /// What it relies on fails, or is being probed.
    Behind(Scope),
    /// One attempt at a time, and one is under way.
    Busy,
    Nothing,
}

impl Engine {
    pub(super) fn dispatch(&mut self, now: Instant) {
        while let Some(id) = self.next_turn() {
            match self.gate(id, now) {
                Gate::Open(slot) => self.start_or_wait(id, slot, now),
                Gate::ShutUntil(at) => self.wake_at(id, at),
                Gate::Behind(scope) => self.wait_behind(&scope, id, now),
                Gate::Busy | Gate::Nothing => {}
            }
            self.forget_if_evicted(id);
        }
    }

    /// Lines a lane up if it has something to start.
    pub(super) fn give_turn(&mut self, id: LaneId) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        if !lane.has_turn && lane.is_startable() {
            lane.has_turn = true;
            self.turns.push(id);
        }
    }

    fn has_free_worker(&self) -> bool {
        #[cfg(mutants)]
        if self.is_mutant(super::Mutant::RetryHoldsWorker) {
            return self.workers.len() + self.backoffs.len() < self.rules.workers_max;
        }
        #[cfg(mutants)]
        if self.is_mutant(super::Mutant::WorkerReturnedEarly) {
            return true;
        }
        self.workers.has_free()
    }

    fn next_turn(&mut self) -> Option<LaneId> {
        let free = Free {
            worker: self.has_free_worker(),
            first_trial: self.free_count(Slot::FirstTrial).is_some(),
            next_trial: self.free_count(Slot::NextTrial).is_some(),
            doubted: self.free_count(Slot::Doubted).is_some(),
        };
        let id = self.turns.next(free)?;
        self.set_turn(id, false);
        Some(id)
    }

    fn set_turn(&mut self, id: LaneId, has_turn: bool) {
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.has_turn = has_turn;
        }
    }

    fn gate(&self, id: LaneId, now: Instant) -> Gate {
        let Some(lane) = self.lanes.get(&id).filter(|lane| lane.is_startable()) else {
            return Gate::Nothing;
        };
        if let Some(until) = lane.breaker.open_until().filter(|until| now < *until) {
            return Gate::ShutUntil(until);
        }
        let passage = self.passage(id, now);
        if let Passage::Shut(scope) = passage {
            return Gate::Behind(scope);
        }
        let slot = self.slot_for(lane, &passage);
        let is_single = slot != Slot::Worker || self.is_ordered() || lane.breaker.is_probing();
        if self.is_behind_another(id) || (is_single && 0 < lane.running) {
            Gate::Busy
        } else {
            Gate::Open(slot)
        }
    }

    /// What the next attempt of the lane needs.
    fn slot_for(&self, lane: &Lane, passage: &Passage) -> Slot {
        let is_competing = self.is_shared() && !self.rules.is_relay;
        let is_trial = !lane.is_proven || *passage == Passage::Probe;
        match (is_competing, is_trial) {
            (false, _) => Slot::Worker,
            (true, true) if lane.last_failure.is_some() => Slot::NextTrial,
            (true, true) => Slot::FirstTrial,
            (true, false) if lane.answered_at < self.silence.since => Slot::Doubted,
            (true, false) => Slot::Worker,
        }
    }

    /// As what an attempt that needs `slot` counts, if there is room for it.
    fn free_count(&self, slot: Slot) -> Option<Count> {
        let has_trial = self.workers.has_free_trial();
        #[cfg(mutants)]
        if self.is_mutant(super::Mutant::TrialTakesWorker) {
            return self.has_free_worker().then_some(Count::Busy);
        }
        match slot {
            Slot::Worker => self.has_free_worker().then_some(Count::Busy),
            Slot::Doubted if self.workers.has_free_slow() => Some(Count::Slow),
            Slot::FirstTrial if !has_trial && self.is_hurrying() => Some(Count::Slow),
            Slot::Doubted | Slot::FirstTrial | Slot::NextTrial => has_trial.then_some(Count::Trial),
        }
    }

    /// Whether first trials are made at once, because some attempt takes too long: the next may, too.
    fn is_hurrying(&self) -> bool {
        #[cfg(mutants)]
        if self.is_mutant(super::Mutant::TrialsInSeries) {
            return false;
        }
        self.workers.has_slow() && self.workers.has_free_slow()
    }

    fn start_or_wait(&mut self, id: LaneId, slot: Slot, now: Instant) {
        if matches!(slot, Slot::FirstTrial | Slot::Doubted) {
            self.asks(id, now);
        }
        if let Some(counts_as) = self.free_count(slot) {
            self.start_next(id, counts_as, now);
            self.give_turn(id);
        } else {
            self.turns.wait_for(slot, id);
            self.set_turn(id, true);
        }
    }

    fn start_next(&mut self, id: LaneId, counts_as: Count, now: Instant) {
        loop {
            let Some(lane) = self.lanes.get_mut(&id) else { return };
            let Some(mut batch) = lane.take_next(&mut self.members) else { return };
            self.prune(&mut batch, now);
            self.give_up_outdated(&mut batch, now);
            if !batch.parts.is_empty() && self.is_exhausted(&batch, now) {
                let parts = std::mem::take(&mut batch.parts);
                let delay = self.suggested_delay();
                let verdict = self.shut_verdict(id, delay);
                self.expire(id, parts, (&verdict, delay));
            }
            if !batch.parts.is_empty() {
                return self.start(id, batch, counts_as, now);
            }
            self.half_consumed(&batch);
            if self.is_behind_another(id) {
                return;
            }
        }
    }

    fn is_ordered(&self) -> bool {
        let is_ordered = self.rules.settings.lanes.is_ordered;
        #[cfg(mutants)]
        let is_ordered = is_ordered && !self.is_mutant(super::Mutant::OrderOverlooked);
        is_ordered
    }

    /// Whether order is promised, and something of the lane that is to be sent again comes first.
    fn is_behind_another(&self, id: LaneId) -> bool {
        let is_backing_off = self.lanes.get(&id).is_some_and(|lane| 0 < lane.backing_off);
        self.is_ordered() && (is_backing_off || self.is_kept(id))
    }

    /// Drops what nobody waits for any more.
    fn prune(&mut self, batch: &mut Batch, now: Instant) {
        let members = &self.members;
        batch.extract(|part| members.get(&part.member).is_some_and(|member| !member.has_left));
        let is_in_time = |id: MemberId| {
            members.get(&id).is_some_and(|one| one.deadline.is_none_or(|deadline| now < deadline))
        };
        for part in batch.extract(|part| is_in_time(part.member)) {
            let status = Status::new(Code::Unavailable, "the deadline passed before it was sent");
            let delay = Some(self.suggested_delay());
            self.settle(part.member, part.range, Verdict::RetryAfter { delay, status });
        }
    }

    fn start(&mut self, id: LaneId, mut batch: Batch, counts_as: Count, now: Instant) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        lane.running += 1;
        let key = Arc::clone(&lane.key);
        self.inherit_trouble(id, &mut batch);
        batch.attempts += 1;
        batch.first_attempt.get_or_insert(now);
        let timeout = self.rules.settings.timeout.unwrap_or(ATTEMPT_MAX);
        let attempt = self.workers.next_id();
        let mut latest = Some(now);
        let mut parts = Vec::with_capacity(batch.parts.len());
        for part in &batch.parts {
            let Some(member) = self.members.get_mut(&part.member) else { continue };
            push_snug(&mut member.flying, (attempt, part.range.clone()));
            latest = latest.zip(member.deadline).map(|(a, b)| a.max(b));
            parts.push(StartPart {
                member: part.member,
                envelope: member.envelope,
                range: part.range.clone(),
                deadline: member.deadline,
            });
        }
        let deadline = latest.map_or(now + timeout, |latest| latest.min(now + timeout));
        let (items, number) = (batch.items(), batch.attempts);
        let cut = batch.cut.filter(|_| number == 1 && batch.half_of.is_none());
        self.workers.start(id, batch, counts_as, (now, deadline));
        self.probe_started(id, attempt);
        let start = Start { attempt, key, parts, items, cut, number, deadline };
        self.actions.push(Action::Start(Box::new(start)));
    }
}
