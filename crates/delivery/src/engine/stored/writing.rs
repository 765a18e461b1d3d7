//! Writing: an envelope on its way to disk.
//!
//! Bounds: the exporter's share of memory. What finds no room in the journal waits here, in order,
//! until there is some or its caller's time is over.

use std::time::{Duration, Instant};

use pipeline::{Code, Status, Verdict};

use super::{Entry, NotWritten, Shelved, Written};
use crate::engine::lanes::LaneId;
use crate::engine::member::withdrawn;
use crate::engine::{Action, Arrived, Engine, EnvelopeId, MemberId};

/// How long until a full journal is asked again, should it not say that it has room.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Clone, Debug)]
pub(super) struct Writing {
    lane: LaneId,
    arrived: Vec<Arrived>,
    /// Whether the journal has it; if not, it waits for room.
    is_handed_over: bool,
}

impl Engine {
    /// Has an envelope written that was admitted to `lane`.
    pub(in crate::engine) fn write(
        &mut self,
        lane: LaneId,
        envelope: EnvelopeId,
        arrived: Vec<Arrived>,
        now: Instant,
    ) {
        for one in &arrived {
            if let Some(member) = self.members.get_mut(&one.id) {
                member.lane = Some(lane);
                member.is_writing = true;
                self.stored.patience.begin(one.id, one.deadline, now);
            }
            #[cfg(mutants)]
            if self.is_mutant(crate::engine::Mutant::AcknowledgedBeforeWritten) {
                self.acknowledge(one.id);
            }
        }
        self.admission.hold_on(envelope);
        if let Some(lane) = self.lanes.get_mut(&lane) {
            lane.backlog.writing += 1;
        }
        let must_wait = !self.stored.unwritten.is_empty();
        let writing = Writing { lane, arrived, is_handed_over: !must_wait };
        self.stored.writing.insert(envelope, writing);
        if must_wait {
            self.stored.unwritten.push_back(envelope);
        } else {
            self.actions.push(Action::Write(envelope));
        }
    }

    /// The journal may have room again: all who wait try, in order.
    pub(in crate::engine) fn write_waiting(&mut self) {
        self.stored.write_again_at = None;
        for envelope in std::mem::take(&mut self.stored.unwritten) {
            if let Some(writing) = self.stored.writing.get_mut(&envelope) {
                // Who was answered meanwhile is not written.
                let members = &self.members;
                writing.arrived.retain(|one| members.contains_key(&one.id));
                writing.is_handed_over = true;
                self.actions.push(Action::Write(envelope));
            }
        }
    }

    pub(in crate::engine) fn written(
        &mut self,
        envelope: EnvelopeId,
        result: Result<Written, NotWritten>,
        now: Instant,
    ) {
        let Some(writing) = self.stored.writing.get(&envelope) else { return };
        let is_to_wait = self.ends_at.is_none() && self.is_wanted(writing);
        if result == Err(NotWritten::Full) && is_to_wait {
            if let Some(writing) = self.stored.writing.get_mut(&envelope) {
                writing.is_handed_over = false;
            }
            self.stored.write_again_at.get_or_insert(now + PAUSE);
            return self.stored.unwritten.push_back(envelope);
        }
        let Some(writing) = self.end_of_writing(envelope) else { return };
        match result {
            Ok(written) => self.take_over(envelope, writing, written, now),
            Err(reason) => self.not_written(envelope, &writing, reason),
        }
    }

    /// The caller of a member left while its data was written.
    pub(in crate::engine) fn left_while_written(&mut self, id: MemberId) {
        let Some(member) = self.members.get_mut(&id) else { return };
        member.has_left = true;
        let envelope = member.envelope;
        let Some(writing) = self.stored.writing.get(&envelope) else { return };
        if writing.is_handed_over || self.is_wanted(writing) {
            return;
        }
        // The journal does not have it, and will not be asked again.
        self.stored.unwritten.retain(|other| *other != envelope);
        if let Some(writing) = self.end_of_writing(envelope) {
            self.withdraw_all(&writing);
            self.let_go(envelope, writing.lane);
        }
    }

    /// The time of a caller is nearly over, and its data is not known to be on disk.
    pub(super) fn too_slow(&mut self, id: MemberId) {
        let Some(member) = self.members.get(&id) else { return };
        let (envelope, items) = (member.envelope, member.items);
        let Some(writing) = self.stored.writing.get(&envelope) else { return };
        if writing.is_handed_over {
            let message = "the journal did not answer in time; the data may be stored";
            let status = Status::new(Code::DeadlineExceeded, message);
            return self.settle(id, 0..items, Verdict::Unknown(status));
        }
        // All its callers are told so: what is written is written whole.
        self.stored.unwritten.retain(|other| *other != envelope);
        if let Some(writing) = self.end_of_writing(envelope) {
            self.not_written(envelope, &writing, NotWritten::Full);
        }
    }

