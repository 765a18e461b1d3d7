//! What the series of an exporter say, at the levels `normal` and `detailed`.

use runtime::metrics::{Exposition, Registry, Resource};

use super::bench::environment;
use super::*;

/// Delivers three items, is refused two, and fails with one; the series of all of that.
async fn told(metrics: Registry) -> String {
    let env = Environment { metrics: metrics.clone(), ..environment() };
    let settings = Settings { retry: None, ..batching(1, 0) };
    let bench = Bench::within(env, settings, |_, call| match call {
        0 => (Duration::ZERO, Verdict::Delivered),
        1 => (Duration::ZERO, Verdict::Refused(Status::new(Code::PermissionDenied, "no"))),
        _ => (Duration::ZERO, unavailable(None)),
    });
    for items in [3, 2, 1] {
        bench.answer(items, secs(30)).await.unwrap();
    }
    bench.close(secs(5)).await;
    metrics.exposition(&Resource::default(), Exposition::IMPLICIT)
}

#[track_caller]
fn check_lines(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.lines().any(|one| one == *line), "{line} is not in {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_normal_level_counts_items_and_the_size_of_the_queue() {
    let text = told(Registry::default()).await;
    check_lines(
        &text,
        &[
            "otelcol_exporter_sent_log_records{exporter=\"test\"} 3",
            "otelcol_exporter_send_failed_log_records{exporter=\"test\"} 3",
            "otelcol_exporter_queue_capacity{exporter=\"test\"} 100000",
            "otelcol_exporter_queue_size{exporter=\"test\"} 0",
            "otelcol_exporter_queue_batch_send_size_sum{exporter=\"test\"} 6",
        ],
    );
    assert!(!text.contains("enqueue_size") && !text.contains("_size_bytes"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_detailed_level_tells_kinds_of_failures_and_bytes() {
    let text = told(Registry::detailed()).await;
    let failed = "otelcol_exporter_send_failed_log_records{error_permanent=";
    check_lines(
        &text,
        &[
            &format!("{failed}\"true\",error_type=\"PermissionDenied\",exporter=\"test\"}} 2"),
            &format!("{failed}\"false\",error_type=\"Unavailable\",exporter=\"test\"}} 1"),
            "otelcol_exporter_enqueue_size_sum{exporter=\"test\"} 6",
            "otelcol_exporter_enqueue_size_bytes_count{exporter=\"test\"} 3",
            // Two bytes for each record, and four headers of two bytes for each request.
            "otelcol_exporter_enqueue_size_bytes_sum{exporter=\"test\"} 24",
            "otelcol_exporter_queue_batch_send_size_bytes_sum{exporter=\"test\"} 24",
        ],
    );
}

#[tokio::test(start_paused = true)]
async fn without_a_queue_nothing_is_in_it() {
    let bench = Bench::new(direct(), at_once);
    bench.answer(1, secs(30)).await.unwrap();
    let text = bench.env.metrics.exposition(&Resource::default(), Exposition::IMPLICIT);
    check_lines(
        &text,
        &[
            "otelcol_exporter_queue_capacity{exporter=\"test\"} 0",
            "otelcol_exporter_queue_size{exporter=\"test\"} 0",
        ],
    );
    bench.close(secs(5)).await;
}
