//! Spans: who is linked to which batch, and what the outgoing call carries.

use pipeline::SpanContext;
use pipeline::trace::{Record, Recorded, Tracer};
use runtime::budget::Budget;
use runtime::channel::Receiver;
use runtime::metrics::Counter;

use super::*;

const SAMPLED: u8 = SpanContext::SAMPLED;

fn environment_with_spans() -> (Environment, Receiver<Recorded>) {
    let (sender, records) = channel::bounded(Ends { from: "test", to: "test" }, 100);
    let tracer = Tracer::new(0.0, Budget::root("spans", 1 << 24), sender, Counter::default());
    (Environment { tracer, ..environment() }, records)
}

fn all(records: &mut Receiver<Recorded>) -> Vec<Record> {
    std::iter::from_fn(|| records.try_recv()).map(|recorded| recorded.record).collect()
}

fn client(number: u8, flags: u8) -> SpanContext {
    SpanContext { trace_id: [number; 16], span_id: [number; 8], flags }
}

/// Sends one item in each of these traces at once; gives what the outgoing calls carried.
async fn carried(
    env: Environment,
    settings: Settings,
    clients: &[SpanContext],
    is_first_refused: bool,
) -> Vec<Option<SpanContext>> {
    let carried = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&carried);
    let bench = Bench::within(env, settings, move |attempt, call| {
        seen.lock().unwrap().push(attempt.trace);
        let is_refused = is_first_refused && call == 0;
        (millis(1), if is_refused { unavailable(None) } else { Verdict::Delivered })
    });
    let waiters: Vec<_> = clients
        .iter()
        .map(|client| {
            let (mut envelope, waiter, deadline) = request(1, secs(30));
            envelope.contributors[0].trace = Some(*client);
            consume(bench.built.consumer.as_ref(), envelope);
            (waiter, deadline)
        })
        .collect();
    for (waiter, deadline) in waiters {
        let outcome = waiter.wait_until(Clock, deadline).await.unwrap();
        assert_eq!(outcome.answer(), delivered());
    }
    bench.close(secs(5)).await;
    carried.lock().unwrap().clone()
}

/// Holds that every stay is linked to all batches, and every batch to all stays.
#[track_caller]
fn check_linked(records: &[Record], stays: usize, batches: &[Option<SpanContext>]) {
    let of = |name: &str| -> Vec<&Record> {
        records.iter().filter(|record| &*record.name == name).collect()
    };
    let (found_stays, found_batches) = (of("exporter/enqueue"), of("exporter/test/logs"));
    assert_eq!((found_stays.len(), found_batches.len()), (stays, batches.len()), "{records:#?}");
    assert_eq!(records.len(), stays + batches.len());
    let sorted = |mut contexts: Vec<SpanContext>| {
        contexts.sort_by_key(|context| context.span_id);
        contexts
    };
    let all_stays = sorted(found_stays.iter().map(|stay| stay.context).collect());
    let all_batches = sorted(batches.iter().copied().flatten().collect());
    for batch in found_batches {
        assert_eq!(sorted(batch.links.clone()), all_stays);
    }
    for stay in found_stays {
        assert_eq!(sorted(stay.links.clone()), all_batches);
        assert_eq!(stay.parent, Some(stay.context.trace_id[..8].try_into().unwrap()));
    }
}

#[tokio::test(start_paused = true)]
async fn every_attempt_of_a_merged_batch_and_its_callers_are_linked_both_ways() {
    let (env, mut records) = environment_with_spans();
    let clients = [client(1, SAMPLED), client(2, SAMPLED), client(3, SAMPLED)];
    let batches = carried(env, batching(3, 0), &clients, true).await;
    let records = all(&mut records);
    check_linked(&records, 3, &batches);
    let failed = records.iter().filter(|record| record.failure.is_some());
    assert_eq!(failed.count(), 1, "only the first attempt failed: {records:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_lone_callers_batch_is_in_its_trace() {
    let (env, mut records) = environment_with_spans();
    let batches = carried(env, direct(), &[client(7, SAMPLED)], false).await;
    let records = all(&mut records);
    check_linked(&records, 1, &batches);
    assert_eq!(batches[0].unwrap().trace_id, [7; 16]);
    let batch = records.iter().find(|record| Some(record.context) == batches[0]).unwrap();
    let stay = records.iter().find(|record| &*record.name == "exporter/enqueue").unwrap();
    assert_eq!(batch.parent, Some(stay.context.span_id));
}

#[tokio::test(start_paused = true)]
async fn links_outlive_an_answer_before_delivery() {
    let (env, mut records) = environment_with_spans();
    let early = Queue { wait_for_result: false, batch: Some(batch(2, 0)), ..queue() };
    let settings = Settings { queue: Some(early), ..direct() };
    let batches = carried(env, settings, &[client(1, SAMPLED), client(2, SAMPLED)], false).await;
    check_linked(&all(&mut records), 2, &batches);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_sampled_is_passed_on_and_not_recorded() {
    let (env, mut records) = environment_with_spans();
    let silent = client(7, 0);
    assert_eq!(carried(env.clone(), direct(), &[silent], false).await, [Some(silent)]);
    let pair = [silent, client(8, 0)];
    assert_eq!(carried(env, batching(2, 0), &pair, false).await, [None]);
    assert_eq!(all(&mut records), []);

    let sampled = client(7, SAMPLED);
    let without = carried(environment(), direct(), &[sampled], false).await;
    assert_eq!(without, [Some(sampled)], "without a tracer the client's context passes through");
}
