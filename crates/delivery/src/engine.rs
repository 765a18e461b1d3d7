//! Engine: all decisions of one road out, as a pure state machine.
//!
//! `step(event, now)` gives the actions to perform; nothing here waits, locks or knows the time.
//! Owner: the task of `road`. Bounds: admission bounds the envelopes, everything else follows.
//! Invariant: every member is answered exactly once, and no part is in two places.

mod admission;
mod batch;
mod breaker;
mod dispatch;
mod drain;
mod endings;
mod eviction;
mod explain;
mod halving;
mod health;
mod lane;
mod lanes;
mod leaving;
mod member;
#[cfg(mutants)]
mod mutant;
mod partial;
mod pending;
mod retry;
mod scopes;
mod silence;
mod stored;
mod told;
mod turns;
mod workers;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pipeline::{Metadata, Outcome, Status};
use wire::Signal;

use self::admission::Admission;
use self::batch::Batch;
use self::halving::Halvings;
use self::health::Health;
use self::lanes::Lanes;
use self::member::Member;
use self::retry::Random;
use self::scopes::Scopes;
use self::silence::Silence;
use self::stored::Stored;
use self::turns::Turns;
use self::workers::Workers;
use crate::ascending::Ascending;
use crate::destination::Reply;
use crate::settings::{Retry, Settings, Sizer};
use crate::target::Target;

pub(crate) use self::batch::Cut;
pub(crate) use self::explain::Wait;
#[cfg(mutants)]
pub(crate) use self::mutant::Mutant;
pub(crate) use self::stored::{Loaded, NotRead, NotWritten, Position, Recovered, Refused, Written};
pub(crate) use self::told::{Failing, Urgency, remedy};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct EnvelopeId(pub(crate) u64);
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct MemberId(pub(crate) u64);
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct AttemptId(pub(crate) u64);

impl From<EnvelopeId> for u64 {
    fn from(id: EnvelopeId) -> Self {
        id.0
    }
}

impl From<MemberId> for u64 {
    fn from(id: MemberId) -> Self {
        id.0
    }
}

pub(crate) use self::lanes::LaneId;

/// What data must agree in to be merged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LaneKey {
    pub(crate) signal: Signal,
    pub(crate) metadata: Metadata,
    pub(crate) target: Target,
}

impl fmt::Display for LaneKey {
    /// What operators call the lane.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.signal)?;
        if self.target != Target::default() {
            write!(f, " {}", self.target)?;
        }
        let mut pairs = self.metadata.iter();
        pairs.try_for_each(|(key, values)| write!(f, " {key}={}", values.join(",")))
    }
}

/// An envelope that was handed over.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    pub(crate) envelope: EnvelopeId,
    pub(crate) key: LaneKey,
    /// What it takes of the queue, in the queue's unit.
    pub(crate) size: usize,
    /// The memory it is charged for.
    pub(crate) bytes: usize,
    pub(crate) members: Vec<Arrived>,
}

/// One contributor of an arrival.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    pub(crate) id: MemberId,
    pub(crate) deadline: Instant,
    /// Whether the caller sends nothing more before its answer.
    pub(crate) is_blocked: bool,
    /// Its items in order. One slice that may be cut anywhere, or, when batches are measured in
    /// bytes, slices that are taken whole.
    pub(crate) slices: Vec<Slice>,
}

impl Arrived {
    fn items(&self) -> usize {
        self.slices.iter().map(|slice| slice.items).sum()
    }
}

/// Consecutive items and their size in the unit of the batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slice {
    pub(crate) items: usize,
    pub(crate) weight: usize,
}

#[derive(Clone, Debug)]
pub(crate) enum Event {
    Arrived(Arrival),
    /// An attempt ended as a whole.
    Ended(AttemptId, Ending),
    /// One part of an attempt ended, when parts are answered one by one.
    PartEnded(AttemptId, usize, Outcome),
    /// The caller of a member no longer waits.
    Left(MemberId),
    /// Someone was refused for lack of room.
    Crowded,
    /// What an earlier run left on disk, before anything arrives.
    Recovered(Recovered),
    /// The journal answered for an envelope.
    Written(EnvelopeId, Result<Written, NotWritten>),
    /// The journal, which was full, has room again.
    Roomy,
    /// A read ended, with the entries in order.
    Loaded(LaneId, Result<Vec<Loaded>, NotRead>),
    /// The refusal of an entry was recorded, or could not be.
    Buried(EnvelopeId, Result<(), Status>),
    Timer,
    /// Flush everything and start no new backoff; answer what is left at the instant given.
    Drain(Instant),
}

