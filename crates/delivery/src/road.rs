//! Road: the shell around one engine.
//!
//! Owner of the engine and of all that is held: one task. Others hold a [`Post`] to it.
//! Bounds: the exporter's share of memory, and the queue's size when there is one.
//! See the drawing in `lib.rs`.

mod attempt;
mod courier;
mod intake;
mod load;
mod opening;
mod owner;
mod relay;
mod room;
mod sorting;
pub(crate) mod store;
mod telemetry;
mod trace;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use journal::{Position, StreamId};
use pipeline::{Built, Component, Environment, Outcome, Outlet, StartError, Status};
use runtime::channel::{self, Ends, LatestReceiver};
use runtime::clock::Clock;
use runtime::mailbox::{self, Post};
use runtime::random::Random;
use runtime::task::{Scope, Task};

use self::attempt::ToDestination;
use self::courier::Courier;
use self::intake::{Handed, Intake};
use self::owner::Owner;
use self::owner::storing::Keeping;
use self::relay::ToOutlet;
use self::room::Room;
use self::sorting::Sorter;
use self::store::{Reading, Store};
use self::telemetry::Telemetry;
use self::trace::Trace;
use crate::Destination;
use crate::engine::{
    AttemptId, Ending, Engine, EnvelopeId, LaneId, MemberId, NotRead, NotWritten, Rules, Wait,
};
use crate::settings::{Halving, Settings};

/// Attempts at once of a road without a queue, where each request is its own.
const DIRECT_MAX: usize = 1000;

/// What the owner hears beside data.
#[derive(Debug)]
enum Signal {
    Ended(AttemptId, Ending),
    PartEnded(AttemptId, usize, Outcome),
    /// The journal can be used, or will never be.
    Opened(Result<Box<Store>, StartError>),
    Written(EnvelopeId, Result<(StreamId, Position, usize), NotWritten>),
    Roomy,
    /// The journal has trouble with its disk, or has it no more.
    Trouble,
    Loaded(LaneId, Result<Reading, NotRead>),
    Buried(EnvelopeId, Result<(), Status>),
    Left(MemberId),
    Crowded,
    Drain(Instant),
    Close(Instant),
}

type ToOwner = Post<Signal, Handed>;

/// Starts the road to `destination`; fails when its queue cannot be kept where it is to be kept.
pub fn start(
    env: &Environment,
    settings: Settings,
    destination: impl Destination,
) -> Result<Built, StartError> {
    let telemetry = Telemetry::of_exporter(env, &settings, &destination);
    let told = (telemetry, Trace::of_exporter(env));
    let rules = rules(settings, false);
    let destination = Arc::new(destination);
    let sorter: Arc<dyn Sorter> = Arc::clone(&destination) as _;
    start_with(env, rules, told, Some(sorter), |post, scope| {
        ToDestination::new(destination, env.clock, scope, post)
    })
}

/// Starts a road that passes batches on to `next`, every caller's data under a receipt of its own.
/// Retry, timeout and halving are left to the engines that come after it.
pub fn start_relay(env: &Environment, settings: Settings, next: Outlet) -> Built {
    let told = (Telemetry::of_processor(env), Trace::of_processor(env));
    let settings = Settings { timeout: None, retry: None, halving: Halving::Off, ..settings };
    let rules = rules(settings, true);
    let built = start_with(env, rules, told, None, |post, scope| {
        ToOutlet::new(next, env.clock, scope, post)
    });
    built.expect("a relay keeps nothing on disk")
}

fn rules(settings: Settings, is_relay: bool) -> Rules {
    let workers_max = settings.queue.as_ref().map_or(DIRECT_MAX, |queue| queue.num_consumers);
    // The share is known when the room is made.
    let bytes_max = usize::MAX;
    let seed = Random::entropy().number();
    Rules {
        settings,
        workers_max,
        is_relay,
        bytes_max,
        window_max: 0,
        seed,
        #[cfg(mutants)]
        mutant: crate::engine::Mutant::chosen(),
    }
}

fn start_with<C: Courier>(
    env: &Environment,
    rules: Rules,
    (telemetry, trace): (Telemetry, Trace),
    sorter: Option<Arc<dyn Sorter>>,
    courier: impl FnOnce(ToOwner, Scope) -> C,
) -> Result<Built, StartError> {
    let (post, mailbox) = mailbox::mailbox(Ends { from: "callers and attempts", to: "delivery" });
    let waits_ends = Ends { from: "delivery", to: "whoever asks what it waits for" };
    let (publish, waits) = channel::latest(waits_ends, Arc::new(Vec::new()));
    let scope = env.scope.child("delivery");
    let (shelf, store) = opening::shelf(env, &rules.settings, &post, &scope)?;
    let room = Arc::new(Room::new(env, rules.settings.queue.as_ref()));
    let intake = Intake::new(&rules.settings, Arc::clone(&room), post.clone(), telemetry.clone());
    let keeping = Keeping::new(env, &rules.settings);
    let window_max = keeping.window_max();
    let mut owner = Owner::new(owner::Parts {
        engine: Engine::new(Rules { bytes_max: room.bytes_max(), window_max, ..rules }),
        courier: courier(post.clone(), scope.child("attempts")),
        room,
        telemetry,
        trace,
        clock: env.clock,
        mailbox,
        post: post.clone(),
        publish,
        shelf,
        keeping,
    });
    // Whoever asks from now on is told of what was left on disk.
    if let Some(store) = store {
        owner.opened(store, env.clock.now());
    }
    let task = scope.spawn("owner", owner.run());
    let road = Road { post, waits, scope, clock: env.clock, _owner: task };
    Ok(Built { component: Arc::new(road), consumer: Arc::new(intake.sorting_by(sorter)) })
}

/// The component: how the graph drains, ends and questions the owner.
struct Road {
    post: ToOwner,
    waits: LatestReceiver<Arc<Vec<Wait>>>,
    scope: Scope,
    clock: Clock,
    _owner: Task<()>,
}

impl Road {
    /// When what is left is answered, so that the answers still reach the callers.
    fn ends_at(&self, deadline: Instant) -> Instant {
        let left = deadline.saturating_duration_since(self.clock.now());
        let margin = (left / 10).min(Duration::from_millis(500));
        deadline.checked_sub(margin).unwrap_or(deadline)
    }
}

impl Component for Road {
    fn drain(&self, deadline: Instant) {
        self.post.signal(Signal::Drain(self.ends_at(deadline)));
    }

    fn close(&self, deadline: Instant) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.post.signal(Signal::Close(self.ends_at(deadline)));
            self.scope.idle_by(self.clock, deadline).await;
        })
    }

    fn explain(&self) -> Vec<String> {
        let now = self.clock.now();
        self.waits.value().iter().map(|wait| wait.describe(now)).collect()
    }
}

impl fmt::Debug for Road {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Road({})", self.scope.name())
    }
}

#[cfg(test)]
mod tests;
