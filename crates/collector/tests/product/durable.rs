//! Durable: a queue on disk, in a collector that is killed, and on a disk that is full.
//!
//! A generator sends numbered items at its own pace and notes which were acknowledged; a sink that
//! outlives the collector holds that none of them is missing.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::process::{Running, command, free_port, get, pause, signal, tell};

/// Items of a request, and of the largest batch.
const ITEMS: u64 = 20;
const BATCH: u64 = 200;
const CONSUMERS: u64 = 2;
/// A sink tells 64 loads apart.
const KILLS_MAX: usize = 50;
/// Collectors that are killed at a time: some begin while others are under load.
const AT_ONCE: usize = 4;
/// The longest that a load lasts before its collector is killed, in milliseconds.
const LOAD_MILLIS_MAX: u64 = 160;

struct House {
    folder: tempfile::TempDir,
    sink: Running,
    port: u16,
    sink_port: u16,
    metrics: u16,
}

fn config([port, sink, metrics]: [u16; 3], storage: &Path) -> String {
    format!(
        "receivers:
  otlp: {{protocols: {{grpc: {{endpoint: '127.0.0.1:{port}'}}}}}}
extensions:
  file_storage: {{directory: '{storage}', max_size: 64MiB}}
exporters:
  otlp:
    endpoint: 127.0.0.1:{sink}
    tls: {{insecure: true}}
    retry_on_failure: {{initial_interval: 100ms, max_interval: 1s}}
    sending_queue:
      storage: file_storage
      sizer: items
      queue_size: 1000000
      num_consumers: {CONSUMERS}
      batch: {{min_size: {BATCH}, max_size: {BATCH}, flush_timeout: 50ms}}
service:
  extensions: [file_storage]
  telemetry:
    metrics: {{readers: [{{pull: {{exporter: {{prometheus: {{host: 127.0.0.1, port: {metrics}}}}}}}}}]}}
  pipelines:
    logs: {{receivers: [otlp], exporters: [otlp]}}
",
        storage = storage.display(),
    )
}

/// A load of numbered items.
struct Load<'a> {
    /// Which of the ledgers gets what was acknowledged.
    number: usize,
    item_bytes: &'a str,
    /// How it ends: `--requests=…` or `--seconds=…`.
    end: &'a str,
}

impl House {
    /// A sink that checks `loads` ledgers, and no collector yet.
    fn build(storage: Option<&Path>, loads: usize) -> Self {
        let ports @ [port, sink_port, metrics] = [free_port(), free_port(), free_port()];
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("storage");
        let text = config(ports, storage.unwrap_or(&own));
        std::fs::write(folder.path().join("config.yaml"), text).unwrap();
        let mut options = vec!["sink".to_owned(), "--json".to_owned(), "--http=".to_owned()];
        options.push(format!("--grpc=127.0.0.1:{sink_port}"));
        let ledgers = (0..loads).map(|number| ledger(folder.path(), number));
        options.extend(ledgers.map(|path| format!("--check={}", path.display())));
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let mut sink = Running::start(&options);
        sink.wait_for("listening");
        Self { folder, sink, port, sink_port, metrics }
    }

    fn collector(&self) -> Running {
        let path = self.folder.path().join("config.yaml");
        let data = self.folder.path().join("data");
        let path = path.to_str().unwrap();
        let mut running = Running::start(&["--config", path, "--data-dir", data.to_str().unwrap()]);
        running.wait_for("Everything is ready");
        running
    }

    fn generator(&self, load: &Load<'_>) -> Child {
        let endpoint = format!("--endpoint=127.0.0.1:{}", self.port);
        let mut generator = command(&["generate", "--json", "--timeout=10", &endpoint, load.end]);
        generator.arg(format!("--items={ITEMS}")).arg(format!("--item-bytes={}", load.item_bytes));
        generator.arg("--ledger").arg(ledger(self.folder.path(), load.number));
        generator.args(["--concurrency=8"]).stdout(Stdio::piped()).spawn().unwrap()
    }

    /// Sends more than a small disk holds while the sink takes nothing; gives what the generator says.
    fn overfill(&self) -> (Running, Value) {
        self.sink.signal("STOP");
        let collector = self.collector();
        let load = Load { number: 0, item_bytes: "20000", end: "--requests=120" };
        let summary = summary_of(self.generator(&load));
        (collector, summary)
    }