#[derive(Clone, Debug)]
pub(crate) enum Ending {
    Reply(Reply),
    /// The task ended without a reply: it panicked.
    Lost,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    Start(Box<Start>),
    /// The member ended; its caller, if it still waits, is told.
    Answer {
        member: MemberId,
        outcome: Outcome,
        /// Items that were not sent because the caller left.
        withdrawn: usize,
    },
    /// The caller is told "delivered" now, because the queue answers before delivery.
    Acknowledge(MemberId),
    /// All members of the envelope ended: its bytes and its room are free.
    Release(EnvelopeId),
    /// Writes the envelope to the stream of its lane.
    Write(EnvelopeId),
    /// Reads what follows in the stream of a lane: one entry at least, and as many as fit.
    Read {
        lane: LaneId,
        key: Arc<LaneKey>,
        after: Option<Position>,
        bytes_max: usize,
    },
    /// Frees the bytes of an entry, which stays on disk.
    Unload(EnvelopeId),
    /// Records what of an entry was refused, before it is forgotten.
    Bury {
        envelope: EnvelopeId,
        refused: Refused,
    },
    /// Removes the entry from disk.
    Forget(EnvelopeId),
    /// Tells whoever carries this part on that nobody waits for it.
    Withdraw(AttemptId, usize),
    /// Stops an attempt; its end will not be heard.
    Abort(AttemptId),
    /// For the operator's logs.
    Note(Box<Note>),
}

/// One attempt to start.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Start {
    pub(crate) attempt: AttemptId,
    pub(crate) key: Arc<LaneKey>,
    pub(crate) parts: Vec<StartPart>,
    pub(crate) items: usize,
    /// Why the batch was cut, if this is its first attempt and it was batched.
    pub(crate) cut: Option<Cut>,
    pub(crate) number: u32,
    pub(crate) deadline: Instant,
}

/// Items of one member: `range` counts from the member's first item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StartPart {
    pub(crate) member: MemberId,
    pub(crate) envelope: EnvelopeId,
    pub(crate) range: Range<usize>,
    /// `None` when nobody waits: the data is owed until it is delivered or given up.
    pub(crate) deadline: Option<Instant>,
}

/// What operators look for in the logs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Note {
    WillRetry {
        what: Failing,
        interval: Duration,
        status: Status,
        items: usize,
        urgency: Urgency,
    },
    /// The destination answers again.
    Resumed {
        what: Failing,
    },
    GaveUp {
        status: Status,
        items: usize,
        is_owed: bool,
    },
    /// It was tried for as long as it may be.
    Expired {
        items: usize,
    },
    PartialSuccess {
        rejected: u64,
        warning: Arc<str>,
    },
    /// What is on disk could not be read; nothing behind it will be if that is final.
    NotRead {
        status: Status,
        is_final: bool,
    },
    /// A refusal could not be recorded.
    NotBuried {
        status: Status,
    },
}

/// The rules that one engine follows.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) settings: Settings,
    /// Attempts under way at once.
    pub(crate) workers_max: usize,
    /// Parts are answered one by one by who carries them on; nothing is retried or halved here.
    pub(crate) is_relay: bool,
    /// The exporter's share of the memory.
    pub(crate) bytes_max: usize,
    /// How much of what is stored is in memory, too, in bytes.
    pub(crate) window_max: usize,
    pub(crate) seed: u64,
    /// The bug that is put back.
    #[cfg(mutants)]
    pub(crate) mutant: Option<Mutant>,
}

/// The state of one road out.
#[derive(Clone, Debug)]
pub(crate) struct Engine {
    rules: Rules,
    admission: Admission,
    members: Ascending<MemberId, Member>,
    lanes: Lanes,
    /// Lanes with something to start, in the order of their turns.
    turns: Turns,
    /// What several lanes rely on, and fails.
    scopes: Scopes,
    /// Lanes whose pending batch waits for company.
    undue: BTreeSet<LaneId>,
    /// When a lane is to be looked at again.
    wakes: BTreeSet<(Instant, LaneId)>,
    workers: Workers,
    silence: Silence,
    /// Batches that wait for their next attempt.
    backoffs: BTreeMap<(Instant, u64), (LaneId, Batch)>,
    backoff_next: u64,
    halvings: Halvings,
    stored: Stored,
    health: Health,
    /// When operators were last warned of something that fails.
    reminded_at: Option<Instant>,
    random: Random,
    /// When what is left is answered, once draining has begun.
    ends_at: Option<Instant>,
    actions: Vec<Action>,
}

