//! Scopes: what several lanes rely on, and whether it works.
//!
//! A credential that expired is one breaker, not one for each target: lanes behind it wait without
//! opening their own, and one probe finds out for all. Bounds: [`SCOPES_MAX`] that fail at once; what
//! is beyond counts as the lane's own. Invariant: whoever waits behind a scope is woken by its end,
//! by its next probe, or by the end of that probe.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use pipeline::Status;

use super::breaker::Breaker;
use super::lanes::LaneId;
use super::{AttemptId, Engine};
use crate::target::Scope;

/// How many scopes may fail at once.
const SCOPES_MAX: usize = 1000;

/// Scopes of which an attempt failed since they last answered.
#[derive(Clone, Debug, Default)]
pub(super) struct Scopes(BTreeMap<Scope, Failing>);

#[derive(Clone, Debug, Default)]
struct Failing {
    breaker: Breaker,
    /// The last wait between probes, before jitter.
    interval: Option<Duration>,
    status: Option<Status>,
    /// The one attempt that may find out if it works again.
    probe: Option<AttemptId>,
    /// Those behind it were told that its pause is over.
    is_woken: bool,
    /// Lanes that wait for it.
    behind: BTreeSet<LaneId>,
    /// Lanes that failed by it and whose targets do not name it.
    met_by: BTreeSet<LaneId>,
}

/// What the scopes of a lane say about an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Passage {
    Free,
    /// It would find out if they work again.
    Probe,
    Shut(Scope),
}

/// What a failure counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blamed {
    /// The scope, which is shut until then, or not yet.
    Scope(Option<Instant>),
    Lane,
}

impl Failing {
    fn is_open(&self, now: Instant) -> bool {
        self.breaker.open_until().is_some_and(|until| now < until)
    }
}

impl Scopes {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The scopes that hold something back, until when, and how many lanes wait.
    pub(super) fn shut(&self) -> impl Iterator<Item = (&Scope, Option<Instant>, usize)> {
        let shut = self.0.iter().filter(|(_, failing)| failing.breaker.is_shut());
        shut.map(|(scope, failing)| (scope, failing.breaker.open_until(), failing.behind.len()))
    }

    /// When a pause is over that lanes wait for.
    pub(super) fn next_probe(&self) -> Option<Instant> {
        let waited = self.0.values().filter(|one| !one.is_woken && !one.behind.is_empty());
        waited.filter_map(|one| one.breaker.open_until()).min()
    }

    fn forget(&mut self, id: LaneId) {
        for failing in self.0.values_mut() {
            failing.behind.remove(&id);
            failing.met_by.remove(&id);
        }
    }
}

impl Engine {
    /// Whether an attempt of the lane may start as far as its scopes are concerned.
    pub(super) fn passage(&self, id: LaneId, now: Instant) -> Passage {
        let Some(lane) = self.lanes.get(&id).filter(|_| !self.scopes.is_empty()) else {
            return Passage::Free;
        };
        let mut passage = Passage::Free;
        for scope in lane.scopes() {
            let Some(failing) = self.scopes.0.get(scope) else { continue };
            if failing.is_open(now) || failing.probe.is_some() {
                return Passage::Shut(scope.clone());
            }
            if failing.breaker.is_shut() {
                passage = Passage::Probe;
            }
        }
        passage
    }

    /// Until when nothing of the lane is sent, because of its own breaker or of a scope's.
    pub(super) fn shut_until(&self, id: LaneId, now: Instant) -> Option<Instant> {
        let lane = self.lanes.get(&id)?;
        let scopes = lane.scopes().filter_map(|scope| self.scopes.0.get(scope));
        let untils = scopes.map(|failing| failing.breaker.open_until());
        let latest = untils.chain([lane.breaker.open_until()]).flatten().max();
        latest.filter(|until| now < *until)
    }

    /// Why nothing of the lane is sent.
    pub(super) fn last_failure(&self, id: LaneId) -> Option<Status> {
        let lane = self.lanes.get(&id)?;
        let shut = lane.scopes().find_map(|scope| self.scopes.0.get(scope)?.status.clone());
        shut.or_else(|| lane.last_failure.clone())
    }

    /// The lane waits for a scope.
    pub(super) fn wait_behind(&mut self, scope: &Scope, id: LaneId, now: Instant) {
        if let Some(failing) = self.scopes.0.get_mut(scope) {
            failing.behind.insert(id);
        }
        self.set_failing(id, true);
        self.give_up_until_resumption(id, now);
    }

    /// The attempt of the lane finds out about all scopes that it relies on.
    pub(super) fn probe_started(&mut self, id: LaneId, attempt: AttemptId) {
        let Some(lane) = self.lanes.get(&id).filter(|_| !self.scopes.is_empty()) else { return };
        for scope in lane.scopes() {
            let failing = self.scopes.0.get_mut(scope);
            if let Some(failing) = failing.filter(|failing| failing.breaker.is_shut()) {
                failing.probe = Some(attempt);
            }
        }
    }

