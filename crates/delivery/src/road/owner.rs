//! Owner: the task that owns one engine and everything it decides about.
//!
//! It waits for the next mail or timer, asks the engine, and performs the actions. None of them
//! waits. Invariant: a seat exists as long as its member does, a held envelope as long as its room.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pipeline::{
    Charge, Context, Envelope, Holder, Outcome, Receipt, Span, SpanContext, Verdict, Waiting,
};
use runtime::channel::LatestSender;
use runtime::clock::Clock;
use runtime::mailbox::{Mail, Mailbox};
use wire::Payload;

pub(super) mod storing;

use self::storing::{Keeping, Shelf};
use super::courier::Courier;
use super::intake::{self, Handed};
use super::load::{Load, LoadPart, Source};
use super::room::{Room, Slot};
use super::telemetry::Telemetry;
use super::trace::{self, Trace};
use super::{Signal, ToOwner};
use crate::ascending::Ascending;
#[cfg(mutants)]
use crate::engine::Mutant;
use crate::engine::{
    Action, Arrival, Arrived, Engine, EnvelopeId, Event, LaneKey, MemberId, Start, Wait,
};

/// How often what is waited for is published at most.
const PUBLISH_EVERY: Duration = Duration::from_millis(250);

/// What an owner is made of.
pub(super) struct Parts<C> {
    pub(super) engine: Engine,
    pub(super) courier: C,
    pub(super) room: Arc<Room>,
    pub(super) telemetry: Telemetry,
    pub(super) trace: Trace,
    pub(super) clock: Clock,
    pub(super) mailbox: Mailbox<Signal, Handed>,
    pub(super) post: ToOwner,
    pub(super) publish: LatestSender<Arc<Vec<Wait>>>,
    pub(super) shelf: Shelf,
    pub(super) keeping: Keeping,
}

pub(super) struct Owner<C> {
    parts: Parts<C>,
    leaves: Arc<Leaves>,
    metadata_keys: Vec<String>,
    held: Ascending<EnvelopeId, Held>,
    seats: Ascending<MemberId, Seat>,
    envelope_next: u64,
    member_next: u64,
    is_closing: bool,
    published_at: Option<Instant>,
    has_news: bool,
    /// Empty between two steps; kept for its memory.
    actions: Vec<Action>,
}

/// An envelope's bytes and room.
struct Held {
    payload: Payload,
    context: Context,
    /// Gone when it is on disk.
    slot: Option<Slot>,
    key: LaneKey,
    members: Vec<MemberId>,
}

/// One contributor's place.
struct Seat {
    /// Gone once it was answered, which may be before the data is delivered.
    receipt: Option<Receipt>,
    /// Where its items start in the envelope.
    offset: usize,
    items: usize,
    waiting: Waiting,
    stay: Span,
    signal: wire::Signal,
    charge: Charge,
}

/// Hears that callers left.
struct Leaves {
    post: ToOwner,
}

impl Holder for Leaves {
    fn left(&self, token: u64) {
        self.post.signal(Signal::Left(MemberId(token)));
    }
}

impl<C: Courier> Owner<C> {
    pub(super) fn new(parts: Parts<C>) -> Self {
        Self {
            leaves: Arc::new(Leaves { post: parts.post.clone() }),
            metadata_keys: parts.engine.metadata_keys().to_vec(),
            parts,
            held: Ascending::default(),
            seats: Ascending::default(),
            envelope_next: 0,
            member_next: 0,
            is_closing: false,
            published_at: None,
            has_news: false,
            actions: Vec::new(),
        }
    }

    /// Runs until the road is closed and nothing is held.
    pub(super) async fn run(mut self) {
        loop {
            let now = self.parts.clock.now();
            if self.parts.engine.next_timer().is_some_and(|at| at <= now) {
                self.step(Event::Timer, now);
            }
            #[cfg(mutants)]
            if self.is_done() && self.parts.engine.is_mutant(Mutant::MailLeftUnread) {
                return self.finish().await;
            }
            match self.parts.mailbox.try_recv() {
                Some(mail) => self.handle(mail, now),
                // What was handed over before the end is heard after it: signals come first.
                None if self.is_done() => return self.finish().await,
                None => {
                    if let ControlFlow::Break(mail) = self.wait(now).await {
                        let now = self.parts.clock.now();
                        self.handle(mail, now);
                    }
                }
            }
        }
    }

    fn is_done(&self) -> bool {
        self.is_closing && self.parts.engine.is_empty()
    }

    /// Waits for mail until the next timer.
    async fn wait(&mut self, now: Instant) -> ControlFlow<Mail<Signal, Handed>> {
        let publish_at = self.publish_waits(now);
        let timer = self.parts.engine.next_timer();
        let mailbox = &mut self.parts.mailbox;
        match [timer, publish_at].into_iter().flatten().min() {
            Some(at) => match self.parts.clock.by(at, mailbox.recv()).await {
                Ok(mail) => ControlFlow::Break(mail),
                Err(_) => ControlFlow::Continue(()),
            },
            None => ControlFlow::Break(mailbox.recv().await),
        }
    }