impl Engine {
    pub(crate) fn new(rules: Rules) -> Self {
        Self {
            admission: Admission::new(rules.settings.queue.as_ref()),
            workers: Workers::new(rules.workers_max),
            random: Random::new(rules.seed),
            lanes: Lanes::new(rules.seed),
            rules,
            members: Ascending::default(),
            turns: Turns::default(),
            scopes: Scopes::default(),
            undue: BTreeSet::new(),
            wakes: BTreeSet::new(),
            silence: Silence::default(),
            backoffs: BTreeMap::new(),
            backoff_next: 0,
            halvings: Halvings::default(),
            stored: Stored::default(),
            health: Health::default(),
            reminded_at: None,
            ends_at: None,
            actions: Vec::new(),
        }
    }

    /// The exporter's share of the memory is another from now on.
    pub(crate) fn set_bytes_max(&mut self, bytes_max: usize) {
        self.rules.bytes_max = bytes_max;
    }

    /// Decides what follows from `event`: fills `actions`, which are empty.
    pub(crate) fn step(&mut self, event: Event, now: Instant, actions: &mut Vec<Action>) {
        match event {
            Event::Arrived(arrival) => self.arrived(arrival, now),
            Event::Ended(attempt, ending) => self.ended(attempt, ending, now),
            Event::PartEnded(attempt, part, outcome) => {
                self.part_ended(attempt, part, outcome, now);
            }
            Event::Left(member) => self.left(member),
            Event::Crowded => self.crowded(now),
            Event::Timer => self.timer(now),
            Event::Recovered(recovered) => self.recovered(recovered, now),
            Event::Written(envelope, result) => self.written(envelope, result, now),
            Event::Roomy => self.write_waiting(),
            Event::Loaded(lane, result) => self.loaded(lane, result, now),
            Event::Buried(envelope, result) => self.buried(envelope, result, now),
            Event::Drain(ends_at) => self.drain(ends_at, now),
        }
        self.make_room_for_parked(now);
        // What is started may end at once, because its callers' time is over: that frees room.
        self.dispatch(now);
        while self.admit_parked(now) {
            self.dispatch(now);
        }
        self.tend_store(now);
        debug_assert!(actions.is_empty(), "all actions were performed");
        std::mem::swap(&mut self.actions, actions);
    }

    /// When `Timer` is due next.
    pub(crate) fn next_timer(&self) -> Option<Instant> {
        let lane = self.wakes.first().map(|(at, _)| *at);
        let backoff = self.backoffs.keys().next().map(|(at, _)| *at);
        let slow = self.is_heeding_slow().then(|| self.workers.next_slow()).flatten();
        let probe = self.scopes.next_probe();
        let end = self.ends_at.filter(|_| !self.is_empty());
        let all = [lane, backoff, slow, self.next_silence(), probe, self.next_eviction(), end];
        all.into_iter().chain([self.next_of_store()]).flatten().min()
    }

    /// Whether nothing is held.
    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty() && !self.is_burying()
    }

    /// Whether the attempt has not ended.
    pub(crate) fn is_running(&self, attempt: AttemptId) -> bool {
        self.workers.is_running(attempt)
    }

    /// The metadata keys by which data is kept apart.
    pub(crate) fn metadata_keys(&self) -> &[String] {
        &self.rules.settings.lanes.metadata_keys
    }

    /// What is held now, in the queue's unit.
    pub(crate) fn queue_used(&self) -> usize {
        self.admission.used()
    }

    /// Lanes that exist now.
    pub(crate) fn lanes_len(&self) -> usize {
        self.lanes.len()
    }

    /// Attempts under way or waiting for their next try.
    pub(crate) fn in_flight(&self) -> usize {
        self.workers.len() + self.backoffs.len()
    }

    fn timer(&mut self, now: Instant) {
        if self.ends_at.is_some_and(|at| at <= now) {
            self.answer_all_left();
        }
        if self.is_heeding_slow() {
            self.promote_slow(now);
        }
        self.heed_silence(now);
        self.resume_backoffs(now);
        self.wake_behind(now);
        self.tend_store_timers(now);
        self.wake_lanes(now);
        self.evict_idle(now);
    }

    /// Whether several lanes compete for the workers.
    fn is_shared(&self) -> bool {
        1 < self.lanes.len()
    }

    fn retry(&self) -> Option<Retry> {
        self.rules.settings.retry.filter(|_| self.ends_at.is_none())
    }

    fn batch_rules(&self) -> Option<&crate::settings::Batch> {
        self.rules.settings.queue.as_ref()?.batch.as_ref()
    }

    fn batch_max(&self) -> Option<usize> {
        self.batch_rules()?.max_size
    }

    fn is_measured_in_bytes(&self) -> bool {
        self.batch_rules().is_some_and(|batch| batch.sizer == Sizer::Bytes)
    }
}

#[cfg(test)]
mod tests;
