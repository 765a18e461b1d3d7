//! Tailer: the loop that drives the tracker, and hands on what was read.
//!
//! Owner of the tracker, of open files and of what was begun with their bytes. It waits for one event
//! at a time; folders and files are looked at on threads of their own, positions are written by the
//! journal. Bounds: turns by threads, memory by the receiver's share of the budget.

mod act;
mod look;
mod start;

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pipeline::{
    Charge, Context, Contributor, Envelope, Leaver, Outcome, Outlet, Receipt, Sink, Waiting,
};
use runtime::budget::{Budget, Permit};
use runtime::clock::Clock;
use runtime::mailbox::{Mail, Mailbox, Post};
use runtime::shutdown::Shutdown;
use runtime::task::{Scope, Task};
use runtime::threads::Pool;
use runtime::watch::{Change, Watcher};

use super::config::Settings;
use super::discovery::Found;
use super::file_system::FileSystem;
use super::offsets::{Offsets, Saved};
use super::owners::Sources;
use super::reading::{Done, Order};
use super::stream::{Batch, Noticed, Stream};
use super::tally::Tally;
use super::tracker::{Key, Report, Standing, Tracker, Turn};
use super::window::Token;
use look::Look;

/// How long an answer may take; what has none by then is read again. Longer than exporters keep
/// trying, so that what they give up for its age is theirs to end.
const ANSWER_MAX: Duration = Duration::from_hours(30 * 24);
/// How often payloads are withdrawn for want of memory, at most.
const WITHDRAWAL_PAUSE: Duration = Duration::from_secs(1);
/// How often positions are written at most.
const SAVE_PAUSE: Duration = Duration::from_millis(100);
/// How many positions are written at once.
const SAVED_MAX: usize = 4096;
/// How long a turn waits for memory before it is tried again.
const MEMORY_PAUSE: Duration = Duration::from_millis(20);
/// What is left of the time to end when answers are no longer waited for.
const LAST_SAVE: Duration = Duration::from_millis(500);

/// What happens to a tailer.
pub(super) enum Event<F: FileSystem> {
    Looked(Box<Found>),
    Changed(Vec<Change>),
    /// The kernel tells no more.
    Deaf(String),
    Turned(Key, Box<Done<F::File>>, Permit),
    Answered(Token, Outcome),
    Saved(Saved),
}

/// What the tailer is made of that does not change.
#[derive(Debug)]
pub(super) struct House<F> {
    pub clock: Clock,
    pub scope: Scope,
    pub settings: Arc<Settings>,
    pub files: Arc<F>,
    pub pool: Pool,
    pub turns_max: usize,
    /// The memory of turns, and of what they made until it is answered.
    pub share: Budget,
    /// The part of it that may be held between turns.
    pub held: Budget,
    /// The part of it that files on trial may have.
    pub trials: Budget,
    pub outlet: Outlet,
    pub tally: Tally,
    pub sources: Sources,
    pub watcher: Option<Arc<Watcher>>,
}

/// Follows the files of one receiver.
pub(super) struct Tailer<F: FileSystem> {
    house: Arc<House<F>>,
    tracker: Tracker,
    open: HashMap<Key, F::File>,
    streams: HashMap<Key, (Box<Stream>, Permit)>,
    post: Post<Event<F>, Infallible>,
    mailbox: Mailbox<Event<F>, Infallible>,
    offsets: Offsets,
    look: Look,
    /// What cannot be looked at, and why.
    failures: BTreeMap<PathBuf, String>,
    /// Operators know that there is nothing to follow.
    is_void_told: bool,
    saving: Saving,
    /// How to withdraw the payloads that are on their way.
    leavers: HashMap<Token, Leaver>,
    /// When to try again to find memory, by standing.
    starved_until: [Option<Instant>; 2],
    /// When payloads may be withdrawn again, by standing.
    withdraw_at: [Instant; 2],
    /// Whose turn it is to be read first.
    first: Standing,
    drained_by: Option<Instant>,
    /// Ends with this.
    _changes: Option<Task<()>>,
}

