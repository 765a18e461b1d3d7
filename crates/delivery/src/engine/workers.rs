//! Workers: attempts under way. A worker is a number, not a place to sleep.
//!
//! Bounds: `max` attempts; beside them, where several lanes compete, half as many trials of lanes
//! that are not proven, and twice as many (64 at least) that take so long that they count as slow.
//! A lane has `max` attempts at most, so one that swallows leaves half of the slow to the others; and
//! a quarter is for attempts of workers only: a lane that falls silent makes room beside many others.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::AttemptId;
use super::batch::Batch;
use super::lanes::LaneId;

/// An attempt is not slow before this.
pub(super) const SLOW_MIN: Duration = Duration::from_secs(1);
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
    /// When an attempt of a worker becomes slow.
    busy_until: BTreeSet<(Instant, AttemptId)>,
    /// When a trial becomes slow.
    trials_until: BTreeSet<(Instant, AttemptId)>,
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
pub(super) enum Count {
    Busy,
    Trial,
    Slow,
}

/// An attempt that takes too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Overdue {
    pub(super) lane: LaneId,
    pub(super) started: Instant,
    /// Its lane worked before.
    pub(super) is_news: bool,
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
            busy_until: BTreeSet::new(),
            trials_until: BTreeSet::new(),
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

    /// Whether something takes too long.
    pub(super) fn has_slow(&self) -> bool {
        0 < self.slow
    }

    /// Whether one more that was no worker's may be slow.
    pub(super) fn has_free_slow(&self) -> bool {
        self.slow < self.slow_max() / 4 * 3
    }

    /// The attempt that [`Workers::start`] starts next.
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

    pub(super) fn find(&mut self, id: AttemptId) -> Option<&mut Running> {
        self.running.get_mut(&id)
    }

    pub(super) fn start(
        &mut self,
        lane: LaneId,
        batch: Batch,
        counts_as: Count,
        (now, deadline): (Instant, Instant),
    ) {
        let id = AttemptId(self.next);
        self.next += 1;
        *self.count_mut(counts_as) += 1;
        let slow_at = now + SLOW_MIN.max(self.usual.unwrap_or_default() * SLOW_FACTOR);
        match counts_as {
            Count::Busy => _ = self.busy_until.insert((slow_at, id)),
            Count::Trial => _ = self.trials_until.insert((slow_at, id)),
            Count::Slow => {}
        }
        let is_part_open = vec![true; batch.parts.len()];
        let running =
            Running { batch, lane, started: now, deadline, counts_as, slow_at, is_part_open };
        self.running.insert(id, running);
    }

    pub(super) fn end(&mut self, id: AttemptId) -> Option<Running> {
        let running = self.running.remove(&id)?;
        self.busy_until.remove(&(running.slow_at, id));
        self.trials_until.remove(&(running.slow_at, id));
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
        self.next_overdue().map(|(at, _)| at)
    }

    /// Attempts that take too long make room for others.
    pub(super) fn promote_slow(&mut self, now: Instant) -> Vec<Overdue> {
        let mut overdue = Vec::new();
        while let Some((at, id)) = self.next_overdue().filter(|(at, _)| *at <= now) {
            let is_news = self.busy_until.remove(&(at, id));
            self.trials_until.remove(&(at, id));
            let Some(running) = self.running.get_mut(&id) else { continue };
            let before = std::mem::replace(&mut running.counts_as, Count::Slow);
            overdue.push(Overdue { lane: running.lane, started: running.started, is_news });
            *self.count_mut(before) -= 1;
            self.slow += 1;
        }
        overdue
    }

    fn next_overdue(&self) -> Option<(Instant, AttemptId)> {
        let of_workers = self.busy_until.first().filter(|_| self.slow < self.slow_max());
        let of_trials = self.trials_until.first().filter(|_| self.has_free_slow());
        [of_workers, of_trials].into_iter().flatten().min().copied()
    }

    fn slow_max(&self) -> usize {
        self.max.saturating_mul(2).max(SLOW_LEN_MIN)
    }

    fn count_mut(&mut self, count: Count) -> &mut usize {
        match count {
            Count::Busy => &mut self.busy,
            Count::Trial => &mut self.trials,
            Count::Slow => &mut self.slow,
        }
    }
}
