//! Overload: clients that send more than the destination takes, whether or not they are answered.
//!
//! The destination takes a fixed number of items a second and asks for a second's pause beyond
//! that. What it can take must be used, the rest must be refused so that clients send it again,
//! and memory stays within its limit.

use std::process::Stdio;

use serde_json::Value;

use super::process::{Running, command, free_port, get};

/// What data may take in the collector.
const MEMORY_MAX_MIB: u64 = 64;

/// How much comes, of how much is taken.
#[derive(Clone, Copy)]
struct Row {
    /// Items a second that the destination takes.
    capacity: u64,
    /// How many times that comes.
    factor: u64,
    seconds: u64,
    /// Items of each request.
    items: u64,
}

struct House {
    row: Row,
    collector: Running,
    sink: Running,
    port: u16,
    metrics: u16,
    folder: tempfile::TempDir,
}

/// A queue of two seconds of what the destination takes, in batches of a fifth of a second.
fn config(row: Row, [port, sink, metrics]: [u16; 3]) -> String {
    let (queue_size, max_size) = (2 * row.capacity, row.capacity / 5);
    format!(
        "receivers:
  otlp: {{protocols: {{grpc: {{endpoint: '127.0.0.1:{port}'}}}}}}
processors:
  memory_limiter: {{check_interval: 1s, limit_mib: {MEMORY_MAX_MIB}}}
exporters:
  otlp:
    endpoint: 127.0.0.1:{sink}
    tls: {{insecure: true}}
    sending_queue:
      wait_for_result: true
      sizer: items
      queue_size: {queue_size}
      batch: {{min_size: {items}, max_size: {max_size}}}
service:
  telemetry:
    metrics: {{readers: [{{pull: {{exporter: {{prometheus: {{host: 127.0.0.1, port: {metrics}}}}}}}}}]}}
  pipelines:
    logs: {{receivers: [otlp], processors: [memory_limiter], exporters: [otlp]}}
",
        items = row.items,
    )
}

impl House {
    /// A sink of no capacity (0) takes all it is given.
    fn start(row: Row, sink_capacity: u64) -> Self {
        let ports @ [port, sink_port, metrics] = [free_port(), free_port(), free_port()];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.yaml");
        std::fs::write(&path, config(row, ports)).unwrap();
        let sink_address = format!("127.0.0.1:{sink_port}");
        let capacity = sink_capacity.to_string();
        let mut sink = Running::start(&[
            "sink",
            "--grpc",
            &sink_address,
            "--http",
            "",
            "--capacity",
            &capacity,
            "--json",
            "--check",
            folder.path().join("overload.json").to_str().unwrap(),
            "--check",
            folder.path().join("after.json").to_str().unwrap(),
        ]);
        sink.wait_for("listening");
        let mut collector = Running::start(&[
            "--config",
            path.to_str().unwrap(),
            "--data-dir",
            folder.path().join("data").to_str().unwrap(),
        ]);
        collector.wait_for("Everything is ready");
        Self { row, collector, sink, port, metrics, folder }
    }

    /// An open loop of `rate` items a second, or a closed one; waits for its end and gives its
    /// summary.
    fn generate(&self, ledger: &str, rate: Option<u64>, seconds: u64) -> Value {
        let rate = rate.map(|rate| format!("--rate={rate}"));
        let output = command(&["generate", "--json", "--connections", "2", "--concurrency", "300"])
            .args(["--endpoint", &format!("127.0.0.1:{}", self.port)])
            .args(rate)
            .args(["--seconds", &seconds.to_string()])
            .args(["--items", &self.row.items.to_string(), "--timeout", "20"])
            .arg("--ledger")
            .arg(self.folder.path().join(ledger))
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn end(mut self) {
        self.collector.signal("TERM");
        self.collector.wait_for("Shutdown complete");
        self.sink.signal("TERM");
        let (status, log, printed) = self.sink.end();
        assert!(status.success(), "what was acknowledged arrived: {log}");
        let totals: Value = serde_json::from_str(&printed).unwrap();
        assert_eq!(totals["doubled"], 0, "{totals}");
    }
}

/// Who was refused may come back, nobody was left without a word, and the capacity was used.
fn check_answers(summary: &Value, capacity: f64) {
    assert!(summary["retryable_requests"].as_u64() > Some(0), "{summary}");
    for never in ["refused_requests", "unknown_requests", "unanswered_requests"] {
        assert_eq!(summary[never], 0, "{never}: {summary}");
    }
    let goodput = summary["items_per_second"].as_f64().unwrap() / capacity;
    assert!(0.9 <= goodput, "{goodput:.2} of the capacity: {summary}");
}

fn check(row: Row) {
    let house = House::start(row, row.capacity);
    let memory_before = house.collector.memory_peak_mib();
    let summary = house.generate("overload.json", Some(row.factor * row.capacity), row.seconds);
    check_answers(&summary, row.capacity as f64);
    // What is held, and as much again on its way in or kept by the allocator.
    let memory = house.collector.memory_peak_mib() - memory_before;
    assert!(memory <= 2 * MEMORY_MAX_MIB, "{memory} MiB");
    // As soon as no more comes than is taken, everyone is served again.
    let after = house.generate("after.json", Some(row.capacity / 2), 1);
    assert_eq!(after["acknowledged_items"], after["sent_items"], "{after}");
    assert!(after["seconds"].as_f64().unwrap() <= 5.0, "{after}");
    let metrics = get(house.metrics, "/metrics");
    for gauge in ["queue_size", "in_flight_requests"] {
        let line = format!("\notelcol_exporter_{gauge}{{exporter=\"otlp\"}} 0\n");
        assert!(metrics.contains(&line), "{gauge} is back at its start: {metrics}");
    }
    house.end();
}

#[test]
fn twice_the_capacity_uses_all_of_it_and_refuses_the_rest() {
    check(Row { capacity: 5000, factor: 2, seconds: 3, items: 100 });
}

#[test]
fn ten_times_the_capacity_uses_all_of_it_and_refuses_the_rest() {
    check(Row { capacity: 5000, factor: 10, seconds: 3, items: 250 });
}

#[test]
#[ignore = "takes half a minute: `just deep`"]
fn twice_the_capacity_at_full_length() {
    check(Row { capacity: 20_000, factor: 2, seconds: 30, items: 200 });
}

#[test]
#[ignore = "takes half a minute: `just deep`"]
fn ten_times_the_capacity_at_full_length() {
    check(Row { capacity: 20_000, factor: 10, seconds: 30, items: 500 });
}

/// The bound is the processor, which the generator and the sink share: what a closed loop achieves
/// is the capacity.
#[test]
#[ignore = "wants a machine that does nothing else: `just deep`"]
fn twice_what_the_processor_can_do_does_not_lower_what_it_does() {
    let row = Row { capacity: 5000, factor: 2, seconds: 5, items: 100 };
    let house = House::start(row, 0);
    let closed = house.generate("after.json", None, 3);
    let capacity = closed["items_per_second"].as_f64().unwrap();
    let summary = house.generate("overload.json", Some(2 * capacity as u64), row.seconds);
    check_answers(&summary, capacity);
    house.end();
}
