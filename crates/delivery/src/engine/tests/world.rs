//! A world around one engine that performs its actions on a model, and holds the invariants.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::{Duration, Instant};

use pipeline::{Code, Metadata, Outcome, Status, Verdict};

use super::disk::Disk;
use crate::destination::Reply;
use crate::engine::health::Charge;
use crate::engine::{
    Action, Arrival, Arrived, AttemptId, Ending, Engine, EnvelopeId, Event, LaneKey, MemberId,
    Note, Rules, Slice, Start,
};
use crate::settings::{Batch, Halving, Lanes, LanesMax, Queue, Retry, Settings, Sizer};
use crate::target::{Scope, Target};

/// So many lanes are added up after each step.
const LANES_CHECKED: usize = 100;
const MINUTE: Duration = Duration::from_mins(1);

#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) engine: Engine,
    pub(super) now: Instant,
    pub(super) rules: Rules,
    pub(super) attempts: BTreeMap<AttemptId, Start>,
    pub(super) callers: BTreeMap<MemberId, Caller>,
    envelopes: BTreeMap<EnvelopeId, usize>,
    pub(super) acknowledged: Vec<MemberId>,
    pub(super) notes: Vec<Note>,
    /// Callers that were answered, in order.
    pub(super) answered: Vec<MemberId>,
    /// Sizes of all batches that were started, in order.
    pub(super) started: Vec<usize>,
    pub(super) disk: Disk,
    is_draining: bool,
    /// Reading stopped for good: what is on disk is not expected to move on.
    pub(super) is_damaged: bool,
    /// Callers that were told nothing yet.
    pub(super) unanswered: BTreeSet<MemberId>,
    member_next: u64,
    envelope_next: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Caller {
    envelope: EnvelopeId,
    items: Vec<Item>,
    has_left: bool,
    pub(super) answer: Option<Outcome>,
}

#[derive(Clone, Debug, Default)]
struct Item {
    is_delivered: bool,
    is_maybe_delivered: bool,
    is_flying: bool,
}

/// One contributor to be sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) items: usize,
    pub(super) within: Duration,
    pub(super) is_blocked: bool,
}

pub(super) fn blocked(items: usize) -> Sent {
    Sent { items, within: MINUTE, is_blocked: true }
}

pub(super) fn open(items: usize) -> Sent {
    Sent { items, within: MINUTE, is_blocked: false }
}

pub(super) fn queue() -> Queue {
    Queue {
        num_consumers: 2,
        wait_for_result: true,
        block_on_overflow: false,
        sizer: Sizer::Items,
        queue_size: 1_000_000,
        batch: Some(batch(10, 20)),
        store: None,
    }
}

pub(super) fn batch(min_size: usize, max_size: usize) -> Batch {
    Batch {
        flush_timeout: Some(Duration::from_millis(200)),
        min_size,
        max_size: (0 < max_size).then_some(max_size),
        sizer: Sizer::Items,
    }
}

pub(super) fn rules(queue: Queue) -> Rules {
    let retry = Retry {
        initial_interval: Duration::from_secs(1),
        randomization_factor: 0.0,
        multiplier: 2.0,
        max_interval: Duration::from_secs(4),
        max_elapsed_time: Some(Duration::from_secs(10)),
        is_expiry_final: false,
    };
    let workers_max = queue.num_consumers;
    let settings = Settings {
        timeout: Some(Duration::from_secs(5)),
        retry: Some(retry),
        queue: Some(queue),
        halving: Halving::Callers,
        lanes: Lanes {
            metadata_keys: vec!["lane".to_owned()],
            max: LanesMax::Evict(100),
            idle_timeout: None,
            is_ordered: false,
        },
    };
    Rules {
        settings,
        workers_max,
        is_relay: false,
        bytes_max: 1 << 30,
        window_max: 0,
        seed: 1,
        #[cfg(mutants)]
        mutant: crate::engine::Mutant::chosen(),
    }
}

pub(super) fn status(code: Code) -> Status {
    Status::new(code, "on purpose")
}

pub(super) fn busy(delay: Option<Duration>) -> Verdict {
    Verdict::RetryAfter { delay, status: status(Code::Unavailable) }
}

pub(super) fn invalid() -> Verdict {
    Verdict::Refused(status(Code::InvalidArgument))
}

impl Caller {
    /// Whoever sent it may be gone: what is stored is owed.
    pub(super) fn of_stored(envelope: EnvelopeId, items: usize) -> Self {
        Self { envelope, items: vec![Item::default(); items], has_left: false, answer: None }
    }

    /// Whether it has neither left nor been answered.
    pub(super) fn is_waiting(&self) -> bool {
        !self.has_left && self.answer.is_none()
    }
}

