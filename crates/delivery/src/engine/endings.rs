//! Endings: what an ended attempt means for each of its contributors.

use std::sync::Arc;
use std::time::Instant;

use pipeline::{Code, Outcome, Status, Verdict};

use super::batch::{Batch, Part};
use super::lanes::LaneId;
use super::retry::Failure;
use super::workers::Running;
use super::{AttemptId, Ending, Engine, Failing, Note};
use crate::destination::Reply;
use crate::settings::Halving;

/// Why a refusal may concern only a part of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blame {
    /// Some item is not valid.
    Content,
    /// There is too much of it.
    Size,
    /// Whatever it is, it concerns all alike.
    Other,
}

/// How something of a lane came to its end, as far as its breakers are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finish {
    /// The destination took it, or refused it for good.
    Answered(AttemptId, Instant),
    /// It was tried for as long as it may be.
    Expired,
    /// There is no time left to try it again.
    Abandoned,
}

impl Engine {
    pub(super) fn ended(&mut self, attempt: AttemptId, ending: Ending, now: Instant) {
        let Some(running) = self.workers.end(attempt) else { return };
        let Running { mut batch, lane, started, .. } = running;
        for part in &batch.parts {
            self.land(attempt, part);
        }
        if let Some(lane) = self.lanes.get_mut(&lane) {
            lane.running -= 1;
            lane.asks_since = None;
        }
        match self.settle_done(&mut batch, ending) {
            Ending::Lost => {
                let status = Status::new(Code::Internal, "the attempt ended without a reply");
                self.half_consumed(&batch);
                self.probes_ended(lane, attempt, now);
                #[cfg(mutants)]
                if self.is_mutant(super::Mutant::CompletionSkipped) {
                    return;
                }
                self.give_up(batch.parts, &Verdict::Unknown(status), None);
            }
            Ending::Reply(reply) => match reply.verdict.clone() {
                Verdict::Delivered => {
                    self.workers.learn(now - started);
                    self.finish(lane, Finish::Answered(attempt, now));
                    self.delivered(batch, reply);
                }
                Verdict::Refused(status) => {
                    self.finish(lane, Finish::Answered(attempt, now));
                    self.refused(lane, batch, status);
                }
                verdict => {
                    let is_heard = matches!(verdict, Verdict::RetryAfter { .. });
                    if is_heard {
                        self.set_silent(lane, false);
                    }
                    if is_heard && reply.scope.is_none() {
                        // It failed for a reason of its own: what it shares with others works.
                        self.scopes_answered(lane, attempt);
                    }
                    let failure = Failure { attempt, verdict, scope: reply.scope };
                    self.failed(lane, batch, failure, now);
                    self.probes_ended(lane, attempt, now);
                }
            },
        }
        self.came_to_rest(lane);
        self.recount(lane);
        self.return_resting(lane);
        self.want(lane);
        self.give_turn(lane);
        self.forget_if_evicted(lane);
    }

    /// A part that was carried on by itself ended.
    pub(super) fn part_ended(
        &mut self,
        attempt: AttemptId,
        index: usize,
        outcome: Outcome,
        now: Instant,
    ) {
        let Some(running) = self.workers.find(attempt) else { return };
        let Some(is_open) = running.is_part_open.get_mut(index) else { return };
        if !std::mem::take(is_open) {
            return;
        }
        let part = running.batch.parts[index].clone();
        let (lane, started) = (running.lane, running.started);
        let is_over = !running.is_part_open.contains(&true);
        self.land(attempt, &part);
        self.settle_with(&part, outcome);
        self.came_to_rest(lane);
        if is_over {
            self.workers.end(attempt);
            self.workers.learn(now - started);
            if let Some(lane) = self.lanes.get_mut(&lane) {
                lane.running -= 1;
            }
            self.set_silent(lane, false);
            self.give_turn(lane);
            self.forget_if_evicted(lane);
        }
    }

    /// The items of `part` are not being sent any more.
    fn land(&mut self, attempt: AttemptId, part: &Part) {
        if let Some(member) = self.members.get_mut(&part.member) {
            member.flying.retain(|flight| *flight != (attempt, part.range.clone()));
        }
    }

