//! Directory: the addresses of one name, which of them work, and when to try the others again.
//!
//! Pure: time comes in as an argument, what to do goes out as [`Action`]s. Owner: the keeper.
//! Invariant: an address is being dialled at most once; a dead one is tried again after a pause
//! that grows, and is never handed out meanwhile.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use runtime::random::Random;

const RESOLVE_INTERVAL: Duration = Duration::from_secs(30);
/// A failure asks for the addresses anew, but not more often than this.
const RESOLVE_INTERVAL_MIN: Duration = Duration::from_secs(1);
const PAUSE_FIRST: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(10);
const PAUSE_JITTER: f64 = 0.2;
/// When a connection without any answer ends sooner than this, several times in a row, it counts as
/// a failed attempt: a server that hangs up at once is not dialled in a loop.
const LIFE_MIN: Duration = Duration::from_secs(1);
/// A server that breaks connections is given one more, one that asks to go some more: it may be a
/// balancer that moves its clients about.
const BROKEN_MAX: u32 = 1;
const SENT_AWAY_MAX: u32 = 8;

/// How many of the addresses are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Policy {
    /// All that work, in turn.
    #[default]
    RoundRobin,
    /// The first that works, until it fails.
    PickFirst,
}

/// Something that can be dialled.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Target {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

/// What the directory hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Resolved(Vec<Target>),
    Unresolved(Arc<str>),
    Dialled(Target),
    Failed(Target, Arc<str>),
    /// A connection has ended.
    Lost(Target, Ending),
    Tick,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// After it brought an answer.
    Useful,
    /// The server asked to go before there was any.
    SentAway,
    /// It broke before there was any.
    Useless,
}

/// What the directory wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Resolve,
    Dial(Target),
    /// Its connections get no new requests.
    Forget(Target),
}

/// The state of one name.
#[derive(Debug)]
pub(crate) struct Directory {
    policy: Policy,
    random: Random,
    slots: Vec<Slot>,
    resolution: Resolution,
    reason: Option<Arc<str>>,
}

#[derive(Debug)]
struct Slot {
    target: Target,
    state: State,
    failures: u32,
    /// So many connections in a row brought no answer and ended sooner than [`LIFE_MIN`]: those
    /// that broke, and those that were sent away.
    short: (u32, u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Dialling,
    Ready { since: Instant },
    Pausing { until: Instant },
}

#[derive(Debug)]
struct Resolution {
    is_running: bool,
    last: Instant,
    next: Instant,
    failures: u32,
}

impl Directory {
    /// A directory that wants to resolve its name at the first event.
    pub(crate) fn new(policy: Policy, random: Random, now: Instant) -> Self {
        let resolution = Resolution { is_running: false, last: now, next: now, failures: 0 };
        Self { policy, random, slots: Vec::new(), resolution, reason: None }
    }

    /// Takes an event in and says what to do.
    pub(crate) fn handle(&mut self, event: Event, now: Instant) -> Vec<Action> {
        let mut actions = Vec::new();
        match event {
            Event::Resolved(targets) => self.resolved(targets, now, &mut actions),
            Event::Unresolved(reason) => self.unresolved(reason, now),
            Event::Dialled(target) => self.dialled(&target, now),
            Event::Failed(target, reason) => self.failed(&target, reason, now),
            Event::Lost(target, ending) => self.lost(&target, ending, now),
            Event::Tick => {}
        }
        self.dial_due(now, &mut actions);
        if !self.resolution.is_running && self.resolution.next <= now {
            self.resolution.is_running = true;
            self.resolution.last = now;
            actions.push(Action::Resolve);
        }
        actions
    }

    /// When to send [`Event::Tick`] at the latest.
    pub(crate) fn due(&self) -> Option<Instant> {
        let resolve = (!self.resolution.is_running).then_some(self.resolution.next);
        let pauses = self.slots.iter().filter_map(|slot| match slot.state {
            State::Pausing { until } => Some(until),
            _ => None,
        });
        pauses.chain(resolve).min()
    }

    /// Why requests cannot be sent at present; `None` when they can, or soon may.
    pub(crate) fn failure(&self) -> Option<Arc<str>> {
        let is_hopeful = |slot: &Slot| match slot.state {
            State::Ready { .. } => true,
            State::Dialling => slot.failures == 0,
            State::Idle | State::Pausing { .. } => false,
        };
        let is_first = self.slots.is_empty() && self.resolution.failures == 0;
        if is_first || self.slots.iter().any(is_hopeful) {
            return None;
        }
        Some(self.reason.clone().unwrap_or_else(|| "no address answers".into()))
    }

