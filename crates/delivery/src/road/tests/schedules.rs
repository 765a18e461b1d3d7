//! The real road under many schedules: every order in which its tasks, its callers and its destination
//! may run is as good as any other.
//!
//! `cargo xtask schedules N` runs N of them; a failure names its seed, and `TIDEGATE_SCHEDULE=SEED`
//! runs that one again.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pipeline::{Outcome, Verdict, consume, receipt};
use runtime::task::schedule::{self, Strategy};

use super::bench::{
    batch, batching, direct, environment, millis, queue, request, secs, unavailable,
};
use super::*;
use crate::settings::Queue;
use crate::{Attempt, Reply};

/// Schedules of each scenario in an ordinary run.
const SCHEDULES: u64 = 100;

/// How the destination behaves.
#[derive(Clone, Copy, Debug)]
enum Manner {
    /// Takes a while.
    Works,
    /// Fails every other attempt.
    Falters,
    /// Never answers.
    Swallows,
    /// Every third attempt panics.
    Panics,
}

struct Moody {
    manner: Manner,
    attempts: Random,
}

impl Destination for Moody {
    async fn send(&self, attempt: Attempt) -> Reply {
        let number = self.attempts.below(6);
        Clock.sleep(millis(number)).await;
        match self.manner {
            Manner::Falters if number.is_multiple_of(2) => unavailable(Some(millis(100))).into(),
            Manner::Swallows => {
                Clock.sleep(secs(1000)).await;
                Verdict::Delivered.into()
            }
            Manner::Panics => {
                assert!(!number.is_multiple_of(3), "on purpose");
                Verdict::Delivered.into()
            }
            _ if attempt.payload.items() == 0 => unreachable!("nothing is never sent"),
            _ => Verdict::Delivered.into(),
        }
    }
}

/// What callers do.
#[derive(Clone, Copy, Debug)]
struct Crowd {
    callers: u64,
    items: usize,
    /// How long each waits at most; some leave earlier.
    within: Duration,
    do_some_leave: bool,
}

/// One world to run in many orders.
#[derive(Clone)]
struct Scenario {
    settings: Settings,
    manner: Manner,
    crowd: Crowd,
    /// Whether a relay stands before it.
    is_relayed: bool,
    /// When shutdown begins, and how long it may take.
    closes: (Duration, Duration),
}

fn scenario(settings: Settings, manner: Manner) -> Scenario {
    let crowd = Crowd { callers: 6, items: 3, within: secs(60), do_some_leave: false };
    Scenario { settings, manner, crowd, is_relayed: false, closes: (secs(90), secs(30)) }
}

impl Scenario {
    async fn run(self, root: Scope) {
        let env = Environment { scope: root.child("road"), ..environment() };
        let attempts = Random::entropy();
        let moody = Moody { manner: self.manner, attempts };
        let built = start(&env, self.settings.clone(), moody).expect("nothing is opened");
        let outlet = Outlet::to(Arc::clone(&built.consumer));
        let relay = self.is_relayed.then(|| start_relay(&env, batching(4, 6), outlet));
        let consumer = relay.as_ref().unwrap_or(&built).consumer.clone();
        let callers = root.child("callers");
        for _ in 0..self.crowd.callers {
            let consumer = Arc::clone(&consumer);
            callers.spawn("caller", call(consumer, self.crowd)).detach();
        }
        let (begin, within) = self.closes;
        Clock.sleep(begin).await;
        let deadline = Clock.now() + within;
        for road in relay.iter().chain([&built]) {
            road.component.drain(deadline);
        }
        for road in relay.iter().chain([&built]) {
            road.component.close(deadline).await;
        }
        assert!(Clock.now() <= deadline, "shutdown is bounded");
        // Who comes after shutdown is answered, too.
        call(consumer, Crowd { do_some_leave: false, ..self.crowd }).await;
        assert!(callers.idle_by(Clock, Clock.now() + secs(120)).await, "every caller returns");
        assert_eq!(callers.panicked(), 0, "what a caller expects is so");
        assert_eq!(receipt::lost_total(), 0, "no answer was forgotten");
        assert_eq!(env.scope.alive_names(), Vec::<String>::new(), "no task is left");
        assert_eq!(env.budget.bytes_used(), 0, "no memory is left");
        let labels = vec![("exporter", "test".to_owned())];
        assert_eq!(env.metrics.gauge("otelcol_exporter_queue_size", "", labels).value(), 0);
    }
}

