//! A destination of several targets: each has a lane of its own, each caller one answer.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Mutex;

use pipeline::{Context, Contributor, Envelope, Verdict, consume};
use wire::Payload;

use super::bench::{delivered, direct, environment, queue, request, secs, unavailable};
use super::*;
use crate::settings::{Queue, Sizer};
use crate::{Attempt, Reply, Target, Targets};

/// Sends item `n` to target `n % count`; the first target takes nothing.
struct Fan {
    count: usize,
    is_first_denied: bool,
    /// Items by target.
    taken: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl Destination for Fan {
    async fn send(&self, attempt: Attempt) -> Reply {
        let target = attempt.target.to_string();
        if self.is_first_denied && target == "0" {
            return unavailable(None).into();
        }
        *self.taken.lock().unwrap().entry(target).or_default() += attempt.payload.items();
        Verdict::Delivered.into()
    }

    fn targets(&self, payload: &Payload, _context: &Context) -> Targets {
        let mut ranges: Vec<Vec<Range<usize>>> = vec![Vec::new(); self.count];
        for item in 0..payload.items() {
            ranges[item % self.count].push(item..item + 1);
        }
        let targets = ranges.into_iter().enumerate();
        let targets = targets.map(|(n, ranges)| (Target::new([n.to_string()], []), ranges));
        Targets::Several(targets.collect())
    }
}

struct Fixture {
    env: Environment,
    built: Built,
    taken: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl Fixture {
    fn new(settings: Settings, count: usize, is_first_denied: bool) -> Self {
        let env = environment();
        let taken = Arc::new(Mutex::new(BTreeMap::new()));
        let fan = Fan { count, is_first_denied, taken: Arc::clone(&taken) };
        let built = start(&env, settings, fan).unwrap();
        Self { env, built, taken }
    }

    fn taken(&self) -> Vec<(String, usize)> {
        let taken = self.taken.lock().unwrap().clone();
        taken.into_iter().collect()
    }

    async fn close(self) {
        self.built.component.close(Clock.now() + secs(5)).await;
        assert_eq!(self.env.scope.alive(), 0, "no task is left");
        let labels = vec![("exporter", "test".to_owned())];
        assert_eq!(self.env.metrics.gauge("otelcol_exporter_queue_size", "", labels).value(), 0);
    }
}

fn taken(expected: &[(&str, usize)]) -> Vec<(String, usize)> {
    expected.iter().map(|(target, items)| ((*target).to_owned(), *items)).collect()
}

#[tokio::test(start_paused = true)]
async fn each_target_gets_its_items_and_the_caller_one_answer() {
    let fixture = Fixture::new(direct(), 3, false);
    let (envelope, waiter, deadline) = request(8, secs(30));
    consume(fixture.built.consumer.as_ref(), envelope);
    let outcome = waiter.wait_until(Clock, deadline).await.unwrap();
    assert_eq!(outcome.answer(), delivered());
    assert_eq!(outcome.parts.iter().map(|(range, _)| range.len()).sum::<usize>(), 8);
    assert_eq!(fixture.taken(), taken(&[("0", 3), ("1", 3), ("2", 2)]));
    fixture.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_target_that_fails_leaves_the_others_their_items() {
    let fixture = Fixture::new(direct(), 2, true);
    let (envelope, waiter, deadline) = request(5, secs(3));
    consume(fixture.built.consumer.as_ref(), envelope);
    let outcome = waiter.wait_until(Clock, deadline).await.unwrap();
    for (range, verdict) in &outcome.parts {
        let is_first = range.start % 2 == 0;
        assert_eq!(is_first, *verdict != Verdict::Delivered, "{range:?}");
    }
    assert_eq!(fixture.taken(), taken(&[("1", 2)]));
    fixture.close().await;
}

#[tokio::test(start_paused = true)]
async fn callers_of_a_merged_envelope_keep_their_own_items() {
    let fixture = Fixture::new(direct(), 2, true);
    let (first, first_waiter, deadline) = request(1, secs(3));
    let (second, second_waiter, _) = request(3, secs(3));
    let payload = Payload::merge([first.payload, second.payload]).unwrap();
    let contributors: Vec<Contributor> =
        first.contributors.into_iter().chain(second.contributors).collect();
    let merged = Envelope { payload, context: Context::default(), contributors };
    consume(fixture.built.consumer.as_ref(), merged);
    let first = first_waiter.wait_until(Clock, deadline).await.unwrap();
    let second = second_waiter.wait_until(Clock, deadline).await.unwrap();
    assert!(first.parts.iter().all(|(_, verdict)| *verdict != Verdict::Delivered));
    let delivered = second.parts.iter().filter(|(_, verdict)| *verdict == Verdict::Delivered);
    let delivered: Vec<_> = delivered.map(|(range, _)| range.clone()).collect();
    assert_eq!(delivered, [0..1, 2..3]);
    fixture.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_request_of_many_targets_takes_no_more_of_the_queue_than_it_is() {
    for (sizer, queue_size) in [(Sizer::Requests, 1), (Sizer::Items, 50), (Sizer::Bytes, 300)] {
        let queue = Queue { sizer, queue_size, block_on_overflow: true, ..queue() };
        let fixture = Fixture::new(Settings { queue: Some(queue), ..direct() }, 50, false);
        for _ in 0..3 {
            let (envelope, waiter, deadline) = request(50, secs(30));
            consume(fixture.built.consumer.as_ref(), envelope);
            let outcome = waiter.wait_until(Clock, deadline).await.unwrap();
            assert_eq!(outcome.answer(), delivered());
        }
        assert_eq!(fixture.taken().len(), 50);
        fixture.close().await;
    }
}
