//! Retry: how long to wait until the next attempt, and when to give up.

use std::fmt;
use std::time::{Duration, Instant};

use pipeline::{Status, Verdict};

use super::batch::{Batch, Part};
use super::endings::Finish;
use super::lanes::LaneId;
use super::pending::Members;
use super::scopes::Blamed;
use super::{Arrived, AttemptId, Engine, MemberId, Note};
use crate::settings::Retry;
use crate::target::Scope;

/// What callers are told to wait when nobody knows better.
const DELAY: Duration = Duration::from_secs(1);

/// The shortest wait for a destination that names a delay, which may be zero.
const ASKED_MIN: Duration = Duration::from_millis(100);

/// When a batch is tried again, and a number that tells it from others.
pub(super) type BackoffKey = (Instant, u64);

/// A small generator, part of the state, so that a run can be repeated.
#[derive(Clone)]
pub(super) struct Random(u64);

/// Two states that differ only in what chance will bring are the same to an observer.
impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// A number from 0 to 1 (xorshift64*, Vigna 2016).
    fn unit(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 40;
        let bits = u32::try_from(bits).unwrap_or(u32::MAX);
        f64::from(bits) / f64::from(1u32 << 24)
    }

    /// A period from `1 - spread` to `1 + spread` times `period`.
    fn spread(&mut self, period: Duration, spread: f64) -> Duration {
        let factor = 1.0 + spread * (2.0 * self.unit() - 1.0);
        Duration::try_from_secs_f64(period.as_secs_f64() * factor).unwrap_or(period)
    }

    /// A period from one to `1 + spread` times `period`: never less.
    fn later(&mut self, period: Duration, spread: f64) -> Duration {
        let factor = 1.0 + spread * self.unit();
        Duration::try_from_secs_f64(period.as_secs_f64() * factor).unwrap_or(period)
    }
}

/// An attempt that was not accepted, or of which nobody knows.
pub(super) struct Failure {
    pub(super) attempt: AttemptId,
    pub(super) verdict: Verdict,
    /// What it is about, when that is more than the lane.
    pub(super) scope: Option<Scope>,
}

/// What follows from a failure.
#[derive(Clone, Copy)]
struct Prospect {
    /// When the batch is tried again; `None` when it is not.
    next: Option<Instant>,
    /// What failed is its scope, and not the lane by itself.
    is_shared: bool,
    /// It waits with others behind that.
    is_behind: bool,
}

impl Engine {
    /// An attempt of `batch` was not accepted, or nobody knows: tries again later what may wait,
    /// and answers the rest.
    pub(super) fn failed(&mut self, id: LaneId, mut batch: Batch, failure: Failure, now: Instant) {
        let (asked, status) = match &failure.verdict {
            Verdict::RetryAfter { delay, status } => {
                (delay.map(|delay| delay.max(ASKED_MIN)), status.clone())
            }
            Verdict::Unknown(status) => (None, status.clone()),
            Verdict::Delivered | Verdict::Refused(_) => return,
        };
        self.mark_unknown(&batch, &failure.verdict);
        let prospect = self.prospect(id, &mut batch, (&failure, &status, asked), now);
        let Some(next) = prospect.next else {
            let gone = std::mem::take(&mut batch.parts);
            self.give_up(gone, &failure.verdict, asked);
            return self.half_consumed(&batch);
        };
        if self.is_exhausted(&batch, next) {
            let gone = std::mem::take(&mut batch.parts);
            self.expire(id, gone, (&failure.verdict, next - now));
            return self.half_consumed(&batch);
        }
        let members = &self.members;
        let gone = batch.extract(|part| {
            let member = members.get(&part.member);
            member.is_some_and(|one| !one.has_left && one.deadline.is_none_or(|at| next < at))
        });
        self.give_up(gone, &failure.verdict, Some(asked.unwrap_or(next - now)));
        if batch.parts.is_empty() {
            return self.half_consumed(&batch);
        }
        self.half_moved_on(&batch);
        let scope = failure.scope.as_ref().filter(|_| prospect.is_shared);
        self.note_retry((id, scope), (next - now, status), batch.items(), now);
        if prospect.is_behind {
            self.return_to_lane(id, batch);
        } else {
            self.send_again(id, batch, next);
        }
    }

    /// Batches whose wait is over go to the front of their lanes.
    pub(super) fn resume_backoffs(&mut self, now: Instant) {
        while self.backoffs.keys().next().is_some_and(|(at, _)| *at <= now) {
            let Some((key, (id, batch))) = self.backoffs.pop_first() else { return };
            for part in &batch.parts {
                if let Some(member) = self.members.get_mut(&part.member) {
                    member.backoffs.retain(|other| *other != key);
                }
            }
            self.resume(id, batch);
            self.give_up_until_resumption(id, now);
        }
    }

