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
use super::lane::Lane;
use super::lanes::LaneId;
use super::told::Told;
use super::{AttemptId, Engine};
use crate::target::Scope;

/// How many scopes may fail at once.
const SCOPES_MAX: usize = 1000;

/// Scopes of which an attempt failed since they last answered.
#[derive(Clone, Debug, Default)]
pub(super) struct Scopes {
    failing: BTreeMap<Scope, Failing>,
    /// Those with a pause that lanes wait for, by its end.
    pauses: BTreeSet<(Instant, Scope)>,
}

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
    /// Under which time it stands among the pauses.
    listed_at: Option<Instant>,
    /// That it fails, if operators know.
    told: Option<Box<Told>>,
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

    /// The end of a pause that lanes wait for.
    fn pause(&self) -> Option<Instant> {
        self.breaker.open_until().filter(|_| !self.is_woken && !self.behind.is_empty())
    }
}

impl Scopes {
    pub(super) fn is_empty(&self) -> bool {
        self.failing.is_empty()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The scopes that hold something back, until when, and how many lanes wait.
    pub(super) fn shut(&self) -> impl Iterator<Item = (&Scope, Option<Instant>, usize)> {
        let shut = self.failing.iter().filter(|(_, failing)| failing.breaker.is_shut());
        shut.map(|(scope, failing)| (scope, failing.breaker.open_until(), failing.behind.len()))
    }

    /// When a pause is over that lanes wait for.
    pub(super) fn next_probe(&self) -> Option<Instant> {
        self.pauses.first().map(|(at, _)| *at)
    }

    /// What operators know of a scope that fails.
    pub(super) fn told(&mut self, scope: &Scope) -> Option<&mut Option<Box<Told>>> {
        self.failing.get_mut(scope).map(|failing| &mut failing.told)
    }

    /// The lane goes.
    pub(super) fn forget(&mut self, lane: &Lane) {
        if self.is_empty() {
            return;
        }
        for scope in lane.scopes() {
            self.change(scope, |failing| {
                failing.behind.remove(&lane.id);
                failing.met_by.remove(&lane.id);
            });
        }
    }

    /// Changes what is known of a scope that fails; it stands among the pauses as it is then.
    fn change<T>(&mut self, scope: &Scope, change: impl FnOnce(&mut Failing) -> T) -> Option<T> {
        let failing = self.failing.get_mut(scope)?;
        let changed = change(failing);
        let (before, pause) = (failing.listed_at, failing.pause());
        if before != pause {
            failing.listed_at = pause;
            self.unlist(scope, before);
            self.pauses.extend(pause.map(|at| (at, scope.clone())));
        }
        Some(changed)
    }

    /// It does not fail any more.
    fn remove(&mut self, scope: &Scope) -> Option<Failing> {
        let failing = self.failing.remove(scope)?;
        self.unlist(scope, failing.listed_at);
        Some(failing)
    }

    fn unlist(&mut self, scope: &Scope, listed_at: Option<Instant>) {
        if let Some(at) = listed_at {
            self.pauses.remove(&(at, scope.clone()));
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
            let Some(failing) = self.scopes.failing.get(scope) else { continue };
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
        let scopes = lane.scopes().filter_map(|scope| self.scopes.failing.get(scope));
        let untils = scopes.map(|failing| failing.breaker.open_until());
        let latest = untils.chain([lane.breaker.open_until()]).flatten().max();
        latest.filter(|until| now < *until)
    }

    /// Why nothing of the lane is sent.
    pub(super) fn last_failure(&self, id: LaneId) -> Option<Status> {
        let lane = self.lanes.get(&id)?;
        let shut = lane.scopes().find_map(|scope| self.scopes.failing.get(scope)?.status.clone());
        shut.or_else(|| lane.last_failure.clone())
    }

    /// The lane waits for a scope.
    pub(super) fn wait_behind(&mut self, scope: &Scope, id: LaneId, now: Instant) {
        self.scopes.change(scope, |failing| failing.behind.insert(id));
        self.set_failing(id, true);
        self.give_up_until_resumption(id, now);
    }

    /// The attempt of the lane finds out about all scopes that it relies on.
    pub(super) fn probe_started(&mut self, id: LaneId, attempt: AttemptId) {
        let Some(lane) = self.lanes.get(&id).filter(|_| !self.scopes.is_empty()) else { return };
        for scope in lane.scopes() {
            let failing = self.scopes.failing.get_mut(scope);
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
        let is_known = self.scopes.failing.contains_key(scope);
        if self.ends_at.is_some() || (!is_known && SCOPES_MAX <= self.scopes.failing.len()) {
            return Blamed::Lane;
        }
        self.meet(scope, id);
        let last = self.scopes.failing.get(scope).and_then(|failing| failing.interval);
        let (wait, interval) = self.wait_after(last, asked).unwrap_or_default();
        let next = self.workers.next_id();
        let changed = self.scopes.change(scope, |failing| {
            failing.status = Some(status.clone());
            failing.probe = failing.probe.filter(|probe| *probe != attempt);
            if failing.breaker.is_shut() && !failing.breaker.is_judged_by(attempt) {
                // It was under way when another failed: no news, unless more is asked for.
                failing.breaker.pause_until(now + asked.unwrap_or_default(), true);
            } else {
                failing.interval = interval;
                failing.breaker.failed(now, (wait, asked), next);
            }
            failing.is_woken = false;
            let until = failing.breaker.open_until().filter(|until| now < *until);
            (until, failing.behind.clone())
        });
        let Some((until, behind)) = changed else { return Blamed::Lane };
        for id in behind {
            self.give_up_until_resumption(id, now);
            if until.is_none() {
                // There is no pause: the next of them is the next probe.
                self.give_turn(id);
            }
        }
        Blamed::Scope(until)
    }

    /// The destination took, or refused, what `attempt` brought: all that its lane relies on works.
    pub(super) fn scopes_answered(&mut self, id: LaneId, attempt: AttemptId) {
        let Some(lane) = self.lanes.get(&id).filter(|_| !self.scopes.is_empty()) else { return };
        for scope in lane.scopes().cloned().collect::<Vec<_>>() {
            let Some(failing) = self.scopes.failing.get_mut(&scope) else { continue };
            if failing.probe == Some(attempt) || failing.breaker.is_judged_by(attempt) {
                let told = failing.told.take();
                self.close_scope(&scope);
                self.note_resumed(told, super::Failing::Scope(scope));
            }
        }
    }

    /// The attempt ended without a word on what it probed: that goes on failing.
    pub(super) fn probes_ended(&mut self, id: LaneId, attempt: AttemptId, now: Instant) {
        #[cfg(mutants)]
        if self.is_mutant(super::Mutant::ProbeForgotten) {
            return;
        }
        let Some(lane) = self.lanes.get(&id).filter(|_| !self.scopes.is_empty()) else { return };
        let failing = |scope| Some((scope, self.scopes.failing.get(scope)?));
        let relied_on = lane.scopes().filter_map(failing);
        let probed = relied_on.filter(|(_, failing)| failing.probe == Some(attempt));
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
        while let Some((_, scope)) = self.scopes.pauses.first().filter(|(at, _)| *at <= now) {
            let scope = scope.clone();
            let woken = self.scopes.change(&scope, |failing| {
                failing.is_woken = true;
                failing.behind.clone()
            });
            for id in woken.unwrap_or_default() {
                self.give_turn(id);
            }
        }
    }

    /// Nothing is held back any more, because there is no time left to wait.
    pub(super) fn resume_scopes(&mut self) {
        for scope in self.scopes.failing.keys().cloned().collect::<Vec<_>>() {
            self.close_scope(&scope);
        }
    }

    fn close_scope(&mut self, scope: &Scope) {
        let Some(failing) = self.scopes.remove(scope) else { return };
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
        let failing = self.scopes.failing.entry(scope.clone()).or_default();
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        if !lane.scopes().any(|known| known == scope) {
            lane.scopes_met.push(scope.clone());
            failing.met_by.insert(id);
        }
    }
}
