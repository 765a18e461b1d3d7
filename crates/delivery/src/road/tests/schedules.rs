//! The real road under many schedules: every order in which its tasks, its callers and its destination
//! may run is as good as any other.
//!
//! `cargo xtask schedules N` runs N of them; a failure names its seed, and `TIDEGATE_SCHEDULE=SEED`
//! runs that one again.

pub(super) mod moody;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use pipeline::fanout::FanOut;
use pipeline::{Answer, Outcome, receipt};
use runtime::task::schedule::{self, Strategy};

use self::moody::{Manner, Moody, Seen, Spread};
use super::bench::{batch, batching, delivered, direct, environment, millis, queue, request, secs};
use super::*;
use crate::settings::Queue;

/// Schedules of each scenario in an ordinary run.
const SCHEDULES: u64 = 100;
/// How often a road is replaced.
const RELOADS: usize = 3;

/// What callers do.
#[derive(Clone, Copy, Debug)]
struct Crowd {
    callers: usize,
    items: usize,
    /// How long each waits at most; some leave earlier.
    within: Duration,
    do_some_leave: bool,
}

/// What stands between callers and the destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Road,
    /// A batch processor before it.
    Relayed,
    /// Another road beside it, with a queue of its own, whose destination never answers.
    FannedOut,
    /// It is replaced by successors while it is used.
    Reloaded,
}

/// What callers that stay must hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expects {
    /// One answer at most.
    Anything,
    /// One answer.
    Answer,
    /// That their data was delivered; and it was, once.
    Delivery,
    /// That their data was delivered, and soon, if it went to the first target.
    DeliveryTo0Within(Duration),
}

/// One world to run in many orders.
#[derive(Clone)]
struct Scenario {
    settings: Settings,
    manner: Manner,
    spread: Spread,
    crowd: Crowd,
    shape: Shape,
    expects: Expects,
    /// When shutdown begins, and how long it may take.
    closes: (Duration, Duration),
}

fn scenario(settings: Settings, manner: Manner) -> Scenario {
    Scenario {
        settings,
        manner,
        spread: Spread::OneTarget,
        crowd: Crowd { callers: 6, items: 3, within: secs(60), do_some_leave: false },
        shape: Shape::Road,
        expects: Expects::Anything,
        closes: (secs(90), secs(30)),
    }
}

impl Scenario {
    async fn run(self, root: Scope) {
        let env = Environment { scope: root.child("road"), ..environment() };
        let seen = Arc::default();
        let outlet = Outlet::unconnected();
        let mut roads = self.build(&env, &outlet, &seen);
        let callers = root.child("callers");
        for number in 0..self.crowd.callers {
            callers.spawn("caller", self.clone().call(number, outlet.clone())).detach();
        }
        if self.shape == Shape::Reloaded {
            self.reload(&env, &outlet, &seen, &mut roads).await;
        }
        self.close(&roads).await;
        // Who comes after shutdown is answered, too.
        self.clone().expecting(Expects::Anything).call(0, outlet).await;
        assert!(callers.idle_by(Clock, Clock.now() + secs(120)).await, "every caller returns");
        assert_eq!(callers.panicked(), 0, "what a caller expects is so");
        self.check(&env, &seen);
    }

    /// The roads, from the first that callers come to.
    fn build(&self, env: &Environment, outlet: &Outlet, seen: &Arc<Mutex<Seen>>) -> Vec<Built> {
        let road = self.road(env, seen);
        outlet.connect(Arc::clone(&road.consumer));
        match self.shape {
            Shape::Road | Shape::Reloaded => vec![road],
            Shape::Relayed => {
                let next = Outlet::to(Arc::clone(&road.consumer));
                let relay = start_relay(env, batching(4, 6), next);
                outlet.connect(Arc::clone(&relay.consumer));
                vec![relay, road]
            }
            Shape::FannedOut => {
                let queued = Queue { wait_for_result: false, ..queue() };
                let settings = Settings { queue: Some(queued), retry: None, ..direct() };
                let silent =
                    Moody::new(Manner::Swallows, Spread::OneTarget, &settings, &Arc::default());
                let blocked = start(env, settings, silent).expect("nothing is opened");
                let branches = [&road, &blocked].map(|one| Arc::clone(&one.consumer));
                outlet.connect(FanOut::over(branches.to_vec()));
                vec![road, blocked]
            }
        }
    }