    pub(super) fn resume(&mut self, id: LaneId, batch: Batch) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        lane.backing_off -= 1;
        self.return_to_lane(id, batch);
    }

    /// It is the first to leave the lane again.
    fn return_to_lane(&mut self, id: LaneId, batch: Batch) {
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.ready.push_front(batch);
        }
        self.give_turn(id);
    }

    /// Answers those whose deadline comes before a shut lane is used again: they may try
    /// elsewhere, or later. What was tried for long enough by then ends now.
    pub(super) fn give_up_until_resumption(&mut self, id: LaneId, now: Instant) {
        let Some(until) = self.shut_until(id, now) else { return };
        let is_in_time = |part: &Part, members: &Members| {
            let member = members.get(&part.member);
            member.is_some_and(|one| one.deadline.is_none_or(|deadline| until < deadline))
        };
        let max = self.retry().and_then(|retry| retry.max_elapsed_time);
        let is_over = |batch: &Batch| is_past(batch, max, until);
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        let mut gone = Vec::new();
        let mut expired = Vec::new();
        for batch in &mut lane.ready {
            if is_over(batch) {
                expired.append(&mut batch.parts);
            } else {
                gone.extend(batch.extract(|part| is_in_time(part, &self.members)));
            }
        }
        gone.extend(self.extract_pending(id, is_in_time));
        // What rested of a caller that left has ended already.
        let members = &self.members;
        let is_there = |part: &Part| members.get(&part.member).is_some_and(|one| !one.has_left);
        gone.retain(is_there);
        expired.retain(is_there);
        let verdict = self.shut_verdict(id, until - now);
        self.give_up(gone, &verdict, Some(until - now));
        if !expired.is_empty() {
            self.expire(id, expired, (&verdict, until - now));
        }
    }

    /// The same for data that just arrived.
    pub(super) fn refuse_until_resumption(&mut self, id: LaneId, new: &[Arrived], now: Instant) {
        let Some(until) = self.shut_until(id, now) else { return };
        let verdict = self.shut_verdict(id, until - now);
        for arrived in new {
            let Some(member) = self.members.get(&arrived.id) else { continue };
            if member.deadline.is_some_and(|deadline| deadline <= until) {
                self.settle(arrived.id, 0..member.items, verdict.clone());
            }
        }
    }

    /// Ends what was tried for as long as it may be. The lane is used again at once: what comes next
    /// has its own time.
    pub(super) fn expire(
        &mut self,
        id: LaneId,
        parts: Vec<Part>,
        (last, wait): (&Verdict, Duration),
    ) {
        self.note(Note::Expired { items: parts.iter().map(Part::items).sum() });
        let is_final = self.rules.settings.retry.is_some_and(|retry| retry.is_expiry_final);
        match last {
            Verdict::RetryAfter { status, .. } | Verdict::Unknown(status) if is_final => {
                let verdict = Verdict::Refused(status.clone());
                self.give_up(parts, &verdict, None);
            }
            _ => self.give_up(parts, last, Some(wait)),
        }
        self.finish(id, Finish::Expired);
    }

    /// What a caller is told to wait when the destination named no delay.
    pub(super) fn suggested_delay(&mut self) -> Duration {
        let initial = self.rules.settings.retry.map_or(DELAY, |retry| retry.initial_interval);
        self.random.spread(initial.max(DELAY), 0.25)
    }

    /// Ends parts for good, each with a delay after which its caller may try again.
    pub(super) fn give_up(&mut self, parts: Vec<Part>, verdict: &Verdict, delay: Option<Duration>) {
        let delay = match delay {
            Some(delay) => delay,
            None => self.suggested_delay(),
        };
        let verdict = match verdict {
            Verdict::RetryAfter { status, .. } => {
                Verdict::RetryAfter { delay: Some(delay), status: status.clone() }
            }
            other => other.clone(),
        };
        let parts = self.keep_stored(parts, &verdict);
        self.note_given_up(&parts, &verdict);
        for part in parts {
            self.settle(part.member, part.range, verdict.clone());
        }
    }

    /// Remembers that the data of `batch` may have been delivered.
    fn mark_unknown(&mut self, batch: &Batch, verdict: &Verdict) {
        if matches!(verdict, Verdict::Unknown(_)) {
            for part in &batch.parts {
                if let Some(member) = self.members.get_mut(&part.member) {
                    member.is_maybe_delivered = true;
                }
            }
        }
    }

    /// Tells the breakers, and decides when the batch is tried again.
    fn prospect(
        &mut self,
        id: LaneId,
        batch: &mut Batch,
        (failure, status, asked): (&Failure, &Status, Option<Duration>),
        now: Instant,
    ) -> Prospect {
        let drawn = self.wait_after(batch.interval, asked);
        if let Some((_, interval)) = drawn {
            batch.interval = interval;
        }
        let wait = drawn.map(|(wait, _)| wait);
        let next = wait.map(|wait| now + wait);
        let blamed = match &failure.scope {
            Some(scope) => self.scope_failed((scope, status), (id, failure.attempt), asked, now),
            None => Blamed::Lane,
        };
        match blamed {
            Blamed::Scope(Some(until)) => {
                Prospect { next: next.and(Some(until)), is_shared: true, is_behind: true }
            }
            Blamed::Scope(None) => Prospect { next, is_shared: true, is_behind: false },
            Blamed::Lane => {
                self.lane_failed(id, status, (wait.unwrap_or_default(), asked), now);
                Prospect { next, is_shared: false, is_behind: false }
            }
        }
    }

    /// The wait until the next attempt, and what it was drawn from; `None` when there is no next
    /// attempt. A destination that names a delay knows better than the schedule, which is for those
    /// that say nothing.
    pub(super) fn wait_after(
        &mut self,
        last: Option<Duration>,
        asked: Option<Duration>,
    ) -> Option<(Duration, Option<Duration>)> {
        let retry = self.retry()?;
        if let Some(asked) = asked {
            return Some((self.random.later(asked, retry.randomization_factor / 10.0), last));
        }
        let interval = last.map_or(retry.initial_interval, |last| longer(last, retry));
        Some((self.random.spread(interval, retry.randomization_factor), Some(interval)))
    }

    /// Whether the batch will have been tried for long enough at `next`.
    pub(super) fn is_exhausted(&self, batch: &Batch, next: Instant) -> bool {
        is_past(batch, self.retry().and_then(|retry| retry.max_elapsed_time), next)
    }

    /// Tells the lane's breaker; when that shuts it, those who cannot wait are answered.
    fn lane_failed(
        &mut self,
        id: LaneId,
        status: &Status,
        pause: (Duration, Option<Duration>),
        now: Instant,
    ) {
        self.not_taken(id, status);
        if self.ends_at.is_some() {
            return;
        }
        let next = self.workers.next_id();
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        lane.breaker.failed(now, pause, next);
        let is_shut = lane.breaker.is_shut();
        self.set_failing(id, is_shut);
        self.give_up_until_resumption(id, now);
    }

    pub(super) fn back_off(&mut self, id: LaneId, batch: Batch, until: Instant) {
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.backing_off += 1;
        }
        let key = (until, self.backoff_next);
        self.backoff_next += 1;
        for part in &batch.parts {
            if let Some(member) = self.members.get_mut(&part.member) {
                member.backoffs.push(key);
            }
        }
        self.backoffs.insert(key, (id, batch));
    }

    /// Removes what a member that left has in a batch that waits.
    pub(super) fn unwait(&mut self, key: BackoffKey, member: MemberId) {
        let Some((id, batch)) = self.backoffs.get_mut(&key) else { return };
        let id = *id;
        batch.extract(|part| part.member != member);
        if !batch.parts.is_empty() {
            return;
        }
        if let Some((_, batch)) = self.backoffs.remove(&key) {
            self.half_consumed(&batch);
        }
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.backing_off -= 1;
        }
        self.give_turn(id);
    }

    fn note_given_up(&mut self, parts: &[Part], verdict: &Verdict) {
        let status = match verdict {
            Verdict::RetryAfter { status, .. }
            | Verdict::Refused(status)
            | Verdict::Unknown(status) => status.clone(),
            Verdict::Delivered => return,
        };
        let items = parts.iter().map(Part::items).sum::<usize>();
        let members = &self.members;
        let is_owed = |part: &Part| members.get(&part.member).is_some_and(|m| m.deadline.is_none());
        let is_owed = parts.iter().any(is_owed);
        if 0 < items {
            self.note(Note::GaveUp { status, items, is_owed });
        }
    }

    pub(super) fn note(&mut self, note: Note) {
        self.actions.push(super::Action::Note(Box::new(note)));
    }
}

/// Whether the batch was tried for longer than `max` at `at`.
fn is_past(batch: &Batch, max: Option<Duration>, at: Instant) -> bool {
    max.zip(batch.first_attempt).is_some_and(|(max, first)| first + max < at)
}

fn longer(interval: Duration, retry: Retry) -> Duration {
    let secs = interval.as_secs_f64() * retry.multiplier;
    Duration::try_from_secs_f64(secs).unwrap_or(retry.max_interval).min(retry.max_interval)
}
