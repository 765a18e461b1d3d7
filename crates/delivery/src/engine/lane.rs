//! Lane: the work of one partition, as it stands.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pipeline::{Code, Status};

use super::LaneKey;
use super::batch::{Batch, Cut};
use super::breaker::Breaker;
use super::health::Charge;
use super::lanes::LaneId;
use super::pending::{Members, unmark};
use super::stored::Backlog;
use super::told::Told;
use crate::target::Scope;

#[derive(Clone, Debug)]
pub(super) struct Lane {
    pub(super) id: LaneId,
    pub(super) key: Arc<LaneKey>,
    /// Waits for company.
    pub(super) pending: Option<Box<Pending>>,
    /// Wait for a worker only.
    pub(super) ready: VecDeque<Batch>,
    pub(super) running: usize,
    /// Batches that wait for their next attempt.
    pub(super) backing_off: usize,
    /// Halves that wait for the verdict on the other.
    pub(super) halves_held: usize,
    /// What of it is on disk.
    pub(super) backlog: Backlog,
    pub(super) breaker: Breaker,
    /// Scopes that it failed by, beside those that its target names.
    pub(super) scopes_met: Vec<Scope>,
    /// A breaker holds back what comes.
    pub(super) is_failing: bool,
    /// An attempt takes too long, or to be made, and no other was answered since.
    pub(super) is_silent: bool,
    /// What its envelopes take.
    pub(super) held: Charge,
    /// Since when it asks to show whether it works, if no attempt has ended since.
    pub(super) asks_since: Option<Instant>,
    /// Whether the destination answered the last attempt.
    pub(super) is_proven: bool,
    /// When the destination last answered.
    pub(super) answered_at: Option<Instant>,
    pub(super) last_failure: Option<Status>,
    /// That it fails, if operators know.
    pub(super) told: Option<Box<Told>>,
    /// Whether it stands in the turns.
    pub(super) has_turn: bool,
    pub(super) wake: Option<Instant>,
    pub(super) last_used: Instant,
    /// Under which time it stands in the order of age.
    pub(super) listed_at: Instant,
    /// It goes as soon as it is empty.
    pub(super) is_evicted: bool,
}

/// The batch that waits for company.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) batch: Batch,
    pub(super) opened_at: Instant,
    pub(super) last_arrival: Instant,
    /// Members whose caller may send more, or does not wait.
    pub(super) open_callers: usize,
    /// It goes to the next free worker, and may grow until then.
    pub(super) due: Option<Cut>,
}

impl Lane {
    pub(super) fn new(id: LaneId, key: Arc<LaneKey>, now: Instant) -> Self {
        Self {
            id,
            key,
            pending: None,
            ready: VecDeque::new(),
            running: 0,
            backing_off: 0,
            halves_held: 0,
            backlog: Backlog::default(),
            breaker: Breaker::default(),
            scopes_met: Vec::new(),
            is_failing: false,
            is_silent: false,
            held: Charge::default(),
            asks_since: None,
            is_proven: false,
            answered_at: None,
            last_failure: None,
            told: None,
            has_turn: false,
            wake: None,
            last_used: now,
            listed_at: now,
            is_evicted: false,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        let outstanding = self.running + self.backing_off + self.halves_held;
        let is_idle = self.pending.is_none() && self.ready.is_empty() && outstanding == 0;
        is_idle && self.backlog.is_empty()
    }

    /// Whether nothing is to be said about it.
    pub(super) fn is_at_rest(&self) -> bool {
        self.is_empty() && !self.has_backlog()
    }

    /// Whether something of it waits on disk, or what is there is damaged.
    pub(super) fn has_backlog(&self) -> bool {
        self.backlog.is_waiting()
    }

    /// Whether it may hold as much as it likes.
    pub(super) fn is_healthy(&self) -> bool {
        !self.is_failing && !self.is_silent
    }

    /// Whether its target did not take what was sent last, or does not answer. A lane that only waits
    /// for what it shares with others is not.
    pub(super) fn is_doubtful(&self) -> bool {
        self.is_silent || (!self.is_proven && self.last_failure.is_some())
    }

    /// What is said about what of it is on disk.
    pub(super) fn explain_backlog(&self) -> String {
        self.backlog.explain()
    }

    /// What it relies on, with others.
    pub(super) fn scopes(&self) -> impl Iterator<Item = &Scope> {
        self.key.target.scopes().iter().chain(&self.scopes_met)
    }

    /// Whether a free worker could take something.
    pub(super) fn is_startable(&self) -> bool {
        !self.ready.is_empty() || self.pending.as_ref().is_some_and(|pending| pending.due.is_some())
    }

    /// What the next free worker takes.
    pub(super) fn take_next(&mut self, members: &mut Members) -> Option<Batch> {
        self.ready.pop_front().or_else(|| self.take_pending_if_due(members))
    }

    fn take_pending_if_due(&mut self, members: &mut Members) -> Option<Batch> {
        let cut = self.pending.as_ref()?.due?;
        let mut batch = self.pending.take()?.batch;
        batch.cut = Some(cut);
        unmark(members, &batch);
        Some(batch)
    }
}

impl Pending {
    /// When it is cut if nothing more happens.
    pub(super) fn cut_at(&self, flush_timeout: Option<Duration>) -> Option<(Instant, Cut)> {
        let flush_timeout = flush_timeout?;
        let timer = self.opened_at + flush_timeout;
        let quiet = self.last_arrival + quiet_period(flush_timeout);
        let is_idle = self.open_callers == 0 && quiet < timer;
        Some(if is_idle { (quiet, Cut::Idle) } else { (timer, Cut::Timer) })
    }
}

/// The status of a lane of which nothing else is known.
pub(super) fn not_taking() -> Status {
    Status::new(Code::Unavailable, "the destination is not taking data")
}

/// How long nothing arrives until nobody is expected who could send company.
fn quiet_period(flush_timeout: Duration) -> Duration {
    (flush_timeout / 10).min(Duration::from_millis(50))
}