    fn road(&self, env: &Environment, seen: &Arc<Mutex<Seen>>) -> Built {
        let moody = Moody::new(self.manner, self.spread, &self.settings, seen);
        start(env, self.settings.clone(), moody).expect("nothing is opened")
    }

    async fn reload(
        &self,
        env: &Environment,
        outlet: &Outlet,
        seen: &Arc<Mutex<Seen>>,
        roads: &mut [Built],
    ) {
        let random = Random::entropy();
        for _ in 0..RELOADS {
            Clock.sleep(millis(random.below(4))).await;
            let next = self.road(env, seen);
            outlet.connect(Arc::clone(&next.consumer));
            let last = std::mem::replace(&mut roads[0], next);
            let deadline = Clock.now() + secs(30);
            last.component.drain(deadline);
            last.component.close(deadline).await;
        }
    }

    async fn close(&self, roads: &[Built]) {
        let (begin, within) = self.closes;
        Clock.sleep(begin).await;
        let deadline = Clock.now() + within;
        for road in roads {
            road.component.drain(deadline);
        }
        for road in roads {
            road.component.close(deadline).await;
        }
        assert!(Clock.now() <= deadline, "shutdown is bounded");
    }

    fn check(&self, env: &Environment, seen: &Mutex<Seen>) {
        assert_eq!(receipt::lost_total(), 0, "no answer was forgotten");
        assert_eq!(env.scope.alive_names(), Vec::<String>::new(), "no task is left");
        assert_eq!(env.budget.bytes_used(), 0, "no memory is left");
        let labels = vec![("exporter", "test".to_owned())];
        assert_eq!(env.metrics.gauge("otelcol_exporter_queue_size", "", labels).value(), 0);
        let seen = seen.lock().unwrap();
        assert_eq!(seen.faults, Vec::<String>::new());
        if self.expects == Expects::Delivery && !self.crowd.do_some_leave {
            let items = (0..self.crowd.callers).map(|number| 2 * self.items_of(number));
            assert_eq!(seen.taken_items, items.sum::<usize>(), "each item arrives once");
        }
    }

    fn expecting(self, expects: Expects) -> Self {
        Self { expects, ..self }
    }

    /// Requests of different callers go to different targets.
    fn items_of(&self, caller: usize) -> usize {
        self.crowd.items + caller % self.spread.len()
    }

    /// Sends twice, one after the other; each answer is one, comes in time, and is what is expected.
    async fn call(self, number: usize, outlet: Outlet) {
        let random = Random::entropy();
        let items = self.items_of(number);
        for _ in 0..2 {
            Clock.sleep(millis(random.below(4))).await;
            let began = Clock.now();
            let (envelope, waiter, deadline) = request(items, self.crowd.within);
            outlet.consume(envelope);
            if self.crowd.do_some_leave && random.below(2) == 0 {
                let early = Clock.now() + millis(random.below(5));
                drop(waiter.wait_until(Clock, early).await);
                continue;
            }
            let outcome = waiter.wait_until(Clock, deadline).await;
            assert!(Clock.now() <= deadline, "callers return in time");
            self.check_outcome(outcome, items, Clock.now() - began);
        }
    }

