//! Telemetry: what a collector tells about itself goes where the configuration says.

use std::path::Path;

use serde_json::Value;

use super::process::{Running, free_port, get};

fn config(path: &Path, telemetry: &str) -> String {
    format!(
        "receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '127.0.0.1:0'}}}}}}}}
exporters: {{nop: }}
service:
  telemetry:
    logs: {{output_paths: [stderr, {}], initial_fields: {{site: harbour}}, {telemetry}
  pipelines: {{logs: {{receivers: [otlp], exporters: [nop]}}}}
",
        path.display()
    )
}

#[test]
fn logs_go_to_every_output_with_their_fields_and_change_level_at_a_reload() {
    let folder = tempfile::tempdir().unwrap();
    let [yaml, own_log] = ["config.yaml", "own.log"].map(|name| folder.path().join(name));
    let without_metrics = |level| format!("level: {level}}}\n    metrics: {{level: none}}");
    std::fs::write(&yaml, config(&own_log, &without_metrics("info"))).unwrap();
    let mut collector = Running::start(&["--config", yaml.to_str().unwrap()]);
    collector.wait_for("Everything is ready");
    std::fs::write(&yaml, config(&own_log, &without_metrics("error"))).unwrap();
    collector.signal("HUP");
    collector.wait_for("Reloading");
    collector.signal("TERM");
    let (status, on_stderr, _) = collector.end();
    assert!(status.success(), "{on_stderr}");
    let in_file = std::fs::read_to_string(&own_log).unwrap();
    assert_eq!(on_stderr.trim_end(), in_file.trim_end());
    for line in in_file.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        assert_eq!(event["site"], "harbour", "{line}");
    }
    assert!(!in_file.contains("Shutdown complete"), "{in_file}");
}

#[test]
fn a_log_that_cannot_be_opened_is_an_error() {
    let own_log = Path::new("/nowhere/own.log");
    let yaml = format!("yaml:{}", config(own_log, "level: info}"));
    let (status, message, _) = Running::start(&["--config", &yaml]).end();
    assert_eq!(status.code(), Some(1));
    assert!(message.contains("open /nowhere/own.log"), "{message}");
}

#[test]
fn names_of_metrics_have_the_suffixes_that_the_reader_asks_for() {
    for (words, expected) in [
        ("", "\notelcol_process_uptime_seconds_total "),
        ("without_units: true, ", "\notelcol_process_uptime_total "),
        ("without_type_suffix: true, ", "\notelcol_process_uptime_seconds "),
    ] {
        let port = free_port();
        let reader = format!(
            "level: info}}\n    metrics: {{readers: [{{pull: {{exporter: {{prometheus: \
             {{{words}host: 127.0.0.1, port: {port}}}}}}}}}]}}"
        );
        let yaml = format!("yaml:{}", config(Path::new("stderr"), &reader));
        let mut collector = Running::start(&["--config", &yaml]);
        collector.wait_for("Everything is ready");
        let text = get(port, "/metrics");
        assert!(text.contains(expected), "{words}: {text}");
    }
}

#[test]
fn every_reader_serves_the_metrics_in_its_own_spelling() {
    let ports = [free_port(), free_port()];
    let reader = |port, words| {
        format!(
            "{{pull: {{exporter: {{prometheus: {{host: 127.0.0.1, port: {port}, {words}}}}}}}}}"
        )
    };
    let readers = format!(
        "level: info}}\n    metrics: {{level: detailed, readers: [{}, {}]}}",
        reader(ports[0], "without_units: false"),
        reader(ports[1], "without_type_suffix: true")
    );
    let yaml = format!("yaml:{}", config(Path::new("stderr"), &readers));
    let mut collector = Running::start(&["--config", &yaml]);
    collector.wait_for("Everything is ready");
    for (port, allocated) in ports.into_iter().zip(["bytes_total", "bytes"]) {
        let text = get(port, "/metrics");
        let name = format!("\notelcol_process_runtime_total_alloc_{allocated} ");
        assert!(text.contains(&name), "{name}: {text}");
    }
}