    fn resolved(&mut self, targets: Vec<Target>, now: Instant, actions: &mut Vec<Action>) {
        if targets.is_empty() {
            return self.unresolved("the name has no addresses".into(), now);
        }
        self.resolution.is_running = false;
        self.resolution.failures = 0;
        self.resolution.next = now + RESOLVE_INTERVAL;
        self.slots.retain(|slot| {
            let is_kept = targets.contains(&slot.target);
            if !is_kept {
                actions.push(Action::Forget(slot.target.clone()));
            }
            is_kept
        });
        for target in targets {
            if self.slots.iter().all(|slot| slot.target != target) {
                self.slots.push(Slot::new(target));
            }
        }
    }

    /// The addresses known so far stay in use.
    fn unresolved(&mut self, reason: Arc<str>, now: Instant) {
        let pause = self.pause(self.resolution.failures);
        self.resolution.is_running = false;
        self.resolution.failures = self.resolution.failures.saturating_add(1);
        self.resolution.next = now + pause;
        self.reason = Some(reason);
    }

    fn dialled(&mut self, target: &Target, now: Instant) {
        if let Some(slot) = self.slot(target) {
            slot.state = State::Ready { since: now };
        }
    }

    fn failed(&mut self, target: &Target, reason: Arc<str>, now: Instant) {
        let Some(slot) = self.slot(target) else { return };
        slot.recover(now);
        let failures = slot.failures;
        let until = now + self.pause(failures);
        if let Some(slot) = self.slot(target).filter(|slot| !slot.is_pausing()) {
            slot.failures = failures.saturating_add(1);
            slot.state = State::Pausing { until };
            self.reason = Some(reason);
        }
        self.resolve_soon();
    }

    fn lost(&mut self, target: &Target, ending: Ending, now: Instant) {
        let Some(slot) = self.slot(target) else { return };
        let State::Ready { since } = slot.state else { return };
        slot.recover(now);
        let (broken, sent_away) = slot.short;
        slot.short = match ending {
            _ if since + LIFE_MIN <= now => (0, 0),
            Ending::Useful => (0, 0),
            Ending::SentAway => (broken, sent_away + 1),
            Ending::Useless => (broken + 1, sent_away),
        };
        if BROKEN_MAX < slot.short.0 || SENT_AWAY_MAX < slot.short.1 {
            let reason = "connections are closed right after they open".into();
            return self.failed(target, reason, now);
        }
        slot.state = State::Idle;
        self.resolve_soon();
    }

    /// Under [`Policy::PickFirst`] only one address is dialled at a time, the earliest first.
    fn dial_due(&mut self, now: Instant, actions: &mut Vec<Action>) {
        let is_busy = |slot: &Slot| matches!(slot.state, State::Dialling | State::Ready { .. });
        for at in 0..self.slots.len() {
            if self.policy == Policy::PickFirst && self.slots.iter().any(is_busy) {
                return;
            }
            let slot = &mut self.slots[at];
            let is_due = match slot.state {
                State::Idle => true,
                State::Pausing { until } => until <= now,
                State::Dialling | State::Ready { .. } => false,
            };
            if is_due {
                slot.state = State::Dialling;
                actions.push(Action::Dial(slot.target.clone()));
            }
        }
    }

    fn resolve_soon(&mut self) {
        let soon = self.resolution.last + RESOLVE_INTERVAL_MIN;
        self.resolution.next = self.resolution.next.min(soon);
    }

    fn pause(&self, failures: u32) -> Duration {
        let factor = 1.6_f64.powi(i32::try_from(failures.min(16)).unwrap_or(16));
        let pause = PAUSE_FIRST.mul_f64(factor).min(PAUSE_MAX);
        self.random.jittered(pause, PAUSE_JITTER)
    }

    fn slot(&mut self, target: &Target) -> Option<&mut Slot> {
        self.slots.iter_mut().find(|slot| slot.target == *target)
    }
}

impl Slot {
    fn new(target: Target) -> Self {
        Self { target, state: State::Idle, failures: 0, short: (0, 0) }
    }

    /// Forgets old failures of an address that has worked for a while.
    fn recover(&mut self, now: Instant) {
        if matches!(self.state, State::Ready { since } if since + LIFE_MIN <= now) {
            self.failures = 0;
            self.short = (0, 0);
        }
    }

    fn is_pausing(&self) -> bool {
        matches!(self.state, State::Pausing { .. })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests;
