//! Returning: what cannot be delivered for now goes back to where it is read from.
//!
//! Only whole entries are returned; one of which a part was delivered, or is being sent, stays in
//! memory, so that nothing is sent twice without need.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use pipeline::Verdict;

use super::{Due, Kept, Trouble};
use crate::engine::batch::{Batch, Part};
use crate::engine::lanes::LaneId;
use crate::engine::{Action, Engine, EnvelopeId, MemberId};

/// The longest wait when there is no schedule of retries.
const WAIT: Duration = Duration::from_secs(30);

impl Engine {
    /// Sets stored parts aside that would be given up but are kept; gives the others.
    pub(in crate::engine) fn keep_stored(
        &mut self,
        parts: Vec<Part>,
        verdict: &Verdict,
    ) -> Vec<Part> {
        let status = match verdict {
            Verdict::RetryAfter { status, .. } | Verdict::Unknown(status) => status.clone(),
            Verdict::Delivered | Verdict::Refused(_) => return parts,
        };
        let is_keeping = self.is_keeping() || self.ends_at.is_some();
        #[cfg(mutants)]
        let is_keeping = is_keeping && !self.is_mutant(crate::engine::Mutant::ExhaustedIsForgotten);
        if !is_keeping {
            return parts;
        }
        let members = &self.members;
        let is_stored = |part: &Part| members.get(&part.member).is_some_and(|one| one.is_stored);
        let (kept, others): (Vec<_>, Vec<_>) = parts.into_iter().partition(is_stored);
        let lane = kept.first().and_then(|part| self.members.get(&part.member)?.lane);
        if let Some(lane) = lane {
            let mut batch = Batch::default();
            kept.into_iter().for_each(|part| batch.push(part));
            self.stored.kept.push(Kept { lane, batch, due: Due::Longest(status) });
        }
        others
    }

    /// Has a failed batch sent again at `at`: from disk if its lane is one of those that must not
    /// hold what others need.
    pub(in crate::engine) fn send_again(&mut self, id: LaneId, batch: Batch, at: Instant) {
        let is_stored = batch
            .parts
            .first()
            .and_then(|part| self.members.get(&part.member))
            .is_some_and(|member| member.is_stored);
        if is_stored {
            self.stored.kept.push(Kept { lane: id, batch, due: Due::At(at) });
        } else {
            self.back_off(id, batch, at);
        }
    }