    fn check_outcome(&self, outcome: Option<Outcome>, items: usize, took: Duration) {
        // Each branch has a verdict on all of them; who is refused by one has one.
        let branches = if self.shape == Shape::FannedOut { 2 } else { 1 };
        let has_ended = |outcome: &Outcome| {
            let ended = outcome.parts.iter().map(|(range, _)| range.len()).sum::<usize>();
            [items, items * branches].contains(&ended)
        };
        assert!(outcome.as_ref().is_none_or(has_ended), "all items end");
        let answer = outcome.map(|outcome| outcome.answer());
        let is_to_0 = items.is_multiple_of(self.spread.len());
        match self.expects {
            Expects::Answer => assert!(answer.is_some(), "everyone is answered"),
            Expects::Delivery => assert_eq!(answer, Some(delivered())),
            Expects::DeliveryTo0Within(within) if is_to_0 => {
                assert_eq!(answer, Some(delivered()));
                assert!(took <= within, "{took:?}");
            }
            Expects::Anything | Expects::DeliveryTo0Within(_) => {
                assert!(!matches!(answer, Some(Answer::Refused(_))), "{answer:?}");
            }
        }
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

/// A queue of one request at a time, whose targets have one worker.
fn one_worker(spread: Spread, manner: Manner) -> Scenario {
    let queue = Queue { num_consumers: 1, ..queue() };
    let settings = Settings { queue: Some(queue), timeout: Some(secs(20)), ..direct() };
    Scenario { spread, ..scenario(settings, manner) }
}

#[test]
fn callers_with_remainders_and_room_for_less_than_two() {
    explore(&scenario(parking(5, 1, 2, 2), Manner::Works).expecting(Expects::Delivery));
}

#[test]
fn callers_that_leave_together_while_room_is_freed() {
    let mut scenario = scenario(parking(4, 1, 1, 4), Manner::Works).expecting(Expects::Delivery);
    scenario.crowd.do_some_leave = true;
    explore(&scenario);
}

#[test]
fn one_completion_frees_room_for_many() {
    let mut scenario = scenario(parking(9, 2, 9, 9), Manner::Falters).expecting(Expects::Delivery);
    scenario.crowd.items = 1;
    explore(&scenario);
}

#[test]
fn callers_that_leave_while_a_destination_falters() {
    let mut scenario = scenario(batching(6, 9), Manner::Falters).expecting(Expects::Delivery);
    scenario.crowd.do_some_leave = true;
    explore(&scenario);
}

#[test]
fn attempts_that_panic() {
    explore(&scenario(batching(2, 4), Manner::Panics).expecting(Expects::Answer));
}

#[test]
fn two_engines_in_series_and_callers_that_leave() {
    let mut scenario = scenario(parking(12, 2, 3, 5), Manner::Falters).expecting(Expects::Delivery);
    scenario.shape = Shape::Relayed;
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
    scenario.shape = Shape::Relayed;
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

#[test]
fn ordered_targets_that_falter_and_callers_that_leave() {
    let mut scenario = scenario(parking(99, 2, 1, 3), Manner::Falters).expecting(Expects::Delivery);
    scenario.settings.lanes.is_ordered = true;
    scenario.spread = Spread::Items(3);
    scenario.crowd.do_some_leave = true;
    explore(&scenario);
}

/// A slow attempt gives its slot back after a second, whatever its timeout.
#[test]
fn targets_that_swallow_beside_one_that_works() {
    let scenario = one_worker(Spread::Requests(3), Manner::Swallows);
    explore(&scenario.expecting(Expects::DeliveryTo0Within(secs(6))));
}

/// A wait between attempts holds nothing.
#[test]
fn targets_that_fail_beside_one_that_works() {
    let scenario = one_worker(Spread::Requests(3), Manner::Fails);
    explore(&scenario.expecting(Expects::DeliveryTo0Within(secs(2))));
}

#[test]
fn a_credential_that_several_targets_rely_on() {
    let mut scenario = one_worker(Spread::Requests(3), Manner::Expired);
    scenario.settings.queue.as_mut().unwrap().num_consumers = 2;
    scenario.expects = Expects::Delivery;
    explore(&scenario);
}

#[test]
fn two_branches_of_which_one_never_answers() {
    let mut scenario = scenario(parking(8, 2, 2, 4), Manner::Works).expecting(Expects::Delivery);
    scenario.shape = Shape::FannedOut;
    explore(&scenario);
}

#[test]
fn successors_take_over_while_callers_send_and_leave() {
    let mut scenario = scenario(parking(8, 2, 2, 4), Manner::Works).expecting(Expects::Delivery);
    scenario.shape = Shape::Reloaded;
    explore(&scenario);
    scenario.crowd.do_some_leave = true;
    explore(&scenario);
}
