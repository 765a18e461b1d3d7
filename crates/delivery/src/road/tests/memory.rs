//! What requests hold of the process while destinations are stuck.

use pipeline::{Charge, consume};

use super::super::*;
use super::bench::{
    Bench, at_once, batching, delivered, direct, environment, millis, queue, request, secs,
};
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
    let Some(permit) = env.budget.try_take(bytes) else { return false };
    let (mut envelope, waiter, deadline) = request(1, secs(30));
    envelope.contributors[0].charge = Charge::from(permit);
    consume(to.consumer.as_ref(), envelope);
    let outcome = waiter.wait_until(Clock, deadline).await;
    outcome.is_some_and(|outcome| outcome.answer() == delivered())
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
