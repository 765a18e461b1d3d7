//! Life: a collector starts, is reloaded under load, and ends when asked.

use std::path::Path;

use serde_json::Value;

use super::process::{Running, command, free_port, get};

/// OTLP in on `port`, OTLP out to `sink`. Each version changes the attributes processor, every third
/// one the exporter, every 25th one the receiver (a client that is sent away twice before its first
/// answer takes the server for broken); the batch processor runs on.
fn config(port: u16, sink: u16, metrics: u16, version: u32) -> String {
    let (message_size, header) = (4 + version / 25 % 2, version / 3 % 2);
    format!(
        "receivers:
  otlp:
    protocols: {{grpc: {{endpoint: '127.0.0.1:{port}', max_recv_msg_size_mib: {message_size}}}}}
processors:
  attributes: {{actions: [{{key: version, value: {version}, action: upsert}}]}}
  batch:
exporters:
  otlp:
    endpoint: 127.0.0.1:{sink}
    headers: {{x-version: '{header}'}}
    tls: {{insecure: true}}
service:
  telemetry:
    metrics: {{readers: [{{pull: {{exporter: {{prometheus: {{host: 127.0.0.1, port: {metrics}}}}}}}}}]}}
  pipelines:
    logs: {{receivers: [otlp], processors: [attributes, batch], exporters: [otlp]}}
"
    )
}

/// A collector in front of a sink.
struct House {
    collector: Running,
    sink: Running,
    port: u16,
    metrics: u16,
    sink_port: u16,
    folder: tempfile::TempDir,
}

impl House {
    fn start() -> Self {
        let [port, sink_port, metrics] = [free_port(), free_port(), free_port()];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.yaml");
        std::fs::write(&path, config(port, sink_port, metrics, 0)).unwrap();
        let sink_address = format!("127.0.0.1:{sink_port}");
        let ledger = folder.path().join("ledger.json");
        let sink = Running::start(&[
            "sink",
            "--grpc",
            &sink_address,
            "--http",
            "",
            "--json",
            "--check",
            ledger.to_str().unwrap(),
        ]);
        let mut collector = Running::start(&[
            "--config",
            path.to_str().unwrap(),
            "--data-dir",
            folder.path().join("data").to_str().unwrap(),
        ]);
        collector.wait_for("Everything is ready");
        Self { collector, sink, port, metrics, sink_port, folder }
    }

    fn write(&self, version: u32) {
        let path = self.path().join("config.yaml");
        std::fs::write(path, config(self.port, self.sink_port, self.metrics, version)).unwrap();
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Ends the collector, then the sink, which must have `distinct` items and none of them twice.
    fn end(mut self, distinct: u64) {
        self.collector.signal("TERM");
        self.collector.wait_for("Shutdown complete");
        let (status, log, _) = self.collector.end();
        assert!(status.success(), "{log}");
        self.sink.signal("TERM");
        let (status, log, printed) = self.sink.end();
        assert!(status.success(), "{log}");
        let totals: Value = serde_json::from_str(&printed).unwrap();
        assert_eq!(totals["distinct"], distinct, "{totals}");
        assert_eq!(totals["doubled"], 0, "{totals}");
    }

    /// Starts to send a load.
    fn generate(&self, more: &[&str]) -> std::process::Child {
        let endpoint = format!("127.0.0.1:{}", self.port);
        command(&["generate", "--json", "--endpoint", &endpoint, "--ledger"])
            .arg(self.path().join("ledger.json"))
            .args(more)
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap()
    }
}

fn summary(load: std::process::Child) -> Value {
    let output = load.wait_with_output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn what_is_acknowledged_arrives_and_sigterm_ends_in_order() {
    let house = House::start();
    let sent = summary(house.generate(&["--requests", "50", "--items", "20"]));
    assert_eq!(sent["acknowledged_items"], 1000, "{sent}");
    let metrics = get(house.metrics, "/metrics");
    assert!(metrics.contains("otelcol_receiver_accepted_log_records"), "{metrics}");
    assert!(metrics.contains("otelcol_exporter_sent_log_records"), "{metrics}");
    assert!(metrics.contains("\ntidegate_receipts_lost_total 0\n"), "{metrics}");
    assert!(metrics.contains("\ntidegate_tasks_panicked_total 0\n"), "{metrics}");
    house.end(1000);
}

#[test]
fn an_invalid_reload_keeps_the_old_configuration() {
    let mut house = House::start();
    std::fs::write(house.path().join("config.yaml"), "receivers: [").unwrap();
    house.collector.signal("HUP");
    house.collector.wait_for("the old one runs on");
    let sent = summary(house.generate(&["--requests", "5"]));
    assert_eq!(sent["acknowledged_items"], 500, "{sent}");
}

#[test]
fn reloads_under_load_are_not_seen_by_clients() {
    let mut house = House::start();
    let load = house.generate(&["--seconds", "600", "--requests", "2000", "--items", "10"]);
    for version in 1..=100 {
        house.write(version);
        house.collector.signal("HUP");
        house.collector.wait_for("The new configuration is in force");
    }
    let sent = summary(load);
    assert_eq!(sent["acknowledged_items"], 20_000, "{sent}");
    assert_eq!(sent["first_error"], Value::Null, "{sent}");
    house.end(20_000);
}

#[test]
fn a_second_sigterm_ends_at_once() {
    let mut house = House::start();
    house.sink.signal("STOP");
    let load = house.generate(&["--requests", "1", "--seconds", "600", "--timeout", "600"]);
    let in_flight = "otelcol_exporter_in_flight_requests{exporter=\"otlp\"} 1\n";
    assert!((0..10_000).any(|_| get(house.metrics, "/metrics").contains(in_flight)));
    house.collector.signal("TERM");
    house.collector.wait_for("Draining");
    house.collector.signal("TERM");
    let (status, log, _) = house.collector.end();
    assert_eq!(status.code(), Some(1), "{log}");
    house.sink.signal("CONT");
    drop(load);
}

#[test]
fn a_receiver_does_not_share_the_port_of_the_metrics() {
    let port = free_port();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    std::fs::write(&path, config(port, free_port(), port, 0)).unwrap();
    let (status, log, _) = Running::start(&["--config", path.to_str().unwrap()]).end();
    assert!(!status.success() && log.contains("cannot start receiver `otlp`"), "{log}");
}
