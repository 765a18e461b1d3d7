//! Patience: how long the callers of stored data wait, and what they are told then.
//!
//! Whose data is on disk is told so shortly before its deadline; whose is not, is told that.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::engine::{Action, Engine, MemberId};

/// How long before the deadline a caller is answered at most, so that the answer reaches it.
const MARGIN_MAX: Duration = Duration::from_millis(200);

#[derive(Clone, Debug, Default)]
pub(super) struct Patience {
    ends: BTreeSet<(Instant, MemberId)>,
    of_member: BTreeMap<MemberId, Ends>,
}

#[derive(Clone, Copy, Debug)]
struct Ends {
    at: Instant,
    is_written: bool,
}

impl Patience {
    pub(super) fn begin(&mut self, id: MemberId, deadline: Instant, now: Instant) {
        let left = deadline.saturating_duration_since(now);
        let at = now + (left - (left / 10).min(MARGIN_MAX));
        self.ends.insert((at, id));
        self.of_member.insert(id, Ends { at, is_written: false });
    }

    /// Its data is on disk, or never will be.
    pub(super) fn end_of_writing(&mut self, id: MemberId) {
        if let Some(ends) = self.of_member.get_mut(&id) {
            ends.is_written = true;
        }
    }

    /// It was answered; whether it still waited.
    pub(super) fn end(&mut self, id: MemberId) -> bool {
        let ends = self.of_member.remove(&id);
        ends.is_some_and(|ends| self.ends.remove(&(ends.at, id)))
    }

    /// Whether its caller still waits.
    pub(super) fn has(&self, id: MemberId) -> bool {
        self.of_member.contains_key(&id)
    }

    fn all_written(&self) -> Vec<MemberId> {
        let written = self.of_member.iter().filter(|(_, ends)| ends.is_written);
        written.map(|(id, _)| *id).collect()
    }
}

impl Engine {
    /// When the next caller of stored data is told how it stands.
    pub(super) fn next_impatient(&self) -> Option<Instant> {
        self.stored.patience.ends.first().map(|(at, _)| *at)
    }

    pub(super) fn answer_impatient(&mut self, now: Instant) {
        while self.next_impatient().is_some_and(|at| at <= now) {
            let Some((_, id)) = self.stored.patience.ends.first().copied() else { return };
            let is_written =
                self.stored.patience.of_member.get(&id).is_some_and(|ends| ends.is_written);
            if is_written {
                self.acknowledge(id);
            } else {
                self.stored.patience.end(id);
                self.too_slow(id);
            }
        }
    }

    /// Whether the caller of a member still waits for what becomes of it.
    pub(in crate::engine) fn is_awaited(&self, id: MemberId) -> bool {
        self.stored.patience.has(id)
    }

    /// Tells a caller that its data is on disk, if it has heard nothing yet.
    pub(super) fn acknowledge(&mut self, id: MemberId) {
        if self.stored.patience.end(id) {
            self.actions.push(Action::Acknowledge(id));
        }
    }

    /// Tells so everyone whose data is on disk.
    pub(super) fn acknowledge_all(&mut self) {
        for id in self.stored.patience.all_written() {
            self.acknowledge(id);
        }
    }
}
