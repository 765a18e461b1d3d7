//! Workers: attempts under way. A worker is a number, not a place to sleep.
//!
//! Bounds: `max` attempts; beside them, where several lanes compete, half as many trials of lanes
//! that are not proven, and twice as many (64 at least) that take so long that they count as slow.
//! A lane has `max` attempts at most, so one that swallows leaves half of the slow to the others.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::AttemptId;
use super::batch::Batch;
use super::lane::LaneId;

/// An attempt is not slow before this.
const SLOW_MIN: Duration = Duration::from_secs(1);
/// How many usual round trips make an attempt slow.
const SLOW_FACTOR: u32 = 3;

/// How many slow attempts there may be at least.
const SLOW_LEN_MIN: usize = 64;

#[derive(Clone, Debug)]
pub(super) struct Workers {
    max: usize,
    busy: usize,
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
    counts_as: Count,
    slow_at: Instant,
    /// Parts that were not answered yet, when they are answered one by one.
    pub(super) is_part_open: Vec<bool>,
}

/// Which of the bounds an attempt counts towards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Count {
    Busy,
    Trial,
    Slow,
}

impl Workers {
    pub(super) fn new(max: usize) -> Self {
        Self {
            max,
            busy: 0,
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
        self.busy < self.max
    }

    /// Whether one more lane that is not proven may try.
    pub(super) fn has_free_trial(&self) -> bool {
        self.trials < (self.max / 2).max(1)
    }

    /// The attempt that is started next.
    pub(super) fn next_id(&self) -> AttemptId {
        AttemptId(self.next)
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
        let counts_as = if is_trial { Count::Trial } else { Count::Busy };
        *self.count_mut(counts_as) += 1;
        let slow_at = now + SLOW_MIN.max(self.usual.unwrap_or_default() * SLOW_FACTOR);
        self.slow_at.insert((slow_at, id));
        let is_part_open = vec![true; batch.parts.len()];
        let running =
            Running { batch, lane, started: now, deadline, counts_as, slow_at, is_part_open };
        self.running.insert(id, running);
        id
    }

    pub(super) fn end(&mut self, id: AttemptId) -> Option<Running> {
        let running = self.running.remove(&id)?;
        self.slow_at.remove(&(running.slow_at, id));
        *self.count_mut(running.counts_as) -= 1;
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
        let has_room = self.slow < self.max.saturating_mul(2).max(SLOW_LEN_MIN);
        self.slow_at.first().filter(|_| has_room).map(|(at, _)| *at)
    }

    /// Attempts that take too long make room for others; gives their lanes.
    pub(super) fn promote_slow(&mut self, now: Instant) -> Vec<LaneId> {
        let mut lanes = Vec::new();
        while self.next_slow().is_some_and(|at| at <= now) {
            let Some((_, id)) = self.slow_at.pop_first() else { break };
            let Some(running) = self.running.get_mut(&id) else { continue };
            lanes.push(running.lane);
            let before = std::mem::replace(&mut running.counts_as, Count::Slow);
            *self.count_mut(before) -= 1;
            self.slow += 1;
        }
        lanes
    }

    fn count_mut(&mut self, count: Count) -> &mut usize {
        match count {
            Count::Busy => &mut self.busy,
            Count::Trial => &mut self.trials,
            Count::Slow => &mut self.slow,
        }
    }
}
