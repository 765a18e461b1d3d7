//! What requests hold of the process while destinations are stuck.

use pipeline::{Answer, Charge, consume};
use runtime::budget::Budget;

use super::super::*;
use super::bench::{
    Bench, at_once, batching, delivered, direct, environment, millis, queue, request, secs,
};
use super::schedules::moody::{Manner, Moody, Spread};
use crate::settings::Queue;
use pipeline::Verdict;

const MEBIBYTE: usize = 1 << 20;

/// A queue that answers before delivery.
fn early() -> Settings {
    let queue = Queue { wait_for_result: false, queue_size: 1_000_000, ..queue() };
    Settings { queue: Some(queue), ..direct() }
}

/// A destination that swallows everything.
fn stuck(env: &Environment) -> Bench {
    Bench::within(env.clone(), early(), |_, _| (secs(3600), Verdict::Delivered))
}

/// Sends a request for which its edge took `bytes`; false when the edge or the road had no room.
async fn send(env: &Environment, to: &Built, bytes: usize) -> bool {
    answer_of(env, to, (1, bytes)).await == Some(delivered())
}

/// The answer to a request of so many items, for which its edge took so many bytes; `None` when the
/// edge had no room.
async fn answer_of(
    env: &Environment,
    to: &Built,
    (items, bytes): (usize, usize),
) -> Option<Answer> {
    let permit = env.budget.try_take(bytes)?;
    let (mut envelope, waiter, deadline) = request(items, secs(30));
    envelope.contributors[0].charge = Charge::from(permit);
    consume(to.consumer.as_ref(), envelope);
    waiter.wait_until(Clock, deadline).await.map(|outcome| outcome.answer())
}

#[tokio::test(start_paused = true)]
async fn what_a_queue_acknowledged_stays_charged_to_the_process() {
    let env = environment();
    let bench = stuck(&env);
    assert!(send(&env, &bench.built, 5 * MEBIBYTE).await);
    assert_eq!(env.budget.bytes_used(), 5 * MEBIBYTE);
    bench.built.component.close(Clock.now() + secs(1)).await;
    assert_eq!(env.budget.bytes_used(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_a_queue_acknowledged_to_a_relay_stays_charged_to_the_process() {
    let env = environment();
    let bench = stuck(&env);
    let outlet = Outlet::to(Arc::clone(&bench.built.consumer));
    let relay = start_relay(&env, batching(1, 0), outlet);
    assert!(send(&env, &relay, 5 * MEBIBYTE).await);
    Clock.sleep(millis(100)).await;
    assert_eq!(env.budget.bytes_used(), 5 * MEBIBYTE);
    relay.component.close(Clock.now() + secs(1)).await;
    bench.built.component.close(Clock.now() + secs(1)).await;
    assert_eq!(env.budget.bytes_used(), 0);
}

#[tokio::test(start_paused = true)]
async fn stuck_exporters_together_leave_memory_to_the_others() {
    let env = environment();
    let stuck: Vec<Bench> = (0..2).map(|_| stuck(&env)).collect();
    for bench in &stuck {
        while send(&env, &bench.built, MEBIBYTE).await {}
    }
    assert!(16 * MEBIBYTE <= env.budget.bytes_free(), "{:?}", env.budget);
    let healthy = Bench::within(env.clone(), early(), at_once);
    for _ in 0..20 {
        assert!(send(&env, &healthy.built, MEBIBYTE).await);
        Clock.sleep(millis(1)).await;
    }
    assert_eq!(healthy.sizes(), [1; 20]);
}

#[tokio::test(start_paused = true)]
async fn a_share_follows_the_limit_of_the_process() {
    let env = environment();
    let stuck = stuck(&env);
    let held = |bench: &Bench| bench.env.budget.bytes_used();
    env.budget.set_bytes_max(16 * MEBIBYTE);
    while send(&env, &stuck.built, MEBIBYTE).await {}
    assert_eq!(held(&stuck), 12 * MEBIBYTE);
    env.budget.set_bytes_max(64 * MEBIBYTE);
    while send(&env, &stuck.built, MEBIBYTE).await {}
    assert_eq!(held(&stuck), 48 * MEBIBYTE);
}

/// Two exporters in a process of 32 MiB: one has a target that is dead and one that works. What the
/// dead one gets beyond its part is refused at once, with a delay; the others go on.
async fn beside_a_dead_target(manner: Manner) {
    let env = Environment { budget: Budget::root("test", 32 * MEBIBYTE), ..environment() };
    let settings = early();
    let seen = Arc::default();
    let moody = Moody::new(manner, Spread::Requests(2), &settings, &seen);
    let partly = start(&env, settings, moody).unwrap();
    let other = Bench::within(env.clone(), early(), at_once);
    let (dead, live) = (1, 2);
    assert!(send(&env, &partly, MEBIBYTE).await);
    assert_eq!(answer_of(&env, &partly, (live, MEBIBYTE)).await, Some(delivered()));
    // It is known to be dead.
    Clock.sleep(secs(2)).await;
    let refused = loop {
        let began = Clock.now();
        match answer_of(&env, &partly, (dead, MEBIBYTE)).await {
            Some(Answer::Delivered { .. }) => Clock.sleep(millis(5)).await,
            answer => break (answer, Clock.now() - began),
        }
    };
    let (Some(Answer::RetryAfter { delay: Some(_), .. }), Duration::ZERO) = refused else {
        panic!("it is refused at once, with a delay: {refused:?}")
    };
    // Half of the exporter's three quarters.
    assert!(env.budget.bytes_used() <= 12 * MEBIBYTE, "{:?}", env.budget);
    for _ in 0..20 {
        assert_eq!(answer_of(&env, &partly, (live, MEBIBYTE)).await, Some(delivered()));
        assert!(send(&env, &other.built, MEBIBYTE).await);
        Clock.sleep(millis(10)).await;
    }
    assert_eq!(other.sizes(), [1; 20]);
    assert_eq!(seen.lock().unwrap().taken_items, 21 * live);
    partly.component.close(Clock.now() + secs(1)).await;
    other.close(secs(1)).await;
    assert_eq!(env.budget.bytes_used(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_target_that_fails_holds_nothing_that_others_need() {
    beside_a_dead_target(Manner::Fails).await;
}

#[tokio::test(start_paused = true)]
async fn a_target_that_never_answers_holds_nothing_that_others_need() {
    beside_a_dead_target(Manner::Swallows).await;
}