/// Sends twice, one after the other; each answer is one, and comes in time.
async fn call(consumer: Arc<dyn pipeline::Consumer>, crowd: Crowd) {
    let random = Random::entropy();
    for _ in 0..2 {
        Clock.sleep(millis(random.below(4))).await;
        let (envelope, waiter, deadline) = request(crowd.items, crowd.within);
        consume(consumer.as_ref(), envelope);
        if crowd.do_some_leave && random.below(2) == 0 {
            let early = Clock.now() + millis(random.below(5));
            drop(waiter.wait_until(Clock, early).await);
            continue;
        }
        let outcome = waiter.wait_until(Clock, deadline).await;
        assert!(Clock.now() <= deadline, "callers return in time");
        let items =
            |outcome: &Outcome| outcome.parts.iter().map(|(range, _)| range.len()).sum::<usize>();
        assert!(outcome.is_none_or(|outcome| crowd.items == items(&outcome)), "all items end");
    }
}

/// Runs a scenario under as many schedules as were asked for.
fn explore(scenario: &Scenario) {
    let asked = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let seeds: Vec<u64> = match asked("TIDEGATE_SCHEDULE") {
        Some(seed) => vec![seed],
        None => {
            let random = Random::entropy();
            let count = asked("TIDEGATE_SCHEDULES").unwrap_or(SCHEDULES);
            (0..count).map(|_| random.number()).collect()
        }
    };
    for seed in seeds {
        let strategy = if seed.is_multiple_of(2) {
            Strategy::Random
        } else {
            Strategy::Priorities { changes: 3 }
        };
        let scenario = scenario.clone();
        let run = || schedule::run(seed, strategy, |root| scenario.run(root));
        let ended = catch_unwind(AssertUnwindSafe(run));
        assert!(ended.is_ok(), "run it again with TIDEGATE_SCHEDULE={seed}");
    }
}

fn parking(queue_size: usize, workers: usize, min: usize, max: usize) -> Settings {
    let queue = Queue {
        num_consumers: workers,
        queue_size,
        block_on_overflow: true,
        batch: Some(batch(min, max)),
        ..queue()
    };
    Settings { queue: Some(queue), ..direct() }
}

#[test]
fn callers_with_remainders_and_room_for_less_than_two() {
    explore(&scenario(parking(5, 1, 2, 2), Manner::Works));
}

#[test]
fn callers_that_leave_together_while_room_is_freed() {
    let mut scenario = scenario(parking(4, 1, 1, 4), Manner::Works);
    scenario.crowd.do_some_leave = true;
    explore(&scenario);
}

#[test]
fn one_completion_frees_room_for_many() {
    let mut scenario = scenario(parking(9, 2, 9, 9), Manner::Falters);
    scenario.crowd.items = 1;
    explore(&scenario);
}

#[test]
fn callers_that_leave_while_a_destination_falters() {
    let mut scenario = scenario(batching(6, 9), Manner::Falters);
    scenario.crowd.do_some_leave = true;
    explore(&scenario);
}

#[test]
fn attempts_that_panic() {
    explore(&scenario(batching(2, 4), Manner::Panics));
}

#[test]
fn two_engines_in_series_and_callers_that_leave() {
    let mut scenario = scenario(parking(12, 2, 3, 5), Manner::Falters);
    scenario.is_relayed = true;
    scenario.crowd.do_some_leave = true;
    explore(&scenario);
}

#[test]
fn shutdown_while_everyone_is_at_it() {
    let mut scenario = scenario(parking(8, 1, 2, 4), Manner::Falters);
    scenario.closes = (millis(3), secs(5));
    scenario.crowd.do_some_leave = true;
    explore(&scenario);
}

#[test]
fn shutdown_beside_a_destination_that_never_answers() {
    let mut scenario = scenario(batching(2, 4), Manner::Swallows);
    scenario.settings.timeout = None;
    scenario.is_relayed = true;
    scenario.closes = (millis(4), secs(5));
    explore(&scenario);
}

#[test]
fn ordered_lanes_that_falter() {
    let mut scenario = scenario(batching(2, 3), Manner::Falters);
    scenario.settings.lanes.is_ordered = true;
    scenario.closes = (millis(150), secs(5));
    explore(&scenario);
}

#[test]
fn deadlines_that_pass_while_data_is_sent() {
    let mut scenario = scenario(parking(8, 1, 4, 6), Manner::Works);
    scenario.crowd.within = millis(5);
    explore(&scenario);
}
