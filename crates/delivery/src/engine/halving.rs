//! Halving: finds the caller whose data a merged batch was refused for.
//!
//! Bounds: `2 log2 n + 8` attempts for a batch of n callers; none after the first cut when both
//! halves are refused alike, because then it is not about one caller. Where single items are looked
//! for there may be several, so `8 log2 n + 8` for n items. In an ordered lane the first half is
//! done with before the second starts. A batch that is too large is halved down to one item, which
//! takes fewer attempts than it has items twice.

use std::collections::BTreeMap;

use pipeline::{Code, Status, Verdict};

use super::Engine;
use super::batch::Batch;
use super::lanes::LaneId;
use crate::settings::Halving as Depth;

/// Which halving a batch belongs to, and which first half it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HalfOf {
    id: u64,
    first: Option<usize>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Halvings {
    next: u64,
    open: BTreeMap<u64, Halving>,
}

#[derive(Clone, Debug)]
struct Halving {
    attempts_left: u32,
    /// Batches that belong to it.
    live: usize,
    first_halves: [FirstHalf; 2],
    /// A first half that was refused waits for the verdict on the other.
    held: Option<(LaneId, Batch, Status)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FirstHalf {
    Open,
    Refused(Code),
    Other,
}

impl Halvings {
    pub(super) fn clear(&mut self) {
        self.open.clear();
    }
}

impl Engine {
    pub(super) fn refused_for_content(&mut self, lane: LaneId, batch: Batch, status: Status) {
        let is_alone = self.halvable(&batch) < 2;
        match batch.half_of {
            None if is_alone => self.give_up(batch.parts, &Verdict::Refused(status), None),
            None => self.begin_halving(lane, batch),
            Some(HalfOf { id, first: Some(half) }) => {
                self.first_half_refused(id, half, lane, (batch, status));
            }
            Some(_) => self.halve_again(lane, batch, status),
        }
    }

    /// All of a batch ended otherwise than by a refusal for content.
    pub(super) fn half_consumed(&mut self, batch: &Batch) {
        self.half_moved_on(batch);
        if let Some(half_of) = batch.half_of {
            self.leave_halving(half_of.id);
        }
    }

    /// The end of a first half is not a refusal for content, at least not now: its sibling need
    /// not wait for it.
    pub(super) fn half_moved_on(&mut self, batch: &Batch) {
        let Some(HalfOf { id, first: Some(half) }) = batch.half_of else { return };
        let Some(halving) = self.halvings.open.get_mut(&id) else { return };
        if halving.first_halves[half] == FirstHalf::Open {
            halving.first_halves[half] = FirstHalf::Other;
        }
        if let Some((lane, batch, status)) = halving.held.take() {
            self.unhold(lane);
            self.halve_again(lane, batch, status);
        }
    }

    /// Both halves of a batch that is too large go on.
    pub(super) fn cut_oversize(&mut self, lane: LaneId, batch: Batch) {
        self.half_consumed(&batch);
        let halves = batch.halves();
        self.push_front(lane, halves);
    }

    fn begin_halving(&mut self, lane: LaneId, batch: Batch) {
        let id = self.halvings.next;
        self.halvings.next += 1;
        let settings = &self.rules.settings;
        let is_of_items = settings.halving == Depth::Items;
        let is_compared = !is_of_items && !settings.lanes.is_ordered;
        let attempts_left = attempts_max(self.halvable(&batch), is_of_items);
        let first_halves = [FirstHalf::Open; 2];
        let halving = Halving { attempts_left, live: 0, first_halves, held: None };
        self.halvings.open.insert(id, halving);
        self.push_halves(lane, batch, id, is_compared);
    }

    /// Into how many batches it could be cut.
    fn halvable(&self, batch: &Batch) -> usize {
        match self.rules.settings.halving {
            Depth::Off => 1,
            Depth::Callers => batch.members_len(),
            Depth::Items => batch.items(),
        }
    }

    fn first_half_refused(
        &mut self,
        id: u64,
        half: usize,
        lane: LaneId,
        (batch, status): (Batch, Status),
    ) {
        let Some(halving) = self.halvings.open.get_mut(&id) else {
            return self.give_up(batch.parts, &Verdict::Refused(status), None);
        };
        halving.first_halves[half] = FirstHalf::Refused(status.code);
        let other = halving.first_halves[1 - half];
        let held = halving.held.take();
        if other == FirstHalf::Open {
            halving.held = Some((lane, batch, status));
            if let Some(lane) = self.lanes.get_mut(&lane) {
                lane.halves_held += 1;
            }
            return;
        }
        let is_alike = other == FirstHalf::Refused(status.code);
        if is_alike {
            self.refuse_half(batch, status);
        } else {
            self.halve_again(lane, batch, status);
        }
        if let Some((lane, batch, status)) = held {
            self.unhold(lane);
            if is_alike {
                self.refuse_half(batch, status);
            } else {
                self.halve_again(lane, batch, status);
            }
        }
    }

    fn unhold(&mut self, lane: LaneId) {
        if let Some(lane) = self.lanes.get_mut(&lane) {
            lane.halves_held -= 1;
        }
    }

    /// Halves a batch further if it may be, else refuses it.
    fn halve_again(&mut self, lane: LaneId, mut batch: Batch, status: Status) {
        let members = &self.members;
        batch.extract(|part| members.get(&part.member).is_some_and(|one| !one.has_left));
        let id = batch.half_of.map(|half_of| half_of.id);
        let has_attempts = id
            .and_then(|id| self.halvings.open.get(&id))
            .is_some_and(|halving| 2 <= halving.attempts_left);
        match id {
            Some(id) if has_attempts && 1 < self.halvable(&batch) => {
                self.push_halves(lane, batch, id, false);
                self.leave_halving(id);
            }
            _ => self.refuse_half(batch, status),
        }
    }

    fn refuse_half(&mut self, batch: Batch, status: Status) {
        if let Some(half_of) = batch.half_of {
            self.leave_halving(half_of.id);
        }
        self.give_up(batch.parts, &Verdict::Refused(status), None);
    }

    fn push_halves(&mut self, lane: LaneId, batch: Batch, id: u64, is_compared: bool) {
        let mut halves = batch.halves();
        for (index, half) in halves.iter_mut().enumerate() {
            half.half_of = Some(HalfOf { id, first: is_compared.then_some(index) });
        }
        if let Some(halving) = self.halvings.open.get_mut(&id) {
            halving.live += 2;
            halving.attempts_left = halving.attempts_left.saturating_sub(2);
        }
        self.push_front(lane, halves);
    }

    fn push_front(&mut self, id: LaneId, [first, second]: [Batch; 2]) {
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.ready.push_front(second);
            lane.ready.push_front(first);
        }
        self.give_turn(id);
    }

    fn leave_halving(&mut self, id: u64) {
        let Some(halving) = self.halvings.open.get_mut(&id) else { return };
        halving.live -= 1;
        if halving.live == 0 {
            self.halvings.open.remove(&id);
        }
    }
}

fn attempts_max(pieces: usize, is_of_items: bool) -> u32 {
    let rounds = pieces.max(1).ilog2();
    if is_of_items { 8 * rounds + 8 } else { 2 * rounds + 8 }
}
