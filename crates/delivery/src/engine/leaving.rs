//! Leaving: a caller that no longer waits takes back what was not sent.
//!
//! What is known not to have been accepted is withdrawn, so that the caller's retry is no
//! duplicate. What may have been accepted ends as unknown. What is being sent ends with its attempt.

use pipeline::{Code, Status, Verdict};

use super::member::{Member, withdrawn};
use super::{Action, Engine, MemberId};

impl Engine {
    pub(super) fn left(&mut self, id: MemberId) {
        let Some(member) = self.members.get_mut(&id) else { return };
        if member.has_left || member.deadline.is_none() {
            return;
        }
        if member.is_writing {
            return self.left_while_written(id);
        }
        member.has_left = true;
        let (lane, is_flying) = (member.lane, !member.flying.is_empty());
        let verdict = if member.is_maybe_delivered {
            Verdict::Unknown(Status::new(Code::DeadlineExceeded, "it may have been delivered"))
        } else {
            let resting = member.resting().into_iter();
            member.withdrawn += resting.map(|range| range.len()).sum::<usize>();
            withdrawn()
        };
        self.end_resting(id, &verdict);
        if is_flying && self.rules.is_relay {
            self.withdraw_downstream(id);
        }
        if let Some(lane) = lane {
            self.forget_if_evicted(lane);
        }
    }

    /// Ends all that is not being sent.
    pub(super) fn end_resting(&mut self, id: MemberId, verdict: &Verdict) {
        let Some(member) = self.members.get_mut(&id) else { return };
        let lane = member.lane;
        for key in std::mem::take(&mut member.backoffs) {
            self.unwait(key, id);
        }
        if let Some(lane) = lane {
            self.unpend(lane, id);
            self.give_turn(lane);
        }
        let resting = self.members.get(&id).map(Member::resting).unwrap_or_default();
        for range in resting {
            self.settle(id, range, verdict.clone());
        }
    }

    fn withdraw_downstream(&mut self, id: MemberId) {
        let Some(member) = self.members.get(&id) else { return };
        let mut attempts: Vec<_> = member.flying.iter().map(|(attempt, _)| *attempt).collect();
        attempts.dedup();
        for attempt in attempts {
            let Some(running) = self.workers.find(attempt) else { continue };
            let parts = running.batch.parts.iter().zip(&running.is_part_open).enumerate();
            let of_member = parts.filter(|(_, (part, is_open))| part.member == id && **is_open);
            self.actions.extend(of_member.map(|(index, _)| Action::Withdraw(attempt, index)));
        }
    }
}
