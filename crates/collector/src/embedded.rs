//! The configuration that runs when none is given: OTLP in, batches, a debug and a file exporter.

use std::path::Path;

/// The embedded configuration, with its file in `data_dir`.
pub(crate) fn yaml(data_dir: &Path) -> String {
    let path = data_dir.join("telemetry.jsonl");
    let path = serde_json::Value::from(path.to_string_lossy());
    format!(
        "receivers:
  otlp:
    protocols:
      grpc:
      http:
processors:
  batch:
exporters:
  debug:
  file:
    path: {path}
    create_directory: true
    rotation:
      max_megabytes: 100
      max_backups: 3
service:
  pipelines:
    logs: &all
      receivers: [otlp]
      processors: [batch]
      exporters: [debug, file]
    traces: *all
    metrics: *all
    profiles: *all
"
    )
}
