//! Turns: lanes with something to start, in the order in which they are served.

use std::collections::VecDeque;

use super::lanes::LaneId;

#[derive(Clone, Debug, Default)]
pub(super) struct Turns {
    /// Nobody has looked yet at what they need.
    unsorted: VecDeque<LaneId>,
    for_worker: VecDeque<LaneId>,
    /// Wait for a trial and never failed.
    for_first_trial: VecDeque<LaneId>,
    /// Wait for a trial again. They take turns with those of the first: a thousand lanes that fail
    /// do not keep a new one from its first attempt.
    for_next_trial: VecDeque<LaneId>,
    was_first: bool,
    /// Wait to show that they still work.
    for_doubted: VecDeque<LaneId>,
}

/// What lanes wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Worker,
    /// It never failed.
    FirstTrial,
    NextTrial,
    /// It worked until others fell silent.
    Doubted,
}

/// For which slots there is room.
#[derive(Clone, Copy, Debug)]
pub(super) struct Free {
    pub(super) worker: bool,
    pub(super) first_trial: bool,
    /// Then there is one for a first trial, too.
    pub(super) next_trial: bool,
    pub(super) doubted: bool,
}

impl Turns {
    pub(super) fn push(&mut self, id: LaneId) {
        self.unsorted.push_back(id);
    }

    /// The lane waits until such a slot is free.
    pub(super) fn wait_for(&mut self, slot: Slot, id: LaneId) {
        match slot {
            Slot::Worker => self.for_worker.push_back(id),
            Slot::FirstTrial => self.for_first_trial.push_back(id),
            Slot::NextTrial => self.for_next_trial.push_back(id),
            Slot::Doubted => self.for_doubted.push_back(id),
        }
    }

    /// The next to look at, given which slots are free.
    pub(super) fn next(&mut self, free: Free) -> Option<LaneId> {
        let mut next = if free.worker { self.for_worker.pop_front() } else { None };
        if free.doubted {
            next = next.or_else(|| self.for_doubted.pop_front());
        }
        if free.next_trial {
            next = next.or_else(|| self.next_trial());
        } else if free.first_trial {
            next = next.or_else(|| self.for_first_trial.pop_front());
        }
        next.or_else(|| self.unsorted.pop_front())
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    fn next_trial(&mut self) -> Option<LaneId> {
        self.was_first = !self.was_first;
        let [one, other] = if self.was_first {
            [&mut self.for_first_trial, &mut self.for_next_trial]
        } else {
            [&mut self.for_next_trial, &mut self.for_first_trial]
        };
        one.pop_front().or_else(|| other.pop_front())
    }
}