/// When positions are written.
#[derive(Debug)]
struct Saving {
    at: Instant,
    is_running: bool,
}

impl<F: FileSystem> Tailer<F> {
    /// Follows the files until told to end.
    pub(super) async fn run(mut self, drain: Shutdown) {
        loop {
            let now = self.house.clock.now();
            self.step(now);
            if self.is_ended(now) {
                break;
            }
            let until = self.next_time(now);
            let drained = self.drained_by.is_some();
            let event = async {
                tokio::select! {
                    mail = self.mailbox.recv() => Some(mail),
                    _ = drain.begun(), if !drained => None,
                }
            };
            match self.house.clock.by(until, event).await {
                Ok(Some(Mail::Signal(event))) => self.take(event),
                Ok(Some(Mail::Data(never))) => match never {},
                Ok(None) => self.drain(&drain),
                Err(_) => {}
            }
        }
        self.end().await;
    }

    /// Does everything that can be done now.
    fn step(&mut self, now: Instant) {
        // What else has come is taken first: decisions are better the more is known.
        while let Some(Mail::Signal(event)) = self.mailbox.try_recv() {
            self.take(event);
        }
        self.tracker.wake(now);
        self.act();
        self.start_look(now);
        self.start_turns(now);
        self.start_save(now);
        self.house.tally.show(&self.tracker);
    }

    fn take(&mut self, event: Event<F>) {
        let now = self.house.clock.now();
        match event {
            Event::Looked(found) => self.looked(&found, now),
            Event::Changed(changes) => self.changed(&changes, now),
            Event::Deaf(message) => self.deaf(&message, now),
            Event::Turned(key, done, permit) => self.turned(key, *done, permit, now),
            Event::Answered(token, outcome) => {
                self.leavers.remove(&token);
                let ended = self.tracker.answered(token, &outcome, now);
                self.house.tally.ended(&ended);
            }
            Event::Saved(saved) => self.saved(saved, now),
        }
    }

    fn drain(&mut self, drain: &Shutdown) {
        self.drained_by = drain.deadline();
        self.tracker.drain();
    }

    fn is_ended(&self, now: Instant) -> bool {
        let Some(deadline) = self.drained_by else { return false };
        let is_late = deadline.checked_sub(LAST_SAVE).is_none_or(|last| last <= now);
        self.tracker.is_quiet() || is_late
    }

    fn next_time(&self, now: Instant) -> Instant {
        let save =
            (!self.saving.is_running && self.tracker.has_unsaved()).then_some(self.saving.at);
        let ended = self.drained_by.and_then(|deadline| deadline.checked_sub(LAST_SAVE));
        let look = self.look.next().filter(|_| self.drained_by.is_none());
        let [proven, trials] = self.starved_until;
        let times = [self.tracker.next_wake(), look, save, proven, trials, ended];
        let far = now + Duration::from_hours(1);
        // At least a little later, so that nothing that is not done makes the loop spin.
        let soon = now + Duration::from_millis(1);
        times.into_iter().flatten().min().unwrap_or(far).max(soon)
    }

    /// Starts as many turns as there are threads and memory for; files of one standing after those of
    /// the other.
    fn start_turns(&mut self, now: Instant) {
        let [one, two] = Standing::ALL;
        let (first, second) = if self.first == one { (one, two) } else { (two, one) };
        self.first = second;
        self.start_turns_of(first, now);
        self.start_turns_of(second, now);
    }

    fn start_turns_of(&mut self, standing: Standing, now: Instant) {
        let starved_until = &mut self.starved_until[standing as usize];
        if starved_until.is_some_and(|until| now < until) {
            return;
        }
        *starved_until = None;
        let soon = Some(now + MEMORY_PAUSE);
        let memory = match standing {
            Standing::Proven => &self.house.share,
            Standing::Trial => &self.house.trials,
        };
        let memory = memory.clone();
        while self.tracker.reading_files() < self.house.turns_max {
            let Some(bytes) = self.tracker.bytes_next(standing) else { return };
            // What is read is copied once, into records.
            let Some(permit) = memory.try_take(2 * bytes) else {
                self.starved_until[standing as usize] = soon;
                return self.withdraw(standing, now);
            };
            let Some(turn) = self.tracker.next_turn(standing, now) else {
                if self.tracker.is_waiting() {
                    self.starved_until[standing as usize] = soon;
                }
                return;
            };
            self.start_turn(turn, permit);
        }
    }