impl World {
    pub(super) fn new(rules: Rules, now: Instant) -> Self {
        Self {
            engine: Engine::new(rules.clone()),
            now,
            rules,
            attempts: BTreeMap::new(),
            callers: BTreeMap::new(),
            envelopes: BTreeMap::new(),
            acknowledged: Vec::new(),
            notes: Vec::new(),
            answered: Vec::new(),
            started: Vec::new(),
            disk: Disk::default(),
            is_draining: false,
            is_damaged: false,
            unanswered: BTreeSet::new(),
            member_next: 0,
            envelope_next: 0,
        }
    }

    /// A world at an arbitrary time.
    pub(super) fn of(queue: Queue) -> Self {
        Self::new(rules(queue), runtime::clock::Clock.now())
    }

    /// A world at an arbitrary time, whose lanes are kept apart like this.
    pub(super) fn with_lanes(queue: Queue, change: impl FnOnce(&mut Lanes)) -> Self {
        let mut rules = rules(queue);
        change(&mut rules.settings.lanes);
        Self::new(rules, runtime::clock::Clock.now())
    }

    /// Hands over one envelope; gives the ids of its contributors.
    pub(super) fn send(&mut self, lane: usize, sent: &[Sent]) -> Vec<MemberId> {
        let metadata = [("lane".to_owned(), lane.to_string())].into_iter().collect::<Metadata>();
        self.send_to(metadata, Target::default(), sent)
    }

    /// The same, to a target that relies on `scopes`.
    pub(super) fn send_behind(&mut self, target: usize, scopes: &[Scope]) -> MemberId {
        let target = Target::new([target.to_string()], scopes.iter().cloned());
        self.send_to(Metadata::default(), target, &[blocked(1)])[0]
    }

    fn send_to(&mut self, metadata: Metadata, target: Target, sent: &[Sent]) -> Vec<MemberId> {
        let envelope = self.next_envelope();
        let mut members = Vec::new();
        for one in sent {
            let id = self.next_member();
            let items = vec![Item::default(); one.items];
            self.callers.insert(id, Caller { envelope, items, has_left: false, answer: None });
            members.push(Arrived {
                id,
                deadline: self.now + one.within,
                is_blocked: one.is_blocked,
                slices: vec![Slice { items: one.items, weight: one.items }],
            });
        }
        self.unanswered.extend(members.iter().map(|member| member.id));
        self.envelopes.insert(envelope, sent.len());
        let key = LaneKey { signal: wire::Signal::Logs, metadata, target };
        let size = match self.rules.settings.queue.as_ref().map(|queue| queue.sizer) {
            Some(Sizer::Items) => sent.iter().map(|one| one.items).sum(),
            _ => 1,
        };
        let ids: Vec<MemberId> = members.iter().map(|member| member.id).collect();
        let sizes: Vec<_> = ids.iter().copied().zip(sent.iter().map(|one| one.items)).collect();
        self.disk.arrived(envelope, &key, &sizes);
        self.step(Event::Arrived(Arrival { envelope, key, size, bytes: size, members }));
        ids
    }

    pub(super) fn next_envelope(&mut self) -> EnvelopeId {
        self.envelope_next += 1;
        EnvelopeId(self.envelope_next - 1)
    }

    pub(super) fn next_member(&mut self) -> MemberId {
        self.member_next += 1;
        MemberId(self.member_next - 1)
    }

    pub(super) fn hold_envelope(&mut self, envelope: EnvelopeId, members: usize) {
        self.envelopes.insert(envelope, members);
    }

    /// The bytes of an envelope are gone, but not its data.
    pub(super) fn drop_envelope(&mut self, envelope: EnvelopeId) {
        self.envelopes.remove(&envelope);
        self.callers.retain(|_, caller| caller.envelope != envelope || caller.answer.is_some());
    }

    pub(super) fn forget_envelopes(&mut self) {
        self.envelopes.clear();
        self.unanswered.clear();
        self.is_draining = false;
    }

    /// Ends an attempt with `verdict`.
    pub(super) fn reply(&mut self, attempt: AttemptId, verdict: Verdict) {
        self.reply_with(attempt, Reply::from(verdict));
    }

    /// The same, with all that a destination may say.
    pub(super) fn reply_with(&mut self, attempt: AttemptId, reply: Reply) {
        self.mark(attempt, &reply.verdict);
        self.step(Event::Ended(attempt, Ending::Reply(reply)));
    }

    pub(super) fn lose(&mut self, attempt: AttemptId) {
        self.mark(attempt, &Verdict::Unknown(status(Code::Internal)));
        self.step(Event::Ended(attempt, Ending::Lost));
    }

    /// Ends the attempt that was started first.
    pub(super) fn reply_first(&mut self, verdict: Verdict) {
        let first = *self.attempts.keys().next().expect("an attempt is under way");
        self.reply(first, verdict);
    }