    fn handle(&mut self, mail: Mail<Signal, Handed>, now: Instant) {
        match mail {
            Mail::Data(handed) => self.take(handed, now),
            Mail::Signal(Signal::Ended(attempt, ending)) => {
                self.parts.courier.ended(attempt);
                self.parts.trace.ended(attempt, &ending);
                self.step(Event::Ended(attempt, ending), now);
            }
            Mail::Signal(Signal::PartEnded(attempt, part, outcome)) => {
                self.parts.trace.part_ended(attempt, &outcome);
                self.step(Event::PartEnded(attempt, part, outcome), now);
                if !self.parts.engine.is_running(attempt) {
                    self.parts.trace.closed(attempt);
                    self.parts.courier.ended(attempt);
                }
            }
            Mail::Signal(Signal::Opened(Ok(store))) => self.opened(store, now),
            Mail::Signal(Signal::Opened(Err(error))) => self.not_opened(&error),
            Mail::Signal(Signal::Written(envelope, result)) => self.written(envelope, result, now),
            Mail::Signal(Signal::Roomy) => self.step(Event::Roomy, now),
            // Those who ask what is waited for are told when this turn ends.
            Mail::Signal(Signal::Trouble) => {}
            Mail::Signal(Signal::Loaded(lane, result)) => self.loaded(lane, result, now),
            Mail::Signal(Signal::Buried(envelope, result)) => {
                self.step(Event::Buried(envelope, result), now);
            }
            Mail::Signal(Signal::Left(member)) => self.step(Event::Left(member), now),
            Mail::Signal(Signal::Crowded) => {
                self.parts.room.crowded_seen();
                self.step(Event::Crowded, now);
            }
            Mail::Signal(Signal::Drain(ends_at)) => self.step(Event::Drain(ends_at), now),
            Mail::Signal(Signal::Close(ends_at)) => {
                self.parts.room.close();
                self.is_closing = true;
                self.step(Event::Drain(ends_at), now);
            }
        }
    }

    /// Takes an envelope apart into what the engine decides about and what is kept here.
    fn take(&mut self, handed: Handed, now: Instant) {
        if let Shelf::Opening(waiting) = &mut self.parts.shelf {
            return waiting.push(handed);
        }
        let Handed { envelope, target, slot, slices } = handed;
        let Envelope { payload, context, contributors } = envelope;
        let id = self.next_envelope();
        let signal = payload.signal();
        let mut offset = 0;
        let mut members = Vec::with_capacity(contributors.len());
        let mut arrived = Vec::with_capacity(contributors.len());
        for (contributor, slices) in contributors.into_iter().zip(slices) {
            let member = self.next_member();
            let is_blocked = contributor.waiting == Waiting::Blocked;
            let deadline = contributor.deadline;
            arrived.push(Arrived { id: member, deadline, is_blocked, slices });
            let items = contributor.receipt.items();
            let seat = Seat {
                receipt: Some(contributor.receipt),
                offset,
                items,
                waiting: contributor.waiting,
                stay: self.parts.trace.arrived(contributor.trace, items),
                signal,
                charge: contributor.charge,
            };
            offset += items;
            members.push(member);
            self.seats.insert(member, seat);
        }
        let metadata = context.metadata.only(&self.metadata_keys);
        let (size, bytes) = (slot.size, slot.bytes());
        // What is sent is the same whether it was read from disk or not.
        let context = match &self.parts.shelf {
            Shelf::Nothing => context,
            _ => Context { metadata: metadata.clone(), ..Context::default() },
        };
        let key = LaneKey { signal, metadata, target };
        let held =
            Held { payload, context, slot: Some(slot), key: key.clone(), members: members.clone() };
        self.held.insert(id, held);
        let arrival = Arrival { envelope: id, key, size, bytes, members: arrived };
        self.parts.engine.set_bytes_max(self.parts.room.bytes_max());
        self.step(Event::Arrived(arrival), now);
        self.listen_to(&members);
    }

    fn next_envelope(&mut self) -> EnvelopeId {
        self.envelope_next += 1;
        EnvelopeId(self.envelope_next - 1)
    }

    fn next_member(&mut self) -> MemberId {
        self.member_next += 1;
        MemberId(self.member_next - 1)
    }

    /// Hears from now on when a caller leaves; who left already is heard at once.
    fn listen_to(&self, members: &[MemberId]) {
        for member in members {
            if let Some(receipt) = self.seats.get(member).and_then(|seat| seat.receipt.as_ref()) {
                receipt.held_by(Arc::clone(&self.leaves) as Arc<dyn Holder>, member.0);
            }
        }
    }

