//! Ending: an entry is forgotten when all of it was delivered, or its refusal was recorded.

use std::time::{Duration, Instant};

use pipeline::{Code, Outcome, Status, Verdict};

use crate::engine::batch::{Batch, Part};
use crate::engine::member::Member;
use crate::engine::{Action, Engine, EnvelopeId, MemberId, Note};

/// How long until a refusal that could not be recorded is recorded again.
const PAUSE: Duration = Duration::from_secs(1);

impl Engine {
    /// Remembers what of a stored member was refused.
    pub(in crate::engine) fn note_refused(
        &mut self,
        id: MemberId,
        member: &Member,
        outcome: &Outcome,
    ) {
        self.stored.patience.end(id);
        let Some(entry) = self.stored.entries.get_mut(&member.envelope) else { return };
        let Some(start) = entry.members.iter().find(|one| one.id == id).map(|one| one.start) else {
            return;
        };
        for (range, verdict) in &outcome.parts {
            if let Verdict::Refused(status)
            | Verdict::Unknown(status)
            | Verdict::RetryAfter { status, .. } = verdict
            {
                let range = start + range.start..start + range.end;
                entry.refused.push((range, status.clone()));
            }
        }
    }

    /// All members of an envelope ended: whether it is gone now, or still to be recorded.
    pub(in crate::engine) fn end_entry(&mut self, envelope: EnvelopeId) -> bool {
        let is_recording = self.store().is_some_and(|store| store.refused.is_some());
        let Some(entry) = self.stored.entries.get_mut(&envelope) else { return true };
        if is_recording && !entry.refused.is_empty() {
            entry.is_burying = true;
            self.stored.burying += 1;
            entry.refused.sort_by_key(|(range, _)| range.start);
            let refused = entry.refused.clone();
            self.actions.push(Action::Bury { envelope, refused });
            return false;
        }
        self.forget_entry(envelope);
        true
    }

    /// A refusal was recorded; if that failed, it is tried again.
    pub(in crate::engine) fn buried(
        &mut self,
        envelope: EnvelopeId,
        result: Result<(), Status>,
        now: Instant,
    ) {
        let Some(entry) = self.stored.entries.get(&envelope) else { return };
        let lane = entry.lane;
        match result {
            Ok(()) => {
                self.forget_entry(envelope);
                self.actions.push(Action::Release(envelope));
                self.forget_if_evicted(lane);
            }
            Err(status) => {
                self.note(Note::NotBuried { status });
                self.stored.burials.insert((now + PAUSE, envelope));
            }
        }
    }

    /// Records again what could not be recorded.
    pub(super) fn bury_again(&mut self, now: Instant) {
        while self.stored.burials.first().is_some_and(|(at, _)| *at <= now) {
            let Some((_, envelope)) = self.stored.burials.pop_first() else { return };
            let entry = self.stored.entries.get(&envelope);
            if let Some(refused) = entry.map(|entry| entry.refused.clone()) {
                self.actions.push(Action::Bury { envelope, refused });
            }
        }
    }

    /// Takes what is too old out of a batch that is about to be sent.
    pub(in crate::engine) fn give_up_outdated(&mut self, batch: &mut Batch, now: Instant) {
        let members = &self.members;
        let is_fresh =
            |id: MemberId| members.get(&id).is_none_or(|one| one.expires.is_none_or(|at| now < at));
        let gone = batch.extract(|part| is_fresh(part.member));
        if gone.is_empty() {
            return;
        }
        self.note(Note::Expired { items: gone.iter().map(Part::items).sum() });
        let status =
            Status::new(Code::DeadlineExceeded, "it was stored longer than `expire_after`");
        self.give_up(gone, &Verdict::Refused(status), None);
    }

    fn forget_entry(&mut self, envelope: EnvelopeId) {
        let Some(entry) = self.unshelve(envelope) else { return };
        self.stored.size -= entry.size;
        if let Some(lane) = self.lanes.get_mut(&entry.lane)
            && lane.backlog.reading.is_some()
        {
            lane.backlog.ended.insert(entry.position);
        }
        self.actions.push(Action::Forget(envelope));
        self.want(entry.lane);
    }
}
