//! Silence: lanes that are not answered in time, and what follows from it.
//!
//! An attempt that takes too long makes room for others. A lane that is to show whether it works has
//! as long, from the moment it asks for an attempt: of many new ones that nobody answers, none is
//! trusted for as long as it waits for its turn.
//! Bounds: an entry for each lane that asked; those that are over go with the next arrival.

use std::collections::VecDeque;
use std::time::Instant;

use super::Engine;
#[cfg(mutants)]
use super::Mutant;
use super::lanes::LaneId;
#[cfg(mutants)]
use super::workers::Overdue;
use super::workers::SLOW_MIN;

/// Who is not answered.
#[derive(Clone, Debug, Default)]
pub(super) struct Silence {
    /// When the last lane that worked fell silent: what was answered before shows nothing.
    pub(super) since: Option<Instant>,
    /// Lanes that asked to show whether they work, in the order of time.
    asked: VecDeque<(Instant, LaneId)>,
}

impl Engine {
    /// When the next lane that asked has fallen silent, if someone waits for the room that it holds.
    pub(super) fn next_silence(&self) -> Option<Instant> {
        let (asked_at, _) = self.silence.asked.front().filter(|_| self.is_anyone_parked())?;
        Some(*asked_at + SLOW_MIN)
    }

    pub(super) fn is_heeding_slow(&self) -> bool {
        #[cfg(mutants)]
        if self.is_mutant(Mutant::SlowHoldsWorker) {
            return false;
        }
        self.is_shared()
    }

    /// What takes too long makes room, and its lane is not proven until it is answered again.
    pub(super) fn promote_slow(&mut self, now: Instant) {
        for overdue in self.workers.promote_slow(now) {
            #[cfg(mutants)]
            let overdue = Overdue {
                is_news: overdue.is_news && !self.is_mutant(Mutant::SilenceUnheeded),
                ..overdue
            };
            if overdue.is_news {
                self.silence.since = self.silence.since.max(Some(overdue.started));
            }
            self.fell_silent(overdue.lane);
        }
    }

    /// The lane asks for an attempt that shows whether it works.
    pub(super) fn asks(&mut self, id: LaneId, now: Instant) {
        let Some(lane) = self.lanes.get_mut(&id).filter(|lane| lane.asks_since.is_none()) else {
            return;
        };
        lane.asks_since = Some(now);
        self.silence.asked.push_back((now, id));
    }

    /// Lanes that asked too long ago, and of which no attempt has ended since, have fallen silent.
    pub(super) fn heed_silence(&mut self, now: Instant) {
        while let Some((asked_at, id)) = self.silence.asked.front().copied()
            && asked_at + SLOW_MIN <= now
        {
            self.silence.asked.pop_front();
            let Some(lane) = self.lanes.get_mut(&id) else { continue };
            if lane.asks_since != Some(asked_at) {
                continue;
            }
            if lane.is_empty() {
                lane.asks_since = None;
                continue;
            }
            #[cfg(mutants)]
            if self.is_mutant(Mutant::UntriedTrusted) {
                continue;
            }
            self.fell_silent(id);
        }
    }
}