    fn gauge(&self, name: &str) -> Option<u64> {
        let metrics = get(self.metrics, "/metrics");
        let prefix = format!("{name}{{exporter=\"otlp\"}} ");
        metrics.lines().find_map(|line| line.strip_prefix(&prefix)?.parse().ok())
    }

    /// Waits until all that is on disk was delivered, ends everything, and gives what the sink says
    /// of items that came more than once; it fails when one is missing.
    fn check(self) -> u64 {
        let mut collector = self.collector();
        while self.gauge("otelcol_exporter_queue_size") != Some(0) {
            pause(Duration::from_millis(20));
        }
        collector.signal("TERM");
        collector.wait_for("Shutdown complete");
        self.sink.signal("TERM");
        let (status, log, printed) = self.sink.end();
        assert!(status.success(), "what was acknowledged is missing: {log}");
        let totals: Value = serde_json::from_str(&printed).unwrap();
        totals["doubled"].as_u64().unwrap()
    }
}

fn ledger(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("ledger-{number}.json"))
}

fn summary_of(generator: Child) -> Value {
    told_by(generator).expect("it tells what it did")
}

/// What a generator did; nothing when it was ended before it began.
fn told_by(generator: Child) -> Option<Value> {
    let printed = generator.wait_with_output().unwrap().stdout;
    (!printed.is_empty()).then(|| serde_json::from_slice(&printed).unwrap())
}

/// Kills a collector `kills` times at some moment of a load that would go on.
fn kill_under_load(seed: u64, kills: usize) {
    let house = House::build(None, kills);
    let mut random = seed;
    let (mut acknowledged, mut number) = (0, 0);
    while number < kills {
        let collector = house.collector();
        let load = Load { number, item_bytes: "100", end: "--seconds=600" };
        let mut generator = house.generator(&load);
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
        pause(Duration::from_millis(1 + (random >> 33) % LOAD_MILLIS_MAX));
        collector.signal("KILL");
        assert!(generator.try_wait().unwrap().is_none(), "it was killed under load");
        // There is nobody left to answer the rest of the load.
        signal(generator.id(), "TERM");
        if let Some(summary) = told_by(generator) {
            acknowledged += summary["acknowledged_items"].as_u64().unwrap();
            number += 1;
        }
    }
    let doubled = house.check();
    tell(&format!("seed {seed}: {kills} kills, {acknowledged} items kept, {doubled} came twice"));
    assert!(0 < acknowledged, "something was acknowledged before a kill");
    // What is being sent, and what was delivered since outcomes were last synced.
    let in_flight = 3 * CONSUMERS * BATCH;
    assert!(doubled <= kills as u64 * in_flight, "{doubled} after {kills} kills, seed {seed}");
}

/// `TIDEGATE_KILLS` says how many there are to be.
#[test]
fn a_collector_that_is_killed_loses_nothing_that_it_acknowledged() {
    let wanted = std::env::var("TIDEGATE_KILLS").map_or(5, |text| text.parse().unwrap());
    let seed = u64::from(std::process::id());
    let houses: Vec<_> = (seed..).zip((0..wanted).step_by(KILLS_MAX)).collect();
    std::thread::scope(|scope| {
        for row in 0..AT_ONCE {
            let houses = houses.iter().skip(row).step_by(AT_ONCE);
            scope.spawn(|| {
                for (house, start) in houses {
                    kill_under_load(*house, KILLS_MAX.min(wanted - start));
                }
            });
        }
    });
}

