//! Target: a collector under attack, with the memory it may take.

use std::fmt::Write as _;
use std::fs::read_to_string;

use super::client::{self, EXPORT_LOGS, Grpc, PROTOBUF, one_log};
use crate::process::{PATIENCE, Running, free_port};

/// What data may hold in the collector under attack.
pub(crate) const LIMIT_MIB: u64 = 64;
/// What the collector takes without data: code, threads, and some thousand connections.
pub(crate) const BASE_MIB: u64 = 96;

/// What differs from one target to the next, as YAML.
pub(crate) struct Setup<'a> {
    /// Keys of the receiver beside `protocols`.
    pub receiver: &'a str,
    pub grpc: &'a str,
    pub http: &'a str,
    /// The exporter and its settings.
    pub exporter: &'a str,
}

impl Default for Setup<'_> {
    fn default() -> Self {
        Self { receiver: "", grpc: "", http: "", exporter: "nop:" }
    }
}

/// A collector under attack.
pub(crate) struct Target {
    pub running: Running,
    pub grpc: u16,
    pub http: u16,
    _folder: tempfile::TempDir,
}

impl Target {
    pub(crate) fn start() -> Self {
        Self::with(&Setup::default())
    }

    pub(crate) fn with(setup: &Setup<'_>) -> Self {
        let [grpc, http] = [free_port(), free_port()];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.yaml");
        std::fs::write(&path, config(setup, grpc, http)).unwrap();
        let data = folder.path().join("data");
        let mut running = Running::start(&[
            "--config",
            path.to_str().unwrap(),
            "--data-dir",
            data.to_str().unwrap(),
        ]);
        running.wait_for("Everything is ready");
        Self { running, grpc, http, _folder: folder }
    }

    /// A good request is served on both ports, and memory kept its bounds.
    pub(crate) fn assert_unharmed(&self) {
        self.assert_serving();
        self.assert_bounded(LIMIT_MIB + BASE_MIB);
    }

    pub(crate) fn assert_serving(&self) {
        let answered = client::post(self.http, PROTOBUF, &[], &one_log());
        assert_eq!(answered.status, 200, "{answered:?}");
        let answered = client::block(async {
            Grpc::connect(self.grpc).await.export(EXPORT_LOGS, "identity", &one_log()).await
        });
        assert_eq!(answered.code, Some(0), "{answered:?}");
    }

    /// The peak of resident memory, in MiB.
    pub(crate) fn peak_mib(&self) -> u64 {
        self.status_kib("VmHWM:") >> 10
    }

    /// A line of `/proc/PID/status`.
    pub(crate) fn status_kib(&self, name: &str) -> u64 {
        let status = read_to_string(format!("/proc/{}/status", self.running.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    pub(crate) fn assert_bounded(&self, mib_max: u64) {
        let peak = self.peak_mib();
        assert!(peak <= mib_max, "{peak} MiB were resident, more than {mib_max}");
    }
}

fn config(setup: &Setup<'_>, grpc: u16, http: u16) -> String {
    let Setup { receiver, grpc: grpc_words, http: http_words, exporter } = setup;
    let exporter_name = exporter.split(':').next().unwrap();
    let mut yaml = String::new();
    write!(
        yaml,
        "receivers:
  otlp:
    protocols:
      grpc: {{endpoint: '127.0.0.1:{grpc}', {grpc_words}}}
      http: {{endpoint: '127.0.0.1:{http}', {http_words}}}
    {receiver}
processors:
  memory_limiter: {{check_interval: 1s, limit_mib: {LIMIT_MIB}}}
exporters:
  {exporter}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    logs: {{receivers: [otlp], processors: [memory_limiter], exporters: [{exporter_name}]}}
"
    )
    .unwrap();
    yaml
}

/// Asks until `is_so`, for as long as anything here may take.
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let clock = runtime::clock::Clock;
    let began = clock.now();
    while !is_so() {
        assert!(clock.now() - began < PATIENCE, "{what} did not come true");
        client::pause();
    }
}
