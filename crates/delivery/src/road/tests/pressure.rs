//! Limits reached: of the queue, of the time that is left, of one of two destinations.

use pipeline::{Answer, Verdict, consume};

use super::super::*;
use super::bench::{
    Bench, at_once, batch, batching, delivered, direct, millis, queue, request, secs,
};
use crate::settings::{Queue, Sizer};

#[tokio::test(start_paused = true)]
async fn a_queue_takes_exactly_what_it_says() {
    let queue = Queue { num_consumers: 1, queue_size: 56, ..queue() };
    let settings = Settings { queue: Some(queue), ..direct() };
    let bench = Bench::new(settings, |_, _| (secs(1), Verdict::Delivered));
    let waiters: Vec<_> = (1..=10).map(|items| bench.send(items, secs(60))).collect();
    let answer = bench.answer(2, secs(60)).await;
    assert!(matches!(answer, Some(Answer::RetryAfter { .. })), "{answer:?}");
    let last = bench.send(1, secs(60));
    for (waiter, deadline) in waiters.into_iter().chain([last]) {
        let outcome = waiter.wait_until(Clock, deadline).await;
        assert_eq!(outcome.map(|outcome| outcome.answer()), Some(delivered()));
    }
    assert_eq!(bench.sizes(), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1]);
    bench.close(secs(5)).await;
}

#[tokio::test(start_paused = true)]
async fn a_queue_in_bytes_holds_batches_in_items() {
    let queue =
        Queue { sizer: Sizer::Bytes, queue_size: 3000, batch: Some(batch(100, 200)), ..queue() };
    let bench = Bench::new(Settings { queue: Some(queue), ..direct() }, at_once);
    assert_eq!(bench.answer(1000, secs(30)).await, Some(delivered()));
    assert_eq!(bench.sizes(), [200; 5]);
    bench.close(secs(5)).await;
}

#[tokio::test(start_paused = true)]
async fn shutdown_waits_for_what_is_being_sent() {
    let bench = Bench::new(batching(2, 0), |_, _| (millis(40), Verdict::Delivered));
    let waiters: Vec<_> = (0..3).map(|_| bench.send(1, secs(30))).collect();
    Clock.sleep(millis(20)).await;
    bench.close(secs(5)).await;
    for (waiter, deadline) in waiters {
        let outcome = waiter.wait_until(Clock, deadline).await;
        assert_eq!(outcome.map(|outcome| outcome.answer()), Some(delivered()));
    }
    assert_eq!(bench.sizes(), [2, 1]);
}

/// Ten requests fill the queue long before they fill a batch: nobody waits for the timer, which
/// allows upstream seven thousand items a second here.
#[tokio::test(start_paused = true)]
async fn a_queue_smaller_than_a_batch_does_not_wait_for_the_timer() {
    let queue = Queue {
        num_consumers: 1,
        block_on_overflow: true,
        sizer: Sizer::Requests,
        queue_size: 10,
        batch: Some(batch(8192, 0)),
        ..queue()
    };
    let settings = Settings { queue: Some(queue), ..direct() };
    let bench = Bench::new(settings, |_, _| (millis(5), Verdict::Delivered));
    let started = Clock.now();
    let waiters: Vec<_> = (0..1000).map(|_| bench.send(100, secs(60))).collect();
    for (waiter, deadline) in waiters {
        let outcome = waiter.wait_until(Clock, deadline).await;
        assert_eq!(outcome.map(|outcome| outcome.answer()), Some(delivered()));
    }
    let took = Clock.now() - started;
    let per_second = 100_000.0 / took.as_secs_f64();
    assert!(70_000.0 < per_second, "{per_second:.0} items a second");
    bench.close(secs(5)).await;
}

#[tokio::test(start_paused = true)]
async fn a_blocked_destination_with_a_queue_of_its_own_costs_the_other_nothing() {
    let queued = Queue { wait_for_result: false, queue_size: 10_000, ..queue() };
    let blocked = Bench::new(Settings { queue: Some(queued), retry: None, ..direct() }, |_, _| {
        (secs(3600), Verdict::Delivered)
    });
    let free = Bench::new(direct(), |_, _| (millis(1), Verdict::Delivered));
    let both = pipeline::fanout::FanOut::over(vec![
        Arc::clone(&blocked.built.consumer),
        Arc::clone(&free.built.consumer),
    ]);
    let started = Clock.now();
    for _ in 0..100 {
        let (envelope, waiter, deadline) = request(2, secs(30));
        consume(both.as_ref(), envelope);
        let outcome = waiter.wait_until(Clock, deadline).await;
        assert_eq!(outcome.map(|outcome| outcome.answer()), Some(delivered()));
    }
    assert!(Clock.now() - started <= millis(250), "{:?}", Clock.now() - started);
    assert_eq!(free.sizes(), [2; 100]);
    free.close(secs(5)).await;
    blocked.close(secs(5)).await;
}