    /// An attempt failed because of `scope`.
    pub(super) fn scope_failed(
        &mut self,
        (scope, status): (&Scope, &Status),
        (id, attempt): (LaneId, AttemptId),
        asked: Option<Duration>,
        now: Instant,
    ) -> Blamed {
        let is_known = self.scopes.0.contains_key(scope);
        if self.ends_at.is_some() || (!is_known && SCOPES_MAX <= self.scopes.0.len()) {
            return Blamed::Lane;
        }
        self.meet(scope, id);
        let last = self.scopes.0.get(scope).and_then(|failing| failing.interval);
        let (wait, interval) = self.wait_after(last, asked).unwrap_or_default();
        let next = self.workers.next_id();
        let Some(failing) = self.scopes.0.get_mut(scope) else { return Blamed::Lane };
        failing.status = Some(status.clone());
        failing.probe = failing.probe.filter(|probe| *probe != attempt);
        if failing.breaker.is_shut() && !failing.breaker.is_judged_by(attempt) {
            // It was under way when another failed: no news, unless the destination asks for more.
            failing.breaker.pause_until(now + asked.unwrap_or_default(), true);
        } else {
            failing.interval = interval;
            failing.breaker.failed(now, (wait, asked), next);
        }
        failing.is_woken = false;
        let until = failing.breaker.open_until().filter(|until| now < *until);
        for behind in failing.behind.clone() {
            self.give_up_until_resumption(behind, now);
        }
        Blamed::Scope(until)
    }

    /// The destination took, or refused, what `attempt` brought: all that its lane relies on works.
    pub(super) fn scopes_answered(&mut self, id: LaneId, attempt: AttemptId) {
        let Some(lane) = self.lanes.get(&id).filter(|_| !self.scopes.is_empty()) else { return };
        for scope in lane.scopes().cloned().collect::<Vec<_>>() {
            let failing = self.scopes.0.get(&scope);
            let is_news = |failing: &Failing| {
                failing.probe == Some(attempt) || failing.breaker.is_judged_by(attempt)
            };
            if failing.is_some_and(is_news) {
                self.close_scope(&scope);
            }
        }
    }

    /// The attempt ended without a word on what it probed: that goes on failing.
    pub(super) fn probes_ended(&mut self, id: LaneId, attempt: AttemptId, now: Instant) {
        #[cfg(mutants)]
        if self.is_mutant(super::Mutant::ProbeForgotten) {
            return;
        }
        let probed = self.scopes.0.iter().filter(|(_, failing)| failing.probe == Some(attempt));
        let probed: Vec<_> =
            probed.map(|(scope, failing)| (scope.clone(), failing.status.clone())).collect();
        for (scope, status) in probed {
            let status = status.unwrap_or_else(super::lane::not_taking);
            let blamed = self.scope_failed((&scope, &status), (id, attempt), None, now);
            if !matches!(blamed, Blamed::Scope(Some(_))) {
                self.close_scope(&scope);
            }
        }
    }

    /// Wakes who waits behind a scope whose pause is over; the first to start is its probe.
    pub(super) fn wake_behind(&mut self, now: Instant) {
        let mut woken = Vec::new();
        for failing in self.scopes.0.values_mut() {
            if !failing.is_open(now) && !failing.is_woken {
                failing.is_woken = true;
                woken.extend(failing.behind.iter().copied());
            }
        }
        for id in woken {
            self.give_turn(id);
        }
    }

    /// Nothing is held back any more, because there is no time left to wait.
    pub(super) fn resume_scopes(&mut self) {
        for scope in self.scopes.0.keys().cloned().collect::<Vec<_>>() {
            self.close_scope(&scope);
        }
    }

    pub(super) fn forget_in_scopes(&mut self, id: LaneId) {
        self.scopes.forget(id);
    }

    fn close_scope(&mut self, scope: &Scope) {
        let Some(failing) = self.scopes.0.remove(scope) else { return };
        for id in failing.met_by {
            if let Some(lane) = self.lanes.get_mut(&id) {
                lane.scopes_met.retain(|met| met != scope);
            }
        }
        for id in failing.behind {
            let is_failing = self.lanes.get(&id).is_some_and(|lane| lane.breaker.is_shut());
            self.set_failing(id, is_failing);
            self.give_turn(id);
        }
    }

    /// Notes that the scope fails, and that the lane relies on it.
    fn meet(&mut self, scope: &Scope, id: LaneId) {
        let failing = self.scopes.0.entry(scope.clone()).or_default();
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        if !lane.scopes().any(|known| known == scope) {
            lane.scopes_met.push(scope.clone());
            failing.met_by.insert(id);
        }
    }
}
