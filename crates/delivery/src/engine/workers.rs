//! Workers: attempts under way. A worker is a number, not a place to sleep.
//!
//! Bounds: `max` attempts, and as many again that take so long that they count as slow.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::AttemptId;
use super::batch::Batch;
use super::lane::LaneId;

/// An attempt is not slow before this.
const SLOW_MIN: Duration = Duration::from_secs(1);
/// How many usual round trips make an attempt slow.
const SLOW_FACTOR: u32 = 3;

#[derive(Clone, Debug)]
pub(super) struct Workers {
    max: usize,
    slow: usize,
    trials: usize,
    next: u64,
    running: BTreeMap<AttemptId, Running>,
    /// When an attempt becomes slow.
    slow_at: BTreeSet<(Instant, AttemptId)>,
    /// A moving average over the attempts that were answered.
    usual: Option<Duration>,
}

#[derive(Clone, Debug)]
pub(super) struct Running {
    pub(super) batch: Batch,
    pub(super) lane: LaneId,
    pub(super) started: Instant,
    deadline: Instant,
    /// Counts towards the share of the lanes that are not proven.
    pub(super) is_trial: bool,
    is_slow: bool,
    slow_at: Instant,
    /// Parts that were not answered yet, when they are answered one by one.
    pub(super) is_part_open: Vec<bool>,
}

impl Workers {
    pub(super) fn new(max: usize) -> Self {
        Self {
            max,
            slow: 0,
            trials: 0,
            next: 0,
            running: BTreeMap::new(),
            slow_at: BTreeSet::new(),
            usual: None,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.running.len()
    }

    pub(super) fn has_free(&self) -> bool {
        self.running.len() - self.slow < self.max
    }

    /// Whether one more lane that is not proven may try.
    pub(super) fn has_free_trial(&self) -> bool {
        self.trials < (self.max / 2).max(1)
    }

    /// When the last of the attempts under way ends.
    pub(super) fn latest_deadline(&self) -> Option<Instant> {
        self.running.values().map(|running| running.deadline).max()
    }

    pub(super) fn is_running(&self, id: AttemptId) -> bool {
        self.running.contains_key(&id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (AttemptId, &Running)> {
        self.running.iter().map(|(id, running)| (*id, running))
    }

    pub(super) fn find(&mut self, id: AttemptId) -> Option<&mut Running> {
        self.running.get_mut(&id)
    }

    pub(super) fn start(
        &mut self,
        lane: LaneId,
        batch: Batch,
        is_trial: bool,
        (now, deadline): (Instant, Instant),
    ) -> AttemptId {
        let id = AttemptId(self.next);
        self.next += 1;
        self.trials += usize::from(is_trial);
        let slow_at = now + SLOW_MIN.max(self.usual.unwrap_or_default() * SLOW_FACTOR);
        self.slow_at.insert((slow_at, id));
        let is_part_open = vec![true; batch.parts.len()];
        let running = Running {
            batch,
            lane,
            started: now,
            deadline,
            is_trial,
            is_slow: false,
            slow_at,
            is_part_open,
        };
        self.running.insert(id, running);
        id
    }

    pub(super) fn end(&mut self, id: AttemptId) -> Option<Running> {
        let running = self.running.remove(&id)?;
        self.slow_at.remove(&(running.slow_at, id));
        self.slow -= usize::from(running.is_slow);
        self.trials -= usize::from(running.is_trial);
        Some(running)
    }

    /// Ends all attempts.
    pub(super) fn end_all(&mut self) -> Vec<AttemptId> {
        let ids: Vec<_> = self.running.keys().copied().collect();
        for id in &ids {
            self.end(*id);
        }
        ids
    }

    /// An attempt was answered after `taken`.
    pub(super) fn learn(&mut self, taken: Duration) {
        self.usual = Some(self.usual.map_or(taken, |usual| (usual * 7 + taken) / 8));
    }

    /// When the next attempt becomes slow, if there is room among the slow.
    pub(super) fn next_slow(&self) -> Option<Instant> {
        let has_room = self.slow < self.max;
        self.slow_at.first().filter(|_| has_room).map(|(at, _)| *at)
    }

    /// Attempts that take too long make room for others.
    pub(super) fn promote_slow(&mut self, now: Instant) {
        while self.next_slow().is_some_and(|at| at <= now) {
            let Some((_, id)) = self.slow_at.pop_first() else { return };
            if let Some(running) = self.running.get_mut(&id) {
                running.is_slow = true;
                self.slow += 1;
            }
        }
    }
}