    /// Takes back what has no answer for long, as others find no memory.
    fn withdraw(&mut self, standing: Standing, now: Instant) {
        let at = &mut self.withdraw_at[standing as usize];
        if now < *at {
            return;
        }
        *at = now + WITHDRAWAL_PAUSE;
        for token in self.tracker.withdraw(standing, now) {
            if let Some(leaver) = self.leavers.remove(&token) {
                leaver.leave();
            }
        }
    }

    fn start_turn(&mut self, turn: Turn, permit: Permit) {
        let Turn { key, path, goal, is_afresh } = turn;
        let stream = self.streams.remove(&key).filter(|_| !is_afresh).map(|(stream, _)| stream);
        let file = self.open.get(&key).cloned();
        let order = Order { path, file, goal, stream };
        let house = Arc::clone(&self.house);
        let post = self.post.clone();
        let job = async move {
            let worker = Arc::clone(&house);
            let done = house.pool.run(move || worker.read(order)).await;
            let done = done.unwrap_or_else(|error| Done {
                report: Report::Failed { message: error.to_string() },
                file: None,
                stream: None,
                batch: None,
                noticed: Noticed::default(),
            });
            post.signal(Event::Turned(key, Box::new(done), permit));
        };
        self.house.scope.spawn("turn", job).detach();
    }

    fn turned(&mut self, key: Key, done: Done<F::File>, mut permit: Permit, now: Instant) {
        let Done { mut report, file, stream, batch, noticed } = done;
        match file {
            Some(file) => self.open.insert(key, file),
            None => self.open.remove(&key),
        };
        if let Some(batch) = &batch {
            let needed = batch.bytes();
            let missing = needed.saturating_sub(permit.bytes());
            if 0 < missing && !permit.try_grow(missing) {
                report = Report::Dropped;
            }
            permit.shrink_to(needed);
        }
        let is_dropped = matches!(report, Report::Dropped);
        if !is_dropped {
            self.house.tally.noticed(&noticed);
        }
        let token = self.tracker.turned(key, report, now);
        if let Some(stream) = stream.filter(|_| !is_dropped) {
            self.keep(key, stream, now);
        }
        if let (Some(token), Some(batch)) = (token, batch) {
            self.send(token, batch, permit, now);
        }
    }

    /// Keeps what was begun until more comes, if there is memory for it.
    fn keep(&mut self, key: Key, stream: Box<Stream>, now: Instant) {
        match self.house.held.try_take(stream.held_bytes()) {
            Some(permit) => {
                self.streams.insert(key, (stream, permit));
            }
            None => self.tracker.dropped(key, now),
        }
    }

    fn send(&mut self, token: Token, batch: Batch, permit: Permit, now: Instant) {
        let sink = Arc::new(Answers(self.post.clone()));
        let receipt = Receipt::new(sink, token.0, batch.spans.len());
        self.leavers.insert(token, receipt.leaver());
        self.house.tally.sent(batch.spans.len());
        let contributor = Contributor {
            receipt,
            deadline: now + ANSWER_MAX,
            waiting: if self.tracker.is_blocked(token) { Waiting::Blocked } else { Waiting::Open },
            trace: None,
            charge: Charge::from(permit),
        };
        let (payload, context) = (batch.payload, Context::default());
        self.house.outlet.consume(Envelope { payload, context, contributors: vec![contributor] });
    }
}

/// Where the answers to payloads go.
struct Answers<F: FileSystem>(Post<Event<F>, Infallible>);

impl<F: FileSystem> Sink for Answers<F> {
    fn answered(&self, token: u64, outcome: Outcome) {
        self.0.signal(Event::Answered(Token(token), outcome));
    }
}
