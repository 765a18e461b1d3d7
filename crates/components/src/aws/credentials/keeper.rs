//! Keeper: brings credentials when they are wanted and publishes them, or why there are none.
//!
//! Owner of the credentials: one task, so a thousand requests that need new ones ask once.
//! Bounds: a source that fails is asked once a [`PAUSE`]; whoever waits has a deadline.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use runtime::channel::{self, Ends, LatestReceiver, LatestSender, Receiver, Sender};
use runtime::clock::Clock;
use runtime::task::{Scope, Task};

use super::{Credentials, Fetcher};

/// A source is asked no more often than this.
const PAUSE: Duration = Duration::from_secs(1);
/// New ones are brought so long before the old ones end, or at half their life.
const MARGIN: Duration = Duration::from_mins(5);
/// Those that never end are looked at again, because their file may have changed.
const LIFE_OF_FIXED: Duration = Duration::from_mins(10);
/// Events coalesce: a few in the queue say all there is to say.
const EVENTS_MAX: usize = 8;

/// Asks for credentials. Clones ask the same keeper, which ends with its task.
#[derive(Clone, Debug)]
pub(crate) struct Keeper {
    known: LatestReceiver<Known>,
    events: Sender<Event>,
    clock: Clock,
}

/// What is known.
#[derive(Clone, Debug, Default)]
struct Known {
    held: Option<Held>,
    /// Why the last try failed, and when.
    failure: Option<(Arc<str>, Instant)>,
}

#[derive(Clone, Debug)]
struct Held {
    credentials: Arc<Credentials>,
    fetched_at: Instant,
    /// From then on, the next ones should be brought.
    stale_at: Instant,
    ends_at: Option<Instant>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Event {
    Wanted,
    /// The service did not accept these.
    Rejected(Arc<Credentials>),
}

struct Owner {
    fetcher: Fetcher,
    clock: Clock,
    known: Known,
    /// Operators know this failure.
    told: Option<Arc<str>>,
    publish: LatestSender<Known>,
}

impl Keeper {
    /// Starts the task that brings credentials when they are wanted.
    pub(crate) fn start(fetcher: Fetcher, clock: Clock, scope: &Scope) -> (Self, Task<()>) {
        let ends = Ends { from: "credential keeper", to: "requests" };
        let (publish, known) = channel::latest(ends, Known::default());
        let ends = Ends { from: "requests", to: "credential keeper" };
        let (events, received) = channel::bounded(ends, EVENTS_MAX);
        let owner = Owner { fetcher, clock, known: Known::default(), told: None, publish };
        let task = scope.spawn("credential keeper", owner.run(received));
        (Self { known, events, clock }, task)
    }

    /// Credentials that are valid now; waits for them until `deadline`.
    pub(crate) async fn credentials(&self, deadline: Instant) -> Result<Arc<Credentials>, String> {
        let asked_at = self.clock.now();
        let mut known = self.known.clone();
        loop {
            let now = self.clock.now();
            let Known { held, failure } = known.value();
            let held = held.filter(|held| held.ends_at.is_none_or(|end| now < end));
            if held.as_ref().is_none_or(|held| held.stale_at <= now) {
                self.tell(Event::Wanted);
            }
            if let Some(held) = held {
                return Ok(held.credentials);
            }
            let fresh = failure.filter(|(_, at)| asked_at < *at + PAUSE);
            if let Some((why, _)) = fresh {
                return Err(why.to_string());
            }
            if !matches!(self.clock.by(deadline, known.changed()).await, Ok(Some(_))) {
                return Err("no credentials arrived in time".to_owned());
            }
        }
    }

