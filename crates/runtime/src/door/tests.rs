use std::collections::VecDeque;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::{Door, Limits, Reason, Turned};
use crate::budget::{Budget, Permit};
use crate::clock::Clock;
use crate::task::{Scope, Task};

const KIB: usize = 1 << 10;
const LIMITS: Limits =
    Limits { waiters_max: 4, bytes_max: 256 * KIB, retry_after: Duration::from_secs(1) };

struct World {
    clock: Clock,
    scope: Scope,
    budget: Budget,
    door: Door,
}

impl World {
    fn new(bytes_max: usize) -> Self {
        let (clock, scope) = (Clock, Scope::root("test"));
        let budget = Budget::root("test", bytes_max);
        let door = Door::new(clock, &scope, budget.clone(), LIMITS);
        Self { clock, scope, budget, door }
    }

    fn enter(&self, peer: &'static str, bytes: usize) -> Task<Result<Permit, Turned>> {
        let (door, deadline) = (self.door.clone(), self.clock.now() + Duration::from_secs(40));
        self.scope.spawn("enter", async move { door.enter(peer, bytes, deadline).await })
    }
}

/// Lets all tasks run until they wait; time stands still.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

fn reason(result: Result<Permit, Turned>) -> Reason {
    result.expect_err("turned away").reason
}

#[tokio::test(start_paused = true)]
async fn admits_at_once_while_there_is_room() {
    let world = World::new(100 * KIB);
    let deadline = world.clock.now();
    let permit = world.door.enter("a", 60 * KIB, deadline).await.unwrap();
    assert_eq!(60 * KIB, permit.bytes());
    assert_eq!(60 * KIB, world.budget.bytes_used());
}

#[tokio::test(start_paused = true)]
async fn a_permit_given_back_admits_who_waits() {
    let world = World::new(100 * KIB);
    let held = world.budget.try_take(60 * KIB).unwrap();
    let waiting = world.enter("a", 60 * KIB);
    settle().await;
    assert_eq!((1, 60 * KIB), world.door.waiting());
    let start = world.clock.now();
    drop(held);
    let permit = waiting.await.unwrap().unwrap();
    assert_eq!(start, world.clock.now());
    assert_eq!(60 * KIB, permit.bytes());
    assert_eq!((0, 0), world.door.waiting());
}

#[tokio::test(start_paused = true)]
async fn room_made_by_a_sibling_or_a_larger_cap_admits_too() {
    let root = Budget::root("process", 100 * KIB);
    let (one, other) = (root.child("one", 100 * KIB), root.child("other", 100 * KIB));
    let (clock, scope) = (Clock, Scope::root("test"));
    let door = Door::new(clock, &scope, one, LIMITS);
    let held = other.try_take(90 * KIB).unwrap();
    let deadline = clock.now() + Duration::from_secs(40);
    let asking = (door.clone(), door.clone());
    let first = scope.spawn("enter", async move { asking.0.enter("a", 20 * KIB, deadline).await });
    settle().await;
    let second = scope.spawn("enter", async move { asking.1.enter("a", 90 * KIB, deadline).await });
    settle().await;
    assert_eq!((2, 110 * KIB), door.waiting());
    drop(held);
    let permit = first.await.unwrap().unwrap();
    assert_eq!((1, 90 * KIB), door.waiting());
    root.set_bytes_max(110 * KIB);
    // The child's own cap still holds the second back.
    settle().await;
    assert_eq!((1, 90 * KIB), door.waiting());
    door.budget().set_bytes_max(110 * KIB);
    drop(second.await.unwrap().unwrap());
    drop(permit);
}

#[tokio::test(start_paused = true)]
async fn waits_for_a_quarter_of_the_time_and_asks_to_come_again() {
    let world = World::new(100 * KIB);
    let _held = world.budget.try_take(60 * KIB).unwrap();
    let start = world.clock.now();
    let turned = world.enter("a", 60 * KIB).await.unwrap().expect_err("turned away");
    assert_eq!(Reason::Late, turned.reason);
    assert_eq!(Duration::from_secs(10), world.clock.now() - start);
    let delays = Duration::from_millis(750)..=Duration::from_millis(1_250);
    assert!(delays.contains(&turned.retry_after), "{turned:?}");
    assert_eq!((0, 0), world.door.waiting());
}

#[tokio::test(start_paused = true)]
async fn turns_away_at_once_what_can_never_fit() {
    let world = World::new(100 * KIB);
    let start = world.clock.now();
    let turned = world.enter("a", 101 * KIB).await.unwrap().expect_err("turned away");
    assert!(turned.is_never());
    assert_eq!(start, world.clock.now());
}

#[tokio::test(start_paused = true)]
async fn turns_away_beyond_its_bounds() {
    let world = World::new(100 * KIB);
    let _held = world.budget.try_take(100 * KIB).unwrap();
    let _waiting: Vec<_> = (0..2).map(|_| world.enter("a", 90 * KIB)).collect();
    settle().await;
    assert_eq!(Reason::Crowded, reason(world.enter("b", 80 * KIB).await.unwrap()));
    let _more: Vec<_> = (0..2).map(|_| world.enter("a", 4 * KIB)).collect();
    settle().await;
    assert_eq!(Reason::Crowded, reason(world.enter("b", 4 * KIB).await.unwrap()));
}