    pub(super) fn reply_first_with(&mut self, reply: Reply) {
        let first = *self.attempts.keys().next().expect("an attempt is under way");
        self.reply_with(first, reply);
    }

    /// Ends one part of an attempt of a relay; the attempt ends with its last part.
    pub(super) fn reply_part(&mut self, attempt: AttemptId, index: usize, verdict: &Verdict) {
        let start = &self.attempts[&attempt];
        let part = start.parts[index].clone();
        let caller = self.callers.get_mut(&part.member).expect("a caller");
        if !caller.items[part.range.start].is_flying {
            return;
        }
        for item in &mut caller.items[part.range.clone()] {
            item.is_flying = false;
            item.is_delivered = *verdict == Verdict::Delivered;
            item.is_maybe_delivered = matches!(verdict, Verdict::Unknown(_));
        }
        let is_over = !start
            .parts
            .iter()
            .any(|part| self.callers[&part.member].items[part.range.start].is_flying);
        if is_over {
            self.attempts.remove(&attempt);
        }
        let outcome = Outcome::all(part.range.len(), verdict.clone());
        self.step(Event::PartEnded(attempt, index, outcome));
    }

    pub(super) fn leave(&mut self, member: MemberId) {
        if let Some(caller) = self.callers.get_mut(&member) {
            caller.has_left = true;
        }
        self.unanswered.remove(&member);
        self.step(Event::Left(member));
    }

