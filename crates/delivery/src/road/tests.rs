use std::sync::Mutex;

use pipeline::{Answer, Code, Status, Verdict, consume};

use self::bench::{
    Bench, at_once, batch, batching, delivered, direct, environment, millis, queue, request, secs,
    unavailable,
};
use super::*;
use crate::settings::{Batch, Queue, Sizer};

mod bench;
mod crashing;
mod durable;
mod filling;
mod keeping;
mod memory;
mod oversize;
mod persistent;
mod pressure;
mod schedules;
mod targets;
mod telemetry;
mod tracing;

#[tokio::test(start_paused = true)]
async fn the_caller_gets_the_destinations_answer() {
    let bench = Bench::new(direct(), |_, call| match call {
        0 => (millis(10), Verdict::Delivered),
        _ => (millis(10), Verdict::Refused(Status::new(Code::PermissionDenied, "no"))),
    });
    assert_eq!(bench.answer(3, secs(30)).await, Some(delivered()));
    let refused = Answer::Refused(Status::new(Code::PermissionDenied, "no"));
    assert_eq!(bench.answer(3, secs(30)).await, Some(refused));
    assert_eq!(bench.sizes(), [3]);
    bench.close(secs(5)).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_not_accepted_is_sent_again() {
    let bench = Bench::new(direct(), |_, call| match call {
        0 => (Duration::ZERO, unavailable(None)),
        _ => (Duration::ZERO, Verdict::Delivered),
    });
    let started = Clock.now();
    assert_eq!(bench.answer(3, secs(30)).await, Some(delivered()));
    assert_eq!(Clock.now() - started, secs(5));
    bench.close(secs(5)).await;
}

#[tokio::test(start_paused = true)]
async fn the_destinations_delay_is_obeyed() {
    let bench = Bench::new(direct(), |_, call| match call {
        0 => (Duration::ZERO, unavailable(Some(secs(12)))),
        _ => (Duration::ZERO, Verdict::Delivered),
    });
    let started = Clock.now();
    assert_eq!(bench.answer(3, secs(30)).await, Some(delivered()));
    assert_eq!(Clock.now() - started, secs(12));
    bench.close(secs(5)).await;
}

#[tokio::test(start_paused = true)]
async fn a_delay_beyond_the_deadline_reaches_the_caller_now() {
    let bench = Bench::new(direct(), |_, _| (Duration::ZERO, unavailable(Some(secs(60)))));
    let started = Clock.now();
    let answer = bench.answer(3, secs(30)).await;
    assert!(
        matches!(answer, Some(Answer::RetryAfter { delay: Some(delay), .. }) if delay == secs(60))
    );
    assert_eq!(Clock.now(), started);
    // The lane is shut: the next one is told what is left, without an attempt.
    Clock.sleep(secs(10)).await;
    let answer = bench.answer(3, secs(30)).await;
    assert!(
        matches!(answer, Some(Answer::RetryAfter { delay: Some(delay), .. }) if delay == secs(50))
    );
    bench.close(secs(5)).await;
}

#[tokio::test(start_paused = true)]
async fn a_destination_without_an_answer_costs_one_timeout() {
    let settings = Settings { retry: None, ..direct() };
    let bench = Bench::new(settings, |_, _| (secs(3600), Verdict::Delivered));
    let started = Clock.now();
    let answer = bench.answer(3, secs(30)).await;
    assert!(matches!(answer, Some(Answer::Unknown(_))), "{answer:?}");
    assert_eq!(Clock.now() - started, secs(5));
    bench.close(secs(5)).await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_destination_is_an_answer() {
    let bench = Bench::new(direct(), |_, _| panic!("on purpose"));
    let answer = bench.answer(3, secs(30)).await;
    assert!(matches!(answer, Some(Answer::Unknown(_))), "{answer:?}");
    bench.close(secs(5)).await;
}

#[tokio::test(start_paused = true)]
async fn who_leaves_between_attempts_takes_its_data_back() {
    let bench = Bench::new(direct(), |_, call| match call {
        0 => (Duration::ZERO, unavailable(None)),
        _ => (Duration::ZERO, Verdict::Delivered),
    });
    let (waiter, _) = bench.send(3, secs(30));
    Clock.sleep(secs(1)).await;
    drop(waiter);
    Clock.sleep(secs(60)).await;
    assert_eq!(bench.sizes(), Vec::<usize>::new());
    let labels = vec![("exporter", "test".to_owned())];
    let withdrawn = bench.env.metrics.counter("tidegate_delivery_withdrawn_items", "", labels);
    assert_eq!(withdrawn.value(), 3);
    bench.close(secs(5)).await;
}

#[tokio::test(start_paused = true)]
async fn a_lone_caller_does_not_wait_for_the_timer() {
    let bench = Bench::new(batching(8192, 0), at_once);
    let started = Clock.now();
    for _ in 0..20 {
        assert_eq!(bench.answer(150, secs(30)).await, Some(delivered()));
    }
    // The quiet period, a tenth of the flush timeout, once for each request.
    assert!(Clock.now() - started <= millis(20 * 21), "{:?}", Clock.now() - started);
    bench.close(secs(5)).await;
}

#[tokio::test(start_paused = true)]
async fn full_pieces_leave_at_once_and_the_tail_follows() {
    let bench = Bench::new(batching(128, 130), |_, _| (millis(1), Verdict::Delivered));
    let started = Clock.now();
    assert_eq!(bench.answer(150, secs(30)).await, Some(delivered()));
    assert_eq!(bench.sizes(), [130, 20]);
    assert!(Clock.now() - started <= millis(3));
    bench.close(secs(5)).await;
}

async fn post_mortem_row(callers: usize) {
    let queue = Queue {
        num_consumers: 1,
        block_on_overflow: true,
        queue_size: 260,
        batch: Some(batch(128, 130)),
        ..queue()
    };
    let settings = Settings { queue: Some(queue), ..direct() };
    let bench = Bench::new(settings, |_, _| (millis(5), Verdict::Delivered));
    let started = Clock.now();
    let waiters: Vec<_> = (0..callers).map(|_| bench.send(150, secs(600))).collect();
    for (waiter, deadline) in waiters {
        let outcome = waiter.wait_until(Clock, deadline).await;
        assert_eq!(outcome.map(|outcome| outcome.answer()), Some(delivered()));
    }
    let exports = bench.sizes().len();
    assert_eq!(bench.sizes().iter().sum::<usize>(), 150 * callers);
    assert!(bench.sizes().iter().all(|size| *size <= 130));
    // Not a moment beyond the destination's own time, and at most two exports a request.
    assert!(exports <= 2 * callers, "{exports} exports");
    let own = millis(5) * u32::try_from(exports).unwrap();
    let took = Clock.now() - started;
    assert!(took <= own + millis(100) + own / 5, "{took:?} for {own:?}");
    bench.close(secs(5)).await;
}

#[tokio::test(start_paused = true)]
async fn a_thousand_callers_pass_through_room_for_less_than_two() {
    post_mortem_row(1000).await;
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_callers_pass_through_room_for_less_than_two() {
    post_mortem_row(10_000).await;
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_refuses_with_a_delay() {
    let queue = Queue { num_consumers: 1, sizer: Sizer::Requests, queue_size: 1, ..queue() };
    let settings = Settings { queue: Some(queue), ..direct() };
    let bench = Bench::new(settings, |_, _| (secs(1), Verdict::Delivered));
    let first = bench.send(1, secs(30));
    let answer = bench.answer(1, secs(30)).await;
    assert!(matches!(answer, Some(Answer::RetryAfter { delay: Some(_), .. })), "{answer:?}");
    let outcome = first.0.wait_until(Clock, first.1).await;
    assert_eq!(outcome.map(|outcome| outcome.answer()), Some(delivered()));
    assert_eq!(bench.answer(1, secs(30)).await, Some(delivered()));
    bench.close(secs(5)).await;
}

#[tokio::test(start_paused = true)]
async fn what_can_never_fit_is_refused_for_good() {
    let settings = Settings { queue: Some(Queue { queue_size: 5, ..queue() }), ..direct() };
    let bench = Bench::new(settings, at_once);
    let answer = bench.answer(6, secs(30)).await;
    assert!(matches!(answer, Some(Answer::Refused(_))), "{answer:?}");
    bench.close(secs(5)).await;
}

#[tokio::test(start_paused = true)]
async fn a_queue_may_answer_before_delivery() {
    let queue = Queue { wait_for_result: false, ..queue() };
    let settings = Settings { queue: Some(queue), ..direct() };
    let bench = Bench::new(settings, |_, _| (secs(1), Verdict::Delivered));
    let started = Clock.now();
    assert_eq!(bench.answer(4, secs(30)).await, Some(delivered()));
    assert_eq!(Clock.now(), started);
    bench.close(secs(5)).await;
    assert_eq!(bench.sizes(), [4]);
}

#[tokio::test(start_paused = true)]
async fn each_caller_returns_at_its_own_deadline() {
    let settings = Settings { timeout: None, ..batching(2, 0) };
    let seen = Arc::new(Mutex::new(Vec::new()));
    let deadlines = Arc::clone(&seen);
    let bench = Bench::new(settings, move |attempt, _| {
        deadlines.lock().unwrap().push(attempt.deadline);
        (secs(5), Verdict::Delivered)
    });
    let started = Clock.now();
    let short = bench.send(1, secs(1));
    let long = bench.send(1, secs(10));
    assert_eq!(short.0.wait_until(Clock, short.1).await, None);
    assert_eq!(Clock.now() - started, secs(1));
    let outcome = long.0.wait_until(Clock, long.1).await;
    assert_eq!(outcome.map(|outcome| outcome.answer()), Some(delivered()));
    assert_eq!(*seen.lock().unwrap(), [started + secs(10)]);
    bench.close(secs(5)).await;
}

#[tokio::test(start_paused = true)]
async fn shutdown_flushes_what_waits_for_company() {
    let queue = Queue {
        wait_for_result: false,
        batch: Some(Batch { flush_timeout: Some(secs(3600)), ..batch(1000, 0) }),
        ..queue()
    };
    let bench = Bench::new(Settings { queue: Some(queue), ..direct() }, at_once);
    for _ in 0..3 {
        assert_eq!(bench.answer(2, secs(30)).await, Some(delivered()));
    }
    bench.close(secs(5)).await;
    assert_eq!(bench.sizes(), [6]);
}

#[tokio::test(start_paused = true)]
async fn what_was_handed_over_before_the_end_is_delivered() {
    let bench = Bench::new(direct(), at_once);
    let (waiter, deadline) = bench.send(3, secs(30));
    bench.close(secs(5)).await;
    let outcome = waiter.wait_until(Clock, deadline).await;
    assert_eq!(outcome.map(|outcome| outcome.answer()), Some(delivered()));
}

#[tokio::test(start_paused = true)]
async fn shutdown_ends_by_its_deadline_and_tells_everyone() {
    let settings = Settings { timeout: None, ..direct() };
    let bench = Bench::new(settings, |_, _| (secs(3600), Verdict::Delivered));
    let started = Clock.now();
    let (waiter, deadline) = bench.send(3, secs(600));
    tokio::task::yield_now().await;
    bench.close(secs(5)).await;
    assert!(Clock.now() - started <= secs(5));
    let outcome = waiter.wait_until(Clock, deadline).await.map(|outcome| outcome.answer());
    assert!(matches!(outcome, Some(Answer::Unknown(_))), "{outcome:?}");
    // What comes after is refused at once.
    let answer = bench.answer(3, secs(600)).await;
    assert!(matches!(answer, Some(Answer::RetryAfter { delay: Some(_), .. })), "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn a_poisoned_request_is_refused_alone() {
    let queue = Queue { num_consumers: 1, batch: Some(batch(64, 0)), ..queue() };
    let settings = Settings { queue: Some(queue), ..direct() };
    // Whatever holds the request of seven items is refused.
    let bench = Bench::new(settings, |attempt, _| {
        let is_poisoned = attempt.payload.items() % 2 == 1;
        let invalid = || Verdict::Refused(Status::new(Code::InvalidArgument, "bad item"));
        (millis(1), if is_poisoned { invalid() } else { Verdict::Delivered })
    });
    let waiters: Vec<_> =
        (0..32).map(|n| bench.send(if n == 13 { 7 } else { 2 }, secs(30))).collect();
    let mut refused = Vec::new();
    for (n, (waiter, deadline)) in waiters.into_iter().enumerate() {
        match waiter.wait_until(Clock, deadline).await.unwrap().answer() {
            Answer::Delivered { .. } => {}
            _ => refused.push(n),
        }
    }
    assert_eq!(refused, [13]);
    assert_eq!(bench.sizes().iter().sum::<usize>(), 62);
    bench.close(secs(5)).await;
}

#[tokio::test(start_paused = true)]
async fn two_roads_in_series_keep_verdicts_per_caller() {
    let second = Bench::new(direct(), |attempt, _| {
        let is_poisoned = attempt.payload.items() % 2 == 1;
        let invalid = || Verdict::Refused(Status::new(Code::InvalidArgument, "bad item"));
        (millis(1), if is_poisoned { invalid() } else { Verdict::Delivered })
    });
    let outlet = Outlet::to(Arc::clone(&second.built.consumer));
    let env = environment();
    let first = start_relay(&env, batching(20, 0), outlet);
    let mut waiters = Vec::new();
    for n in 0..10 {
        let (envelope, waiter, deadline) = request(if n == 4 { 3 } else { 2 }, secs(30));
        consume(first.consumer.as_ref(), envelope);
        waiters.push((waiter, deadline));
    }
    let mut refused = Vec::new();
    for (n, (waiter, deadline)) in waiters.into_iter().enumerate() {
        match waiter.wait_until(Clock, deadline).await.unwrap().answer() {
            Answer::Delivered { .. } => {}
            _ => refused.push(n),
        }
    }
    assert_eq!(refused, [4]);
    first.component.close(Clock.now() + secs(5)).await;
    assert_eq!(env.scope.alive(), 0);
    second.close(secs(5)).await;
}

#[tokio::test(start_paused = true)]
async fn leaving_reaches_through_two_roads() {
    let second = Bench::new(direct(), |_, call| match call {
        0 => (Duration::ZERO, unavailable(None)),
        _ => (Duration::ZERO, Verdict::Delivered),
    });
    let outlet = Outlet::to(Arc::clone(&second.built.consumer));
    let env = environment();
    let first = start_relay(&env, batching(1, 0), outlet);
    let (envelope, waiter, _) = request(3, secs(30));
    consume(first.consumer.as_ref(), envelope);
    Clock.sleep(secs(1)).await;
    drop(waiter);
    Clock.sleep(secs(60)).await;
    assert_eq!(second.sizes(), Vec::<usize>::new());
    first.component.close(Clock.now() + secs(5)).await;
    assert_eq!(env.scope.alive(), 0);
    second.close(secs(5)).await;
}

#[tokio::test(start_paused = true)]
async fn what_waits_can_say_for_what_and_how_long() {
    let queue = Queue {
        wait_for_result: false,
        batch: Some(Batch { flush_timeout: Some(secs(10)), ..batch(1000, 0) }),
        ..queue()
    };
    let bench = Bench::new(Settings { queue: Some(queue), ..direct() }, at_once);
    assert_eq!(bench.answer(2, secs(30)).await, Some(delivered()));
    Clock.sleep(secs(4)).await;
    assert_eq!(
        bench.built.component.explain(),
        ["logs: 2 items wait for company; ends in 6000 ms at the latest"]
    );
    bench.close(secs(5)).await;
}

#[tokio::test(start_paused = true)]
async fn batches_measured_in_bytes_never_exceed_the_maximum() {
    let batch = Batch { sizer: Sizer::Bytes, ..batch(100, 120) };
    let queue = Queue { batch: Some(batch), ..queue() };
    let seen = Arc::new(Mutex::new(Vec::new()));
    let bytes = Arc::clone(&seen);
    let bench = Bench::new(Settings { queue: Some(queue), ..direct() }, move |attempt, _| {
        bytes.lock().unwrap().push(attempt.payload.bytes_len());
        (millis(1), Verdict::Delivered)
    });
    let waiters: Vec<_> =
        [1, 20, 300, 7, 45, 60].iter().map(|items| bench.send(*items, secs(30))).collect();
    for (waiter, deadline) in waiters {
        let outcome = waiter.wait_until(Clock, deadline).await;
        assert_eq!(outcome.map(|outcome| outcome.answer()), Some(delivered()));
    }
    assert_eq!(bench.sizes().iter().sum::<usize>(), 433);
    assert!(seen.lock().unwrap().iter().all(|bytes| *bytes <= 120), "{seen:?}");
    bench.close(secs(5)).await;
}

#[tokio::test(start_paused = true)]
async fn a_branch_without_room_hands_nothing_to_the_other() {
    let room_for = |requests| {
        let queue =
            Queue { num_consumers: 1, sizer: Sizer::Requests, queue_size: requests, ..queue() };
        let settings = Settings { queue: Some(queue), ..direct() };
        Bench::new(settings, |_, _| (secs(1), Verdict::Delivered))
    };
    let (narrow, wide) = (room_for(1), room_for(100));
    let both = pipeline::fanout::FanOut::over(vec![
        Arc::clone(&wide.built.consumer),
        Arc::clone(&narrow.built.consumer),
    ]);
    let mut waiters = Vec::new();
    for _ in 0..3 {
        let (envelope, waiter, deadline) = request(2, secs(30));
        consume(both.as_ref(), envelope);
        waiters.push((waiter, deadline));
    }
    let mut answers = Vec::new();
    for (waiter, deadline) in waiters {
        answers.push(waiter.wait_until(Clock, deadline).await.unwrap().answer());
    }
    assert_eq!(answers[0], delivered());
    let is_refused = |answer: &Answer| matches!(answer, Answer::RetryAfter { .. });
    assert!(answers[1..].iter().all(is_refused), "{answers:?}");
    assert_eq!((wide.sizes(), narrow.sizes()), (vec![2], vec![2]));
    wide.close(secs(5)).await;
    narrow.close(secs(5)).await;
}