#[tokio::test(start_paused = true)]
async fn who_leaves_makes_way_for_the_next() {
    let world = World::new(100 * KIB);
    let _held = world.budget.try_take(60 * KIB).unwrap();
    let large = world.enter("a", 50 * KIB);
    settle().await;
    let small = world.enter("a", 40 * KIB);
    settle().await;
    assert_eq!((2, 90 * KIB), world.door.waiting());
    drop(large);
    drop(small.await.unwrap().unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_grant_to_one_who_leaves_is_passed_on() {
    let world = World::new(100 * KIB);
    let held = world.budget.try_take(60 * KIB).unwrap();
    let (first, second) = (world.enter("a", 60 * KIB), world.enter("b", 60 * KIB));
    settle().await;
    drop(held);
    world.door.shared.admit();
    assert_eq!((1, 60 * KIB), world.door.waiting());
    drop(first);
    drop(second.await.unwrap().unwrap());
    assert_eq!(0, world.budget.bytes_used());
}

#[tokio::test(start_paused = true)]
async fn closing_turns_everyone_away() {
    let world = World::new(100 * KIB);
    let _held = world.budget.try_take(100 * KIB).unwrap();
    let waiting = world.enter("a", 8 * KIB);
    settle().await;
    world.door.close();
    assert_eq!(Reason::Closed, reason(waiting.await.unwrap()));
    assert_eq!(Reason::Closed, reason(world.enter("a", 8 * KIB).await.unwrap()));
    assert_eq!((0, 0), world.door.waiting());
}

#[tokio::test(start_paused = true)]
async fn the_porter_ends_with_the_door() {
    let world = World::new(100 * KIB);
    assert_eq!(1, world.scope.alive());
    let World { clock, scope, door, .. } = world;
    drop(door);
    assert!(scope.idle_by(clock, clock.now() + Duration::from_secs(1)).await);
}

#[derive(Clone, Debug)]
enum Step {
    Enter { peer: usize, kib: usize },
    Release,
    Leave { nth: usize },
    Pass { seconds: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0usize..3, 1usize..90).prop_map(|(peer, kib)| Step::Enter { peer, kib }),
        4 => Just(Step::Release),
        1 => (0usize..4).prop_map(|nth| Step::Leave { nth }),
        1 => (1u64..8).prop_map(|seconds| Step::Pass { seconds }),
    ]
}

/// Runs `steps`; says what was wrong, if anything was.
async fn run(steps: Vec<Step>) -> Result<(), String> {
    let world = World::new(100 * KIB);
    let (mut asking, mut held) = (VecDeque::new(), VecDeque::new());
    for step in steps {
        match step {
            Step::Enter { peer, kib } => {
                asking.push_back(world.enter(["a", "b", "c"][peer], kib * KIB));
            }
            Step::Release => drop(held.pop_front()),
            Step::Leave { nth } => drop(asking.remove(nth)),
            Step::Pass { seconds } => world.clock.sleep(Duration::from_secs(seconds)).await,
        }
        settle().await;
        let (ended, waiting) = asking.into_iter().partition(|task: &Task<_>| task.is_ended());
        asking = waiting;
        let ended: VecDeque<Task<Result<Permit, Turned>>> = ended;
        for task in ended {
            held.extend(task.await.map_err(|ended| ended.to_string())?.ok());
        }
        let first = world.door.shared.line().queue.first();
        if let Some((_, bytes)) = first
            && world.budget.try_take(bytes).is_some()
        {
            return Err(format!("one waits for {bytes} bytes that are free"));
        }
        if world.door.waiting().0 != asking.len() {
            return Err(format!("{} ask, {:?} wait", asking.len(), world.door.waiting()));
        }
    }
    drop((asking, held));
    settle().await;
    world.budget.check().map_err(|imbalance| imbalance.to_string())?;
    let left = (world.budget.bytes_used(), world.door.waiting());
    if left == (0, (0, 0)) { Ok(()) } else { Err(format!("left behind: {left:?}")) }
}

#[test]
fn nobody_waits_with_room_free_and_all_bytes_come_back() {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_time().start_paused(true).build().unwrap()
    };
    let check = |steps| {
        let result = runtime().block_on(run(steps));
        result.map_err(TestCaseError::fail)
    };
    let steps = prop::collection::vec(step(), 1..40);
    TestRunner::default().run(&steps, check).unwrap();
}

/// A wake-up that is lost leaves somebody waiting until its time is up, which fails the test.
#[test]
fn no_wake_up_is_lost_between_threads() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_time()
        .build()
        .unwrap();
    let budget = Budget::root("test", 16 * KIB);
    let scope = Scope::root("test");
    runtime.block_on(async {
        let limits = Limits { waiters_max: 64, bytes_max: 1 << 20, ..LIMITS };
        let door = Door::new(Clock, &scope, budget.clone(), limits);
        let guests = (0..8).map(|guest: usize| {
            let door = door.clone();
            let visit = async move {
                for visit in 0..250 {
                    let deadline = Clock.now() + Duration::from_secs(60);
                    let bytes = (1 + (guest + visit) % 3) * 4 * KIB;
                    let permit = door.enter(["a", "b"][guest % 2], bytes, deadline).await.unwrap();
                    tokio::task::yield_now().await;
                    drop(permit);
                }
            };
            scope.spawn("guest", visit)
        });
        for guest in guests.collect::<Vec<_>>() {
            guest.await.unwrap();
        }
        drop(door);
        scope.assert_idle(Clock).await;
    });
    assert_eq!((0, Ok(())), (budget.bytes_used(), budget.check()));
}