    /// Lets time pass, with all timers on the way.
    pub(super) fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        let mut turns = 0;
        while let Some(at) = self.engine.next_timer().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.step(Event::Timer);
            turns += 1;
            assert!(turns < 10_000, "timers come to an end: {:?}", self.engine.explain());
        }
        self.now = until;
    }

    pub(super) fn drain(&mut self, within: Duration) {
        self.is_draining = true;
        self.step(Event::Drain(self.now + within));
    }

    pub(super) fn answer_of(&self, member: MemberId) -> Option<&Outcome> {
        self.callers[&member].answer.as_ref()
    }

    pub(super) fn verdict_of(&self, member: MemberId) -> Option<Verdict> {
        let outcome = self.answer_of(member)?;
        assert_eq!(outcome.parts.len(), 1, "one verdict for all");
        Some(outcome.parts[0].1.clone())
    }

    pub(super) fn step(&mut self, event: Event) {
        let mut actions = Vec::new();
        self.engine.step(event, self.now, &mut actions);
        for action in actions {
            self.perform(action);
        }
        self.check_progress();
    }

    /// Delivers all that is left, and holds that every gauge is back at its start.
    pub(super) fn finish(&mut self) {
        for _ in 0..10_000 {
            if self.disk.is_asked() {
                self.settle_disk();
            } else if let Some(first) = self.attempts.keys().next().copied() {
                self.deliver(first);
            } else if self.engine.is_empty() && (self.is_draining || self.disk.len() == 0) {
                break;
            } else {
                let at = self.engine.next_timer().expect("what is held has a next moment");
                self.now = self.now.max(at);
                self.step(Event::Timer);
            }
        }
        assert!(self.engine.is_empty(), "{:?}", self.engine.explain());
        if !self.is_draining {
            assert_eq!(self.disk.len(), 0, "all that was stored ended");
        }
        if self.disk.len() == 0 {
            assert_eq!(self.engine.queue_used(), 0);
            assert_eq!(self.engine.stored_size(), 0);
        }
        self.engine.check_window();
        assert_eq!(self.engine.in_flight(), 0);
        self.engine.check_health();
        if self.disk.len() == 0 {
            assert_eq!(self.engine.health.held_by_unhealthy, Charge::default());
            assert_eq!(self.engine.health.held_by_doubtful, Charge::default());
        }
        assert!(self.unanswered.is_empty(), "{:?}", self.unanswered);
        assert!(self.envelopes.is_empty(), "all room is free: {:?}", self.envelopes);
        assert!(self.callers.values().all(|caller| caller.answer.is_some()), "all are answered");
    }

    fn deliver(&mut self, attempt: AttemptId) {
        if !self.rules.is_relay {
            return self.reply(attempt, Verdict::Delivered);
        }
        for index in 0..self.attempts[&attempt].parts.len() {
            if self.attempts.contains_key(&attempt) {
                self.reply_part(attempt, index, &Verdict::Delivered);
            }
        }
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Start(start) => self.start(*start),
            Action::Answer { member, outcome, .. } => self.answered(member, outcome),
            Action::Acknowledge(member) => {
                self.unanswered.remove(&member);
                self.acknowledged.push(member);
            }
            Action::Release(envelope) => {
                let left = self.envelopes.remove(&envelope);
                assert_eq!(left, Some(0), "room is free when all members ended, once");
            }
            Action::Abort(attempt) => {
                let start = self.attempts.remove(&attempt).expect("only what runs is stopped");
                self.land(&start, |item| item.is_maybe_delivered = true);
            }
            Action::Withdraw(attempt, part) => {
                let start = &self.attempts[&attempt];
                let caller = &self.callers[&start.parts[part].member];
                assert!(caller.has_left, "nobody else is disturbed");
            }
            Action::Note(note) => self.notes.push(*note),
            other => self.perform_on_disk(other),
        }
    }

    fn start(&mut self, start: Start) {
        let max = self.rules.settings.queue.as_ref().and_then(|q| q.batch.as_ref()?.max_size);
        assert!(0 < start.items && start.items <= max.unwrap_or(usize::MAX), "{}", start.items);
        assert_eq!(start.items, start.parts.iter().map(|part| part.range.len()).sum::<usize>());
        assert!(self.now < start.deadline);
        for part in &start.parts {
            let caller = self.callers.get_mut(&part.member).expect("a caller");
            assert!(caller.answer.is_none(), "nothing is sent after the answer");
            assert!(!caller.has_left || part.deadline.is_none(), "what was withdrawn stays here");
            for item in &mut caller.items[part.range.clone()] {
                assert!(!item.is_flying && !item.is_delivered, "an item is in one place");
                item.is_flying = true;
            }
        }
        self.disk.started(&start, self.rules.settings.lanes.is_ordered);
        self.started.push(start.items);
        self.attempts.insert(start.attempt, start);
        let (workers, trials) = (self.rules.workers_max, (self.rules.workers_max / 2).max(1));
        let slow = (2 * workers).max(64);
        assert!(self.attempts.len() <= workers + trials + slow, "attempts are bounded");
        if self.rules.settings.lanes.is_ordered && !self.rules.is_relay {
            let keys: BTreeSet<_> = self.attempts.values().map(|start| &start.key).collect();
            assert_eq!(
                keys.len(),
                self.attempts.len(),
                "one batch at a time leaves an ordered lane"
            );
        }
    }

    fn mark(&mut self, attempt: AttemptId, verdict: &Verdict) {
        let start = self.attempts.remove(&attempt).expect("it runs");
        if *verdict == Verdict::Delivered {
            self.disk.delivered(&start);
        }
        self.land(&start, |item| match verdict {
            Verdict::Delivered => item.is_delivered = true,
            Verdict::Unknown(_) => item.is_maybe_delivered = true,
            _ => {}
        });
    }

    fn land(&mut self, start: &Start, end: impl Fn(&mut Item)) {
        for part in &start.parts {
            let caller = self.callers.get_mut(&part.member).expect("a caller");
            for item in &mut caller.items[part.range.clone()] {
                if std::mem::take(&mut item.is_flying) {
                    end(item);
                }
            }
        }
    }

    fn answered(&mut self, member: MemberId, outcome: Outcome) {
        let caller = self.callers.get_mut(&member).expect("a caller");
        assert!(caller.answer.is_none(), "one answer each");
        let mut verdicts: Vec<Option<&Verdict>> = vec![None; caller.items.len()];
        for (range, verdict) in &outcome.parts {
            for slot in &mut verdicts[Range::clone(range)] {
                assert!(slot.replace(verdict).is_none(), "items end once");
            }
        }
        for (item, verdict) in caller.items.iter().zip(verdicts) {
            let verdict = verdict.expect("every item ends");
            let says_delivered = *verdict == Verdict::Delivered;
            assert_eq!(says_delivered, item.is_delivered, "answers are true");
            if item.is_maybe_delivered {
                let is_safe = matches!(verdict, Verdict::RetryAfter { .. });
                assert!(!is_safe, "what may have been delivered is not called safe to repeat");
            }
        }
        self.disk.answered(caller.envelope, member, &outcome);
        caller.answer = Some(outcome);
        self.unanswered.remove(&member);
        self.answered.push(member);
        let envelope = self.envelopes.get_mut(&caller.envelope).expect("it is held");
        *envelope -= 1;
    }

    /// Whatever is held has something that moves it on.
    fn check_progress(&mut self) {
        let is_stored_left = 0 < self.disk.len() && !self.is_draining && !self.is_damaged;
        let is_held = !self.engine.is_empty() || is_stored_left;
        if is_held && self.attempts.is_empty() && !self.disk.is_asked() {
            assert!(self.engine.next_timer().is_some(), "stuck: {:?}", self.engine.explain());
        }
        assert!(self.attempts.keys().all(|attempt| self.engine.is_running(*attempt)));
        if self.engine.lanes_len() <= LANES_CHECKED {
            self.engine.check_health();
        }
    }
}