    /// A batch that follows on returned ones has their clock.
    pub(in crate::engine) fn inherit_trouble(&mut self, id: LaneId, batch: &mut Batch) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        if !lane.is_failing {
            lane.backlog.trouble = None;
        }
        if let Some(trouble) = lane.backlog.trouble.filter(|_| batch.attempts == 0) {
            batch.first_attempt = trouble.first_attempt;
            batch.interval = trouble.interval;
        }
    }

    /// Whether it is still to be decided where a batch of the lane waits.
    pub(in crate::engine) fn is_kept(&self, id: LaneId) -> bool {
        self.stored.kept.iter().any(|kept| kept.lane == id)
    }

    pub(super) fn return_kept(&mut self, now: Instant) {
        for Kept { lane, batch, due } in std::mem::take(&mut self.stored.kept) {
            if self.ends_at.is_some() {
                continue;
            }
            let longest = self.rules.settings.retry.map_or(WAIT, |retry| retry.max_interval);
            let is_failing = self.lanes.get(&lane).is_some_and(|lane| lane.is_failing);
            let (batch, until) = match due {
                Due::At(at) => (batch, at),
                Due::Longest(why) => {
                    self.note_retry((lane, None), (longest, why), batch.items(), now);
                    (restarted(batch, longest), now + longest)
                }
            };
            let rest = if is_failing && self.is_shared() {
                self.return_batch(lane, batch, until)
            } else {
                batch
            };
            if !rest.parts.is_empty() {
                self.back_off(lane, rest, until);
            }
        }
    }

    /// A lane fails: what rests in it makes room for others.
    pub(in crate::engine) fn return_resting(&mut self, id: LaneId) {
        if self.store().is_none() || !self.is_shared() {
            return;
        }
        let Some(lane) = self.lanes.get(&id).filter(|lane| lane.is_failing) else { return };
        let ready = lane.ready.iter().filter(|batch| batch.half_of.is_none());
        let pending = lane.pending.iter().map(|pending| &pending.batch);
        let parts = ready.chain(pending).flat_map(|batch| &batch.parts);
        let whole = self.whole_entries(parts);
        if whole.is_empty() {
            return;
        }
        let members: BTreeSet<MemberId> = self.members_of(&whole);
        self.extract_pending(id, |part, _| !members.contains(&part.member));
        if let Some(lane) = self.lanes.get_mut(&id) {
            for batch in &mut lane.ready {
                batch.extract(|part| !members.contains(&part.member));
            }
            lane.ready.retain(|batch| !batch.parts.is_empty() || batch.half_of.is_some());
        }
        for envelope in whole {
            self.unload(envelope);
        }
        self.want(id);
    }

    /// Drops an entry from memory that is not being sent and of which nothing is left elsewhere.
    pub(super) fn unload(&mut self, envelope: EnvelopeId) {
        let Some(entry) = self.unshelve(envelope) else { return };
        for shelved in &entry.members {
            self.members.remove(&shelved.id);
            if self.ends_at.is_some() {
                self.acknowledge(shelved.id);
            }
        }
        self.admission.set_aside(envelope);
        if let Some(lane) = self.lanes.get_mut(&entry.lane) {
            let backlog = &mut lane.backlog;
            backlog.entries += 1;
            backlog.size += entry.size;
            if backlog.after.is_some_and(|after| entry.position <= after) {
                backlog.after = entry.position.before();
                backlog.is_rewound |= backlog.reading.is_some();
            }
        }
        self.actions.push(Action::Unload(envelope));
    }

    /// While draining nothing stored is started: what is not being sent stays on disk.
    pub(super) fn unload_resting(&mut self) {
        let is_flying =
            |id: &MemberId| self.members.get(id).is_some_and(|member| !member.flying.is_empty());
        let resting = self.stored.entries.iter().filter(|(_, entry)| {
            !entry.is_burying && !entry.members.iter().any(|shelved| is_flying(&shelved.id))
        });
        let resting: Vec<EnvelopeId> = resting.map(|(envelope, _)| *envelope).collect();
        for envelope in resting {
            self.unload(envelope);
        }
    }

    /// Nothing stored waits in memory any more, and nobody for it.
    pub(in crate::engine) fn drain_store(&mut self) {
        if self.store().is_none() {
            return;
        }
        self.clear_resting();
        self.refuse_parked();
        self.acknowledge_all();
        self.unload_resting();
    }

    /// Ends the stay of everything in memory; it can be read again after the next start.
    pub(in crate::engine) fn end_store(&mut self) {
        self.end_writing();
        self.stored.kept.clear();
        let envelopes: Vec<EnvelopeId> = self.stored.entries.keys().copied().collect();
        for envelope in envelopes {
            self.unload(envelope);
        }
        self.acknowledge_all();
    }

    /// Returns the whole entries of a batch; gives the rest of it.
    fn return_batch(&mut self, id: LaneId, mut batch: Batch, until: Instant) -> Batch {
        let whole = self.whole_entries(batch.parts.iter());
        let members = self.members_of(&whole);
        if members.is_empty() {
            return batch;
        }
        self.half_consumed(&batch);
        batch.half_of = None;
        batch.extract(|part| !members.contains(&part.member));
        for envelope in whole {
            self.unload(envelope);
        }
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.breaker.pause_until(until, false);
            let trouble = Trouble { first_attempt: batch.first_attempt, interval: batch.interval };
            lane.backlog.trouble = Some(trouble);
        }
        self.want(id);
        // What stays would be sent before what was returned.
        self.return_resting(id);
        batch
    }

    /// The entries that are whole in `parts`.
    fn whole_entries<'a>(&self, parts: impl Iterator<Item = &'a Part>) -> Vec<EnvelopeId> {
        let mut found = BTreeMap::<MemberId, usize>::new();
        let mut envelopes = BTreeSet::new();
        for part in parts {
            *found.entry(part.member).or_default() += part.items();
            envelopes.extend(self.members.get(&part.member).map(|member| member.envelope));
        }
        let is_whole = |envelope: &EnvelopeId| {
            let entry = self.stored.entries.get(envelope);
            entry.is_some_and(|entry| {
                entry.members.iter().all(|one| found.get(&one.id) == Some(&one.items))
            })
        };
        envelopes.into_iter().filter(is_whole).collect()
    }

    fn members_of(&self, envelopes: &[EnvelopeId]) -> BTreeSet<MemberId> {
        let entries = envelopes.iter().filter_map(|envelope| self.stored.entries.get(envelope));
        entries.flat_map(|entry| &entry.members).map(|one| one.id).collect()
    }
}

/// A batch that was given up and begins anew, with the longest wait.
fn restarted(batch: Batch, interval: Duration) -> Batch {
    Batch { first_attempt: None, interval: Some(interval), half_of: None, ..batch }
}
