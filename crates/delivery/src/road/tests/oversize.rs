//! Items that are too large: for a batch, or for the destination. Their callers hear how many; the rest
//! goes.

use std::sync::Arc;

use pipeline::{Answer, Code, Context, Contributor, Envelope, Outlet, Status, Verdict, consume};
use runtime::clock::Clock;
use wire::Payload;

use super::super::start_relay;
use super::bench::{
    Bench, at_once, batch, delivered, direct, environment, queue, request_with, secs,
};
use crate::settings::{Batch, Queue, Settings, Sizer};

/// Batches of up to a hundred bytes.
fn hundred_bytes() -> Settings {
    let batch = Batch { sizer: Sizer::Bytes, ..batch(1, 100) };
    Settings { queue: Some(Queue { batch: Some(batch), ..queue() }), ..direct() }
}

async fn answer_of(to: &dyn pipeline::Consumer, records: &[usize]) -> Answer {
    let (envelope, waiter, deadline) = request_with(records, secs(30));
    consume(to, envelope);
    waiter.wait_until(Clock, deadline).await.expect("it is answered").answer()
}

/// What a caller hears of which `count` items were refused.
fn is_refused_in_part(answer: &Answer, count: u64) -> bool {
    matches!(answer, Answer::Delivered { rejected, warning: Some(why) }
        if *rejected == count && why.contains("larger than `max_size`"))
}

#[tokio::test(start_paused = true)]
async fn items_larger_than_a_batch_are_refused_with_their_count_and_the_rest_goes() {
    let bench = Bench::new(hundred_bytes(), at_once);
    let answer = answer_of(bench.built.consumer.as_ref(), &[10, 300, 20, 20, 400, 10]).await;
    assert!(is_refused_in_part(&answer, 2), "{answer:?}");
    assert_eq!(bench.sizes().iter().sum::<usize>(), 4);
    bench.close(secs(5)).await;
}

#[tokio::test(start_paused = true)]
async fn a_request_of_items_that_are_all_too_large_is_refused() {
    let bench = Bench::new(hundred_bytes(), at_once);
    let answer = answer_of(bench.built.consumer.as_ref(), &[300, 300]).await;
    assert!(matches!(answer, Answer::Refused(_)), "{answer:?}");
    assert_eq!(bench.sizes(), [0; 0]);
    bench.close(secs(5)).await;
}

/// Two callers, merged before they came: each hears of its own items.
#[tokio::test(start_paused = true)]
async fn callers_that_were_merged_hear_of_their_own_items_only() {
    let bench = Bench::new(hundred_bytes(), at_once);
    let (one, one_waits, deadline) = request_with(&[10, 10], secs(30));
    let (other, other_waits, _) = request_with(&[10, 300, 10], secs(30));
    let payload = Payload::merge([one.payload, other.payload]).unwrap();
    let contributors: Vec<Contributor> =
        one.contributors.into_iter().chain(other.contributors).collect();
    let merged = Envelope { payload, context: Context::default(), contributors };
    consume(bench.built.consumer.as_ref(), merged);
    let one = one_waits.wait_until(Clock, deadline).await.unwrap().answer();
    let other = other_waits.wait_until(Clock, deadline).await.unwrap().answer();
    assert_eq!(one, delivered());
    assert!(is_refused_in_part(&other, 1), "{other:?}");
    assert_eq!(bench.sizes().iter().sum::<usize>(), 4);
    bench.close(secs(5)).await;
}

/// The batch processor before an exporter's queue: two engines in series.
#[tokio::test(start_paused = true)]
async fn the_count_comes_back_through_a_batch_processor() {
    let bench = Bench::new(hundred_bytes(), at_once);
    let batch = Queue { batch: Some(batch(1, 0)), ..queue() };
    let settings = Settings { queue: Some(batch), ..direct() };
    let relay =
        start_relay(&environment(), settings, Outlet::to(Arc::clone(&bench.built.consumer)));
    let answer = answer_of(relay.consumer.as_ref(), &[10, 300, 20]).await;
    assert!(is_refused_in_part(&answer, 1), "{answer:?}");
    assert_eq!(bench.sizes().iter().sum::<usize>(), 2);
    relay.component.close(Clock.now() + secs(5)).await;
    bench.close(secs(5)).await;
}

#[tokio::test(start_paused = true)]
async fn an_item_that_the_destination_finds_too_large_is_refused_alone() {
    let bench = Bench::new(direct(), |attempt, _| {
        let status = Status::new(Code::ResourceExhausted, "too large");
        let refused = Verdict::Refused(Status { http: Some(413), ..status });
        let is_taken = attempt.payload.bytes_len() <= 100;
        (secs(0), if is_taken { Verdict::Delivered } else { refused })
    });
    let answer = answer_of(bench.built.consumer.as_ref(), &[10, 20, 300, 60, 60, 10]).await;
    let Answer::Delivered { rejected: 1, warning: Some(_) } = answer else { panic!("{answer:?}") };
    assert_eq!(bench.sizes().iter().sum::<usize>(), 5);
    bench.close(secs(5)).await;
}
