//! Shipping: logs into CloudWatch Logs, through the binary and the configuration that users start from.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::process::{Running, command, free_port, get, pause, repository, tidegate};

const LOOK_EVERY: Duration = Duration::from_millis(20);
/// After a minute something is missing.
const LOOKS_MAX: usize = 3000;

struct House {
    folder: tempfile::TempDir,
    sink: String,
    metrics: u16,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, sink: format!("127.0.0.1:{}", free_port()), metrics: free_port() }
    }

    fn sink(&self, more: &[&str]) -> Running {
        let mut words = vec!["sink", "--cloudwatch", &self.sink, "--json"];
        words.extend(more);
        let mut sink = Running::start(&words);
        sink.wait_for("listening");
        sink
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The lines of each of these files go to a group of its name.
    fn configure(&self, files: &[&str]) {
        let path = |name: &str| self.path(&format!("{name}.log")).display().to_string();
        let receivers: String = files
            .iter()
            .map(|name| {
                format!("  file_log/{name}: {{include: ['{}'], start_at: beginning}}\n", path(name))
            })
            .collect();
        let names: Vec<String> = files.iter().map(|name| format!("file_log/{name}")).collect();
        let yaml = format!(
            "receivers:
{receivers}exporters:
  aws_cloudwatch_logs:
    {{log_group_name: '{{log.file.name}}', log_stream_name: s, region: eu-west-1, raw_log: true,
    endpoint: 'http://{}', access_key_id: AKID, secret_access_key: hidden}}
service:
  telemetry: {{metrics: {{readers: [{{pull: {{exporter: {{prometheus: {{host: 127.0.0.1, port: {}}}}}}}}}]}}}}
  pipelines:
    logs: {{receivers: [{}], exporters: [aws_cloudwatch_logs]}}
",
            self.sink,
            self.metrics,
            names.join(", "),
        );
        std::fs::write(self.path("config.yaml"), yaml).unwrap();
    }

    fn collector(&self) -> Running {
        let (config, data) = (self.path("config.yaml"), self.path("data"));
        let words = ["--config", config.to_str().unwrap(), "--data-dir", data.to_str().unwrap()];
        let mut collector = Running::start(&words);
        collector.wait_for("Everything is ready");
        collector
    }

    fn write(&self, name: &str, numbers: Range<u64>) {
        let path = self.path(&format!("{name}.log"));
        let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        for number in numbers {
            writeln!(file, "tidegate.run={name} tidegate.sequence={number:016}").unwrap();
        }
    }

    /// Waits until the collector that runs has delivered so many records.
    fn wait_for_sent(&self, count: u64) {
        let mut sent = None;
        for _ in 0..LOOKS_MAX {
            let metrics = get(self.metrics, "/metrics");
            let mut series = metrics.lines().filter_map(|line| {
                line.strip_prefix("otelcol_exporter_sent_log_records_total{")?.rsplit_once(' ')
            });
            sent = series.next().and_then(|(_, count)| count.parse().ok());
            if sent == Some(count) {
                return;
            }
            pause(LOOK_EVERY);
        }
        panic!("{sent:?} of {count} records were sent");
    }
}

fn stop(collector: Running) {
    collector.signal("TERM");
    let (status, log, _) = collector.end();
    assert!(status.success(), "{log}");
}

/// Ends the sink, which must have that many events, and none of them twice.
fn check(sink: Running, distinct: u64) {
    sink.signal("TERM");
    let (_, _, printed) = sink.end();
    let totals: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(
        (&totals["distinct"], &totals["doubled"]),
        (&distinct.into(), &0.into()),
        "{totals}"
    );
}

#[test]
fn what_is_halted_is_left_by_reloads_and_stops_and_flows_when_it_is_granted() {
    let house = House::new();
    house.configure(&["good", "denied"]);
    let sink = house.sink(&["--rule", "denied*=deny"]);
    house.write("good", 0..100);
    house.write("denied", 0..100);
    let mut collector = house.collector();
    house.wait_for_sent(100);
    // Without the halted source the other one goes on, and with it again as well.
    for (files, sent) in [(&["good"][..], 200), (&["good", "denied"], 300)] {
        house.configure(files);
        collector.signal("HUP");
        collector.wait_for("The new configuration is in force");
        house.write("good", sent - 100..sent);
        house.wait_for_sent(sent);
    }
    // The second signal ends it at once, whatever is under way.
    collector.signal("TERM");
    collector.wait_for("Draining");
    collector.signal("TERM");
    collector.end();
    check(sink, 300);
    let sink = house.sink(&[]);
    let collector = house.collector();
    house.wait_for_sent(100);
    stop(collector);
    check(sink, 100);
}

#[test]
fn the_example_puts_what_is_sent_into_log_streams() {
    let house = House::new();
    let sink = house.sink(&[]);
    let port = free_port();
    let protocols = format!(
        "yaml:receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '127.0.0.1:{port}'}}, \
         http: {{endpoint: '127.0.0.1:{}'}}}}}}}}",
        free_port()
    );
    let metrics = "yaml:service::telemetry::metrics::level: none";
    let example = repository().join("examples/cloudwatch.yaml");
    let words =
        ["--config", example.to_str().unwrap(), "--config", &protocols, "--config", metrics];
    let data = house.path("data");
    let mut start = command(&words);
    start.arg("--data-dir").arg(data).env("CLOUDWATCH", format!("http://{}", house.sink));
    start.env("AWS_ACCESS_KEY_ID", "any").env("AWS_SECRET_ACCESS_KEY", "any");
    let mut collector = Running::run(&mut start);
    collector.wait_for("Everything is ready");
    let endpoint = format!("127.0.0.1:{port}");
    let load = tidegate(&["generate", "--json", "--endpoint", &endpoint, "--requests=10"]);
    let sent: Value = serde_json::from_slice(&load.stdout).unwrap();
    stop(collector);
    check(sink, sent["acknowledged_items"].as_u64().unwrap());
    assert_ne!(sent["acknowledged_items"], 0, "{sent}");
}