    fn step(&mut self, event: Event, now: Instant) {
        self.has_news = true;
        let mut actions = std::mem::take(&mut self.actions);
        self.parts.engine.step(event, now, &mut actions);
        self.parts.room.set_stored(self.parts.engine.stored_size());
        for action in actions.drain(..) {
            self.perform(action);
        }
        self.actions = actions;
        self.parts.telemetry.gauge(&self.parts.engine);
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Start(start) => self.start(*start),
            Action::Answer { member, outcome, withdrawn } => {
                self.answer(member, outcome, withdrawn);
            }
            Action::Acknowledge(member) => self.acknowledge(member),
            Action::Release(envelope) => {
                self.held.remove(&envelope);
            }
            Action::Withdraw(attempt, part) => self.parts.courier.withdraw(attempt, part),
            Action::Abort(attempt) => {
                self.parts.trace.aborted(attempt);
                self.parts.courier.abort(attempt);
            }
            Action::Note(note) => self.parts.telemetry.note(&note),
            other => self.perform_on_disk(other),
        }
    }

    fn start(&mut self, start: Start) {
        let mut sources: Vec<(EnvelopeId, Source)> = Vec::new();
        let mut parts = Vec::with_capacity(start.parts.len());
        for part in &start.parts {
            let seat = self.seats.get(&part.member).expect("a member that is sent has a seat");
            let range = seat.offset + part.range.start..seat.offset + part.range.end;
            parts.push(LoadPart {
                items: range.len(),
                deadline: part.deadline,
                waiting: if part.deadline.is_some() { seat.waiting } else { Waiting::Open },
                trace: seat.stay.context(),
                charge: seat.charge.of_part(),
            });
            match sources.last_mut() {
                Some((last, source)) if *last == part.envelope => source.ranges.push(range),
                _ => {
                    let held = self.held.get(&part.envelope).expect("its envelope is held");
                    let source = Source { payload: held.payload.clone(), ranges: vec![range] };
                    sources.push((part.envelope, source));
                }
            }
        }
        let context = self.context_of(&sources, &start.key);
        let trace = self.trace(&start);
        let sources: Vec<_> = sources.into_iter().map(|(_, source)| source).collect();
        self.parts.telemetry.started(&start, &sources);
        self.parts.courier.start(Load {
            attempt: start.attempt,
            trace,
            sources,
            parts,
            target: start.key.target.clone(),
            context,
            deadline: start.deadline,
            number: start.number,
        });
    }

    /// Starts the span of the attempt, linked both ways with those whose data it carries.
    fn trace(&mut self, start: &Start) -> Option<SpanContext> {
        let mut members: Vec<MemberId> = start.parts.iter().map(|part| part.member).collect();
        members.dedup();
        let stay = |member| self.seats.get(member).and_then(|seat| seat.stay.context());
        let stays: Vec<_> = members.iter().map(stay).collect();
        let batch = self.parts.trace.started(start, &stays);
        for member in members {
            if let (Some(batch), Some(seat)) = (batch, self.seats.get_mut(&member)) {
                seat.stay.link(batch);
            }
        }
        batch
    }

    /// One request's own context, or what all requests of a merged batch have in common.
    fn context_of(&self, sources: &[(EnvelopeId, Source)], key: &LaneKey) -> Context {
        match sources {
            [(only, _)] => {
                self.held.get(only).map_or_else(Context::default, |held| held.context.clone())
            }
            _ => Context { metadata: key.metadata.clone(), ..Context::default() },
        }
    }

    fn answer(&mut self, member: MemberId, outcome: Outcome, withdrawn: usize) {
        let Some(mut seat) = self.seats.remove(&member) else { return };
        trace::answered(&mut seat.stay, &outcome);
        self.parts.telemetry.answered(seat.signal, &outcome, withdrawn);
        if let Some(receipt) = seat.receipt {
            receipt.answer(outcome);
        }
    }

    fn acknowledge(&mut self, member: MemberId) {
        let Some(seat) = self.seats.get_mut(&member) else { return };
        if let Some(receipt) = seat.receipt.take() {
            receipt.answer(Outcome::all(seat.items, Verdict::Delivered));
        }
    }

    /// Publishes what is waited for, if that is news; says when it may be published otherwise.
    fn publish_waits(&mut self, now: Instant) -> Option<Instant> {
        if !self.has_news {
            return None;
        }
        let next = self.published_at.map(|at| at + PUBLISH_EVERY);
        if next.is_some_and(|at| now < at) {
            return next;
        }
        let mut waits = self.parts.engine.explain();
        waits.extend(self.parts.shelf.explain().into_iter().map(Wait::told));
        self.parts.publish.set(Arc::new(waits));
        self.published_at = Some(now);
        self.has_news = false;
        None
    }

    /// Answers what was handed over while the last answers were given.
    async fn finish(mut self) {
        for handed in self.parts.mailbox.close() {
            handed.envelope.answer_all(&intake::closed());
        }
        match std::mem::replace(&mut self.parts.shelf, Shelf::Closed) {
            Shelf::Opening(waiting) => {
                waiting.into_iter().for_each(|one| one.envelope.answer_all(&intake::closed()));
            }
            Shelf::Open(store) => store.close().await,
            Shelf::Nothing | Shelf::Closed => {}
        }
        self.parts.publish.set(Arc::new(Vec::new()));
    }
}
