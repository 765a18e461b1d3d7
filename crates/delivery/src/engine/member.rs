//! Member: one caller's data in the engine, and what became of it so far.

use std::ops::Range;
use std::time::Instant;

use pipeline::{Code, Outcome, Status, Verdict};

use super::lanes::LaneId;
use super::retry::BackoffKey;
use super::{Action, AttemptId, Engine, EnvelopeId, MemberId};

#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) envelope: EnvelopeId,
    pub(super) items: usize,
    /// Items without a verdict.
    pub(super) open: usize,
    /// Open items that are being sent, by attempt.
    pub(super) flying: Vec<(AttemptId, Range<usize>)>,
    /// Open items in the pending batch of the lane.
    pub(super) pending: usize,
    /// Where its batches wait for their next attempt.
    pub(super) backoffs: Vec<BackoffKey>,
    pub(super) outcome: Outcome,
    pub(super) withdrawn: usize,
    /// `None` when nobody waits: the data is owed.
    pub(super) deadline: Option<Instant>,
    pub(super) is_blocked: bool,
    /// Nobody waits any more: what is not being sent ended, the rest ends with its attempt.
    pub(super) has_left: bool,
    /// An attempt ended without a word on whether it was accepted.
    pub(super) is_maybe_delivered: bool,
    /// `None` while it waits for admission.
    pub(super) lane: Option<LaneId>,
    /// It is being written, and not placed yet.
    pub(super) is_writing: bool,
    /// It is on disk.
    pub(super) is_stored: bool,
    /// When what is stored is given up.
    pub(super) expires: Option<Instant>,
}

impl Member {
    /// Whether all that is left of it is the piece in the pending batch.
    pub(super) fn is_tail(&self) -> bool {
        0 < self.open && self.open == self.pending && self.open < self.items
    }

    /// Whether its caller waits, and nothing of it is being sent or written.
    pub(super) fn is_at_rest(&self) -> bool {
        let is_awaited = self.deadline.is_some() && !self.has_left;
        is_awaited && self.flying.is_empty() && !self.is_writing
    }

    /// It is on disk: nobody can take it back any more, and it stays until it ends.
    pub(super) fn become_owed(&mut self, is_answered: bool) {
        self.deadline = None;
        self.has_left = false;
        self.is_writing = false;
        self.is_stored = true;
        self.is_blocked &= !is_answered;
    }

    /// Items that have no verdict and are not being sent.
    pub(super) fn resting(&self) -> Vec<Range<usize>> {
        let ended = self.outcome.parts.iter().map(|(range, _)| range.clone());
        let mut taken: Vec<_> =
            ended.chain(self.flying.iter().map(|(_, range)| range.clone())).collect();
        taken.sort_by_key(|range| range.start);
        taken.push(self.items..self.items);
        let mut start = 0;
        let mut resting = Vec::new();
        for range in taken {
            if start < range.start {
                resting.push(start..range.start);
            }
            start = start.max(range.end);
        }
        resting
    }

    /// The final verdict for data that is not tried again.
    pub(super) fn final_verdict(&self, verdict: Verdict) -> Verdict {
        match verdict {
            Verdict::RetryAfter { status, .. } if self.is_maybe_delivered => {
                Verdict::Unknown(status)
            }
            other => other,
        }
    }
}

impl Engine {
    /// Records the verdict of `range`, which is not in flight any more; ends the member when
    /// nothing of it is open.
    pub(super) fn settle(&mut self, id: MemberId, range: Range<usize>, verdict: Verdict) {
        let Some(member) = self.members.get_mut(&id) else { return };
        debug_assert!(range.len() <= member.open, "items end once");
        member.open -= range.len();
        let verdict = member.final_verdict(verdict);
        push_snug(&mut member.outcome.parts, (range, verdict));
        if member.open == 0 {
            self.end_member(id);
        } else {
            self.check_tail(id);
        }
    }

    /// The pending batch leaves if a caller waits for nothing but its piece there.
    pub(super) fn check_tail(&mut self, id: MemberId) {
        let Some(member) = self.members.get(&id).filter(|member| member.is_tail()) else { return };
        if member.deadline.is_some() || self.is_awaited(id) {
            let lane = member.lane;
            self.tail_found(lane);
        }
    }

    /// Answers a member of which nothing is open.
    pub(super) fn end_member(&mut self, id: MemberId) {
        let Some(mut member) = self.members.remove(&id) else { return };
        let mut outcome = std::mem::take(&mut member.outcome);
        outcome.parts.sort_by_key(|(range, _)| range.start);
        outcome.parts.dedup_by(|next, last| {
            let is_same = last.0.end == next.0.start && last.1 == next.1;
            if is_same {
                last.0.end = next.0.end;
            }
            is_same
        });
        self.note_refused(id, &member, &outcome);
        self.actions.push(Action::Answer { member: id, outcome, withdrawn: member.withdrawn });
        #[cfg(mutants)]
        if member.has_left && self.is_mutant(super::Mutant::PermitLeaked) {
            return;
        }
        if let Some(charge) = self.admission.member_ended(member.envelope) {
            if let Some(lane) = member.lane {
                self.release(lane, charge);
            }
            if self.end_entry(member.envelope) {
                self.actions.push(Action::Release(member.envelope));
            }
        }
    }
}

/// Adds to a list of which there are many, and most have one entry: the first gets no room beside it.
pub(super) fn push_snug<T>(list: &mut Vec<T>, entry: T) {
    if list.is_empty() {
        list.reserve_exact(1);
    }
    list.push(entry);
}

/// The verdict on data whose caller left before it was sent.
pub(super) fn withdrawn() -> Verdict {
    let status = Status::new(Code::Cancelled, "the caller left before its data was sent");
    Verdict::RetryAfter { delay: None, status }
}