    /// Answers all that is not known to be on disk: there is no time left.
    pub(super) fn end_writing(&mut self) {
        self.stored.unwritten.clear();
        let envelopes: Vec<EnvelopeId> = self.stored.writing.keys().copied().collect();
        for envelope in envelopes {
            let Some(writing) = self.end_of_writing(envelope) else { continue };
            let message = "the collector shut down before the journal answered";
            let status = Status::new(Code::Unavailable, message);
            let verdict = if writing.is_handed_over {
                Verdict::Unknown(status)
            } else {
                Verdict::RetryAfter { delay: Some(self.suggested_delay()), status }
            };
            self.settle_all(&writing, &verdict);
            self.let_go(envelope, writing.lane);
        }
    }

    fn end_of_writing(&mut self, envelope: EnvelopeId) -> Option<Writing> {
        let writing = self.stored.writing.remove(&envelope)?;
        if let Some(lane) = self.lanes.get_mut(&writing.lane) {
            lane.backlog.writing -= 1;
        }
        for one in &writing.arrived {
            self.stored.patience.end_of_writing(one.id);
        }
        Some(writing)
    }

    /// The journal does not need the bytes of an envelope any more.
    fn let_go(&mut self, envelope: EnvelopeId, lane: LaneId) {
        if let Some(charge) = self.admission.member_ended(envelope) {
            self.actions.push(Action::Release(envelope));
            self.release(lane, charge);
        }
        self.forget_if_evicted(lane);
    }

    /// Envelopes for which the journal has no room.
    pub(in crate::engine) fn unwritten_len(&self) -> usize {
        self.stored.unwritten.len()
    }

    /// Envelopes that the journal has not answered.
    pub(in crate::engine) fn writing_len(&self) -> usize {
        self.stored.writing.len() - self.stored.unwritten.len()
    }

    /// The journal has it: it is owed from now on, if anybody wants it.
    fn take_over(
        &mut self,
        envelope: EnvelopeId,
        writing: Writing,
        written: Written,
        now: Instant,
    ) {
        let lane = writing.lane;
        if !self.is_wanted(&writing) {
            self.withdraw_all(&writing);
            self.actions.push(Action::Forget(envelope));
            return self.let_go(envelope, lane);
        }
        let Written { position, bytes } = written;
        let may_stay = self.may_stay(lane, bytes);
        let size = self.size_in_queue(writing.arrived.iter().map(Arrived::items).sum(), bytes);
        let (staying, members) = self.owe(writing.arrived, now);
        self.stored.size += size;
        self.recharge(envelope, lane, size);
        self.shelve(envelope, Entry::new(lane, (position, bytes), size, members));
        self.let_go(envelope, lane);
        if may_stay {
            self.pass_over(lane, position);
            self.place(lane, &staying, now);
        } else {
            self.unload(envelope);
            self.want(lane);
        }
    }

    /// Makes owed what is still open of an envelope.
    fn owe(&mut self, arrived: Vec<Arrived>, now: Instant) -> (Vec<Arrived>, Vec<Shelved>) {
        let expires = self.store().and_then(|store| store.expire_after).map(|after| now + after);
        let is_early =
            self.rules.settings.queue.as_ref().is_some_and(|queue| !queue.wait_for_result);
        let mut members = Vec::with_capacity(arrived.len());
        let mut staying = Vec::with_capacity(arrived.len());
        let mut start = 0;
        for one in arrived {
            let items = one.items();
            if let Some(member) = self.members.get_mut(&one.id) {
                member.become_owed(is_early);
                member.expires = expires;
                if is_early || self.ends_at.is_some() {
                    self.acknowledge(one.id);
                }
                members.push(Shelved { id: one.id, start, items });
                staying.push(one);
            }
            start += items;
        }
        (staying, members)
    }

    fn not_written(&mut self, envelope: EnvelopeId, writing: &Writing, reason: NotWritten) {
        let verdict = match reason {
            NotWritten::Full => {
                let status = Status::new(Code::Unavailable, "the journal of the queue is full");
                Verdict::RetryAfter { delay: Some(self.suggested_delay()), status }
            }
            NotWritten::Failed(status) => {
                Verdict::RetryAfter { delay: Some(self.suggested_delay()), status }
            }
            NotWritten::Refused(status) => Verdict::Refused(status),
        };
        self.settle_all(writing, &verdict);
        self.let_go(envelope, writing.lane);
    }

    fn settle_all(&mut self, writing: &Writing, verdict: &Verdict) {
        for one in &writing.arrived {
            if let Some(member) = self.members.get(&one.id) {
                let items = member.items;
                self.settle(one.id, 0..items, verdict.clone());
            }
        }
    }

    fn withdraw_all(&mut self, writing: &Writing) {
        for one in &writing.arrived {
            if let Some(member) = self.members.get_mut(&one.id) {
                member.withdrawn = member.items;
            }
        }
        self.settle_all(writing, &withdrawn());
    }

    fn is_wanted(&self, writing: &Writing) -> bool {
        writing.arrived.iter().any(|one| self.is_waiting(one.id))
    }

    fn is_waiting(&self, id: MemberId) -> bool {
        self.members.get(&id).is_some_and(|member| !member.has_left)
    }
}