    /// The service did not accept these: waits for those that are brought anew.
    pub(crate) async fn others_than(
        &self,
        rejected: &Arc<Credentials>,
        deadline: Instant,
    ) -> Result<Arc<Credentials>, String> {
        let asked_at = self.clock.now();
        let mut known = self.known.clone();
        loop {
            let Known { held, failure } = known.value();
            if let Some(held) = held.filter(|held| !Arc::ptr_eq(&held.credentials, rejected)) {
                return Ok(held.credentials);
            }
            if let Some((why, _)) = failure.filter(|(_, at)| asked_at <= *at) {
                return Err(why.to_string());
            }
            let now = self.clock.now();
            if deadline <= now {
                return Err("no other credentials arrived in time".to_owned());
            }
            // Told again after a while, because the queue may have been full.
            self.tell(Event::Rejected(Arc::clone(rejected)));
            self.clock.by(deadline.min(now + PAUSE), known.changed()).await.ok();
        }
    }

    /// Why there are none, if so.
    pub(crate) fn failure(&self) -> Option<Arc<str>> {
        self.known.value().failure.map(|(why, _)| why)
    }

    fn tell(&self, event: Event) {
        // A full queue already says that new ones are wanted.
        drop(self.events.try_send(event));
    }
}

impl Owner {
    async fn run(mut self, mut events: Receiver<Event>) {
        while let Some(event) = events.recv().await {
            let now = self.clock.now();
            if !self.is_needed(&event, now) {
                continue;
            }
            if let Event::Rejected(_) = event {
                self.pause_after_fetch().await;
                self.known.held = None;
            }
            if let Some((_, at)) = &self.known.failure {
                self.clock.sleep_until(*at + PAUSE).await;
            }
            self.refresh().await;
            self.publish.set(self.known.clone());
        }
    }

    fn is_needed(&self, event: &Event, now: Instant) -> bool {
        match (event, &self.known.held) {
            (Event::Wanted, held) => held.as_ref().is_none_or(|held| held.stale_at <= now),
            // Complaints about those before these come late.
            (Event::Rejected(which), Some(held)) => Arc::ptr_eq(which, &held.credentials),
            (Event::Rejected(_), None) => false,
        }
    }

    /// A source that gave bad ones just now is not asked in a loop.
    async fn pause_after_fetch(&self) {
        if let Some(held) = &self.known.held {
            self.clock.sleep_until(held.fetched_at + PAUSE).await;
        }
    }

    async fn refresh(&mut self) {
        let fetched = self.fetcher.fetch().await;
        let (now, wall) = (self.clock.now(), self.clock.wall());
        match fetched {
            Ok(credentials) if credentials.expires_at.is_some_and(|at| at <= wall) => {
                let error = "the credentials have expired already".to_owned();
                self.failed(error, now);
            }
            Ok(credentials) => {
                if self.told.take().is_some() {
                    tracing::info!("AWS credentials are there again.");
                }
                self.known = Known { held: Some(Held::new(credentials, now, wall)), failure: None };
            }
            Err(error) => self.failed(error, now),
        }
    }

    fn failed(&mut self, error: String, now: Instant) {
        let error: Arc<str> = error.into();
        if self.told.as_ref() == Some(&error) {
            tracing::debug!(%error, "Again no AWS credentials could be brought.");
        } else {
            tracing::warn!(%error, "No AWS credentials could be brought; trying on.");
            self.told = Some(Arc::clone(&error));
        }
        self.known.failure = Some((error, now));
        // What is still valid is used on, and the source is asked again after a while.
        if let Some(held) = &mut self.known.held {
            held.stale_at = now + PAUSE;
        }
    }
}

impl Held {
    fn new(credentials: Credentials, now: Instant, wall: SystemTime) -> Self {
        let life = credentials.expires_at.map(|at| at.duration_since(wall).unwrap_or_default());
        let stale_in = life.map_or(LIFE_OF_FIXED, |life| life - MARGIN.min(life / 2));
        Self {
            credentials: Arc::new(credentials),
            fetched_at: now,
            stale_at: now + stale_in.max(PAUSE),
            ends_at: life.map(|life| now + life),
        }
    }
}