#[test]
fn a_queue_that_is_removed_from_the_configuration_stays_and_is_reported() {
    let house = House::build(None, 1);
    house.sink.signal("STOP");
    let mut collector = house.collector();
    let load = Load { number: 0, item_bytes: "100", end: "--requests=20" };
    let summary = summary_of(house.generator(&load));
    assert_eq!(summary["acknowledged_items"], 20 * ITEMS, "{summary}");
    let path = house.folder.path().join("config.yaml");
    let used = std::fs::read_to_string(&path).unwrap();
    let unused = used.replace("  otlp:\n    endpoint", "  otlp/other:\n    endpoint");
    let unused = unused.replace("exporters: [otlp]", "exporters: [otlp/other]");
    std::fs::write(&path, unused).unwrap();
    collector.signal("HUP");
    collector.wait_for("What was not delivered stays on disk.");
    drop(collector);
    let mut collector = Running::start(&["--config", path.to_str().unwrap()]);
    collector.wait_for("A queue is kept on disk that no exporter uses");
    drop(collector);
    std::fs::write(&path, used).unwrap();
    house.sink.signal("CONT");
    house.check();
}

#[test]
fn a_directory_that_is_removed_refuses_what_comes() {
    let house = House::build(None, 2);
    house.sink.signal("STOP");
    let collector = house.collector();
    let load = |number| Load { number, item_bytes: "100", end: "--requests=20" };
    assert_eq!(summary_of(house.generator(&load(0)))["refused_requests"], 0);
    std::fs::remove_dir_all(house.folder.path().join("storage/exporter-otlp-queue")).unwrap();
    let summary = summary_of(house.generator(&load(1)));
    assert_eq!(summary["acknowledged_items"], 0, "{summary}");
    assert_eq!(summary["refused_requests"], 0, "it may be sent again: {summary}");
    drop(collector);
}

/// A small file system of its own, if this process may make one.
pub(crate) struct Mounted(tempfile::TempDir);

impl Mounted {
    pub(crate) fn new(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(folder.path());
        let is_mounted = mount.stderr(Stdio::null()).status().is_ok_and(|status| status.success());
        is_mounted.then_some(Self(folder))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(self.0.path()).status().ok();
    }
}

#[test]
fn a_disk_that_is_full_refuses_what_comes_and_keeps_what_is_there() {
    let Some(disk) = Mounted::new("24m") else {
        return tell("SKIPPED: no small file system can be mounted here (it takes root)");
    };
    let house = House::build(Some(disk.path()), 1);
    let (collector, summary) = house.overfill();
    assert!(0 < summary["acknowledged_items"].as_u64().unwrap(), "{summary}");
    assert!(0 < summary["retryable_requests"].as_u64().unwrap(), "the disk is full: {summary}");
    assert_eq!(summary["refused_requests"], 0, "{summary}");
    house.sink.signal("CONT");
    drop(collector);
    house.check();
}

/// Fills what is left of a file system.
fn fill(folder: &Path) {
    let mut filler = std::fs::File::create(folder.join("filler")).unwrap();
    for bytes in [1 << 20, 1 << 12, 1] {
        while std::io::Write::write_all(&mut filler, &vec![1; bytes]).is_ok() {}
    }
}

#[test]
fn what_a_full_disk_holds_is_sent_again_by_hand_after_any_end() {
    for end in ["KILL", "TERM"] {
        let Some(disk) = Mounted::new("32m") else {
            return tell("SKIPPED: no small file system can be mounted here (it takes root)");
        };
        let house = House::build(Some(disk.path()), 1);
        let (collector, summary) = house.overfill();
        assert!(0 < summary["retryable_requests"].as_u64().unwrap(), "{end}: {summary}");
        fill(disk.path());
        collector.signal(end);
        collector.end();
        fill(disk.path());
        house.sink.signal("CONT");
        let folder = disk.path().join("exporter-otlp-queue");
        let folder = folder.to_str().unwrap();
        let endpoint = format!("127.0.0.1:{}", house.sink_port);
        let replayed = command(&["journal", "replay", folder, "--endpoint", &endpoint]).output();
        let replayed = replayed.unwrap();
        assert!(replayed.status.success(), "{end}: {}", String::from_utf8_lossy(&replayed.stderr));
        let listed = command(&["journal", "ls", "--json", folder]).output().unwrap().stdout;
        let listed: Value = serde_json::from_slice(&listed).unwrap();
        let mut left = listed["streams"].as_array().unwrap().iter();
        assert!(left.all(|stream| stream["weight"] == 0), "{end}: {listed}");
        let doubled = house.check();
        assert!(doubled <= 2 * CONSUMERS * BATCH, "{end}: {doubled} came twice");
    }
}