    /// Something of the lane came to its end: what was halted for it is resumed.
    pub(super) fn finish(&mut self, id: LaneId, how: Finish) {
        #[cfg(mutants)]
        if self.is_mutant(super::Mutant::BreakerNotResumed) {
            return;
        }
        #[cfg(mutants)]
        if how == Finish::Expired && self.is_mutant(super::Mutant::HaltOutlivesExpiry) {
            return;
        }
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        match how {
            Finish::Answered(attempt, now) => {
                lane.answered_at = Some(now);
                let (told, what) = (lane.told.take(), Failing::Partition(Arc::clone(&lane.key)));
                let is_open = lane.breaker.succeeded(attempt);
                self.answered(id, !is_open);
                self.scopes_answered(id, attempt);
                self.note_resumed(told, what);
            }
            Finish::Expired => lane.breaker.expired(),
            Finish::Abandoned => lane.breaker.resume(),
        }
        self.give_turn(id);
    }

    /// The destination has it. What it rejected beside that is known only if there was one caller.
    fn delivered(&mut self, batch: Batch, reply: Reply) {
        self.half_consumed(&batch);
        let is_sole = batch.members_len() == 1;
        let Reply { rejected, warning, .. } = reply;
        if 0 < rejected || warning.is_some() {
            let warning = warning.clone().unwrap_or_default();
            self.note(Note::PartialSuccess { rejected, warning });
        }
        let warning = match warning {
            Some(warning) => Some(warning),
            None if 0 < rejected && !is_sole => Some(merged_warning(rejected)),
            None => None,
        };
        for part in batch.parts {
            if let Some(member) = self.members.get_mut(&part.member) {
                member.outcome.rejected += if is_sole { rejected } else { 0 };
                let kept = member.outcome.warning.take();
                member.outcome.warning = kept.or_else(|| warning.clone());
            }
            self.settle(part.member, part.range, Verdict::Delivered);
        }
    }

    fn refused(&mut self, lane: LaneId, mut batch: Batch, status: Status) {
        // Who left while this was sent is not tried again.
        let members = &self.members;
        let gone = batch.extract(|part| members.get(&part.member).is_some_and(|one| !one.has_left));
        self.give_up(gone, &Verdict::Refused(status.clone()), None);
        match blame(&status) {
            Blame::Size if 1 < batch.items() => self.cut_oversize(lane, batch),
            Blame::Content if self.rules.settings.halving != Halving::Off => {
                self.refused_for_content(lane, batch, status);
            }
            // It can't be tried again here, but the caller may: an answer without a delay would
            // be taken as final.
            Blame::Other if status.code == Code::ResourceExhausted => {
                self.half_consumed(&batch);
                let verdict = Verdict::RetryAfter { delay: None, status };
                self.give_up(batch.parts, &verdict, None);
            }
            _ => {
                self.half_consumed(&batch);
                self.give_up(batch.parts, &Verdict::Refused(status), None);
            }
        }
    }

    fn settle_with(&mut self, part: &Part, outcome: Outcome) {
        self.note_loss(part, &outcome);
        let Some(member) = self.members.get_mut(&part.member) else { return };
        member.open -= part.items();
        member.outcome.join(outcome.shifted(part.range.start));
        if member.open == 0 {
            self.end_member(part.member);
        } else {
            self.check_tail(part.member);
        }
    }

    /// Nobody waits for data that was acknowledged: that it is lost is told to operators.
    fn note_loss(&mut self, part: &Part, outcome: &Outcome) {
        let is_owed = self.members.get(&part.member).is_some_and(|one| one.deadline.is_none());
        if let Some((items, status)) = loss(outcome).filter(|_| is_owed) {
            self.note(Note::GaveUp { status, items, is_owed });
        }
    }
}

/// How many items of `outcome` were not delivered, and why the first of them was not.
fn loss(outcome: &Outcome) -> Option<(usize, Status)> {
    let mut items = 0;
    let mut why = None;
    for (range, verdict) in &outcome.parts {
        if let Verdict::Refused(status)
        | Verdict::Unknown(status)
        | Verdict::RetryAfter { status, .. } = verdict
        {
            items += range.len();
            why.get_or_insert_with(|| status.clone());
        }
    }
    why.map(|status| (items, status))
}

/// What a refusal is about.
pub(super) fn blame(status: &Status) -> Blame {
    let message = status.message.to_ascii_lowercase();
    let is_about_size = ["larger than max", "too large", "message size"];
    let is_too_large = status.http == Some(413)
        || (status.code == Code::ResourceExhausted
            && is_about_size.iter().any(|words| message.contains(words)));
    if is_too_large {
        Blame::Size
    } else if status.code == Code::InvalidArgument || status.http == Some(400) {
        Blame::Content
    } else {
        Blame::Other
    }
}

fn merged_warning(rejected: u64) -> Arc<str> {
    format!("the destination rejected {rejected} items of a batch that this request was part of")
        .into()
}
