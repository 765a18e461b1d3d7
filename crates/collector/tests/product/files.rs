//! Files: a collector that follows log files, is killed, and has them rotated under it.
//!
//! Numbered lines are written into files and come out through the `file` exporter. Whatever happens to
//! the collector, every line that was written must be there.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::durable::Mounted;
use super::process::{Running, pause, tell};
use super::rotation::Rotation;

const LINES_A_ROUND: u64 = 500;
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// After a minute a line is missing.
const LOOKS_MAX: usize = 1200;

/// A configuration that follows the logs of a folder into a file there, with more words for the receiver.
pub(super) fn config(folder: &Path, more: &str) -> String {
    let folder = folder.display();
    format!(
        "yaml:receivers:
  file_log: {{include: ['{folder}/logs/*.log*'], start_at: beginning, {more}}}
exporters:
  file: {{path: '{folder}/out.json'}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    logs: {{receivers: [file_log], exporters: [file]}}
"
    )
}

/// Starts a collector with its positions below `data`.
pub(super) fn follow(config: &str, data: &Path) -> Running {
    let mut running = Running::start(&["--config", config, "--data-dir", data.to_str().unwrap()]);
    running.wait_for("Everything is ready");
    running
}

struct House {
    folder: tempfile::TempDir,
    written: u64,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("logs")).unwrap();
        Self { folder, written: 0 }
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("logs/app.log")
    }

    fn rotation(&self, how: &str) -> Option<Rotation> {
        Rotation::new(self.folder.path(), &self.log(), how)
    }

    fn collector(&self) -> Running {
        self.collector_at(&self.folder.path().join("data"))
    }

    /// The same with positions below another folder.
    fn collector_at(&self, data: &Path) -> Running {
        follow(&self.config(), data)
    }

    fn config(&self) -> String {
        config(self.folder.path(), "poll_interval: 50ms")
    }

    /// Appends numbered lines to the log, opened by its name each time.
    fn write(&mut self, lines: u64) {
        let mut log = OpenOptions::new().create(true).append(true).open(self.log()).unwrap();
        let text: String =
            (0..lines).map(|at| format!("line-{:08}\n", self.written + at)).collect();
        log.write_all(text.as_bytes()).unwrap();
        self.written += lines;
    }

    /// Appends lines before and after the log is moved aside, which it is in every other round.
    fn write_and_rotate(&mut self, round: usize) {
        self.write(LINES_A_ROUND);
        if round.is_multiple_of(2) {
            let aside = self.folder.path().join(format!("logs/app.log.{round}"));
            std::fs::rename(self.log(), aside).unwrap();
        }
        self.write(LINES_A_ROUND);
    }

    /// How often each line came out.
    fn arrived(&self) -> BTreeMap<u64, usize> {
        let out = std::fs::read_to_string(self.folder.path().join("out.json")).unwrap_or_default();
        let mut counts = BTreeMap::new();
        for found in out.split("\"line-").skip(1) {
            if let Some(number) = found.get(..8).and_then(|digits| digits.parse().ok()) {
                *counts.entry(number).or_default() += 1;
            }
        }
        counts
    }

    /// Waits until every line is there, and gives how many came more than once.
    fn wait_for_all(&self) -> usize {
        let mut missing = None;
        for _ in 0..LOOKS_MAX {
            let arrived = self.arrived();
            missing = (0..self.written).find(|number| !arrived.contains_key(number));
            if missing.is_none() {
                return arrived.values().map(|count| count - 1).sum();
            }
            pause(LOOK_EVERY);
        }
        panic!("line {missing:?} of {} is missing", self.written);
    }
}

/// `TIDEGATE_KILLS` says how many there are to be.
#[test]
fn a_collector_that_is_killed_misses_no_line_of_files_that_are_rotated() {
    let kills = std::env::var("TIDEGATE_KILLS").map_or(5, |text| text.parse().unwrap());
    let mut house = House::new();
    let mut random = u64::from(std::process::id());
    for round in 0..kills {
        let collector = house.collector();
        house.write_and_rotate(round);
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
        pause(Duration::from_millis((random >> 33) % 300));
        collector.signal("KILL");
    }
    let collector = house.collector();
    let doubled = house.wait_for_all();
    tell(&format!("{kills} kills, {} lines, {doubled} came twice", house.written));
    stop(collector);
}

#[test]
fn a_collector_that_is_stopped_under_load_reads_nothing_twice() {
    let mut house = House::new();
    for round in 0..5 {
        let collector = house.collector();
        house.write_and_rotate(round);
        stop(collector);
    }
    let collector = house.collector();
    assert_eq!(house.wait_for_all(), 0);
    stop(collector);
}

#[test]
fn lines_come_once_while_logrotate_renames_and_compresses_their_file() {
    let mut house = House::new();
    let Some(rotation) = house.rotation("compress\n  delaycompress") else {
        return tell("SKIPPED: there is no logrotate here");
    };
    let collector = house.collector();
    for _ in 0..8 {
        house.write(LINES_A_ROUND);
        rotation.run();
        // The next rotation compresses what this one renamed, and removes it.
        house.wait_for_all();
    }
    house.write(LINES_A_ROUND);
    assert_eq!(house.wait_for_all(), 0, "nothing comes twice");
    stop(collector);
}

#[test]
fn more_files_than_the_process_may_have_open_take_turns_and_that_is_told() {
    let house = House::new();
    for file in 0..400 {
        let path = house.folder.path().join(format!("logs/{file}.log"));
        std::fs::write(path, format!("line-{file:08}\n")).unwrap();
    }
    let house = House { written: 400, ..house };
    let mut limited = Command::new("sh");
    let binary = env!("CARGO_BIN_EXE_tidegate");
    limited.args(["-c", "ulimit -n 300; exec \"$@\"", "sh", binary, "--config", &house.config()]);
    limited.arg("--data-dir").arg(house.folder.path().join("data"));
    let mut collector = Running::run(&mut limited);
    collector.wait_for("The process may not have so many files open");
    assert_eq!(house.wait_for_all(), 0);
    stop(collector);
}

#[test]
fn a_disk_without_room_for_positions_costs_no_line() {
    let Some(disk) = Mounted::new("96m") else {
        return tell("SKIPPED: no small file system can be mounted here (it takes root)");
    };
    let mut house = House::new();
    let collector = house.collector_at(disk.path());
    house.write(LINES_A_ROUND);
    house.wait_for_all();
    let filler = disk.path().join("filler");
    std::fs::write(&filler, vec![0; 96 << 20]).unwrap_err();
    for _ in 0..20 {
        house.write(LINES_A_ROUND);
        house.wait_for_all();
    }
    std::fs::remove_file(filler).unwrap();
    house.write(LINES_A_ROUND);
    assert_eq!(house.wait_for_all(), 0);
    stop(collector);
    let collector = house.collector_at(disk.path());
    house.write(1);
    assert_eq!(house.wait_for_all(), 0, "a clean stop reads nothing twice");
    stop(collector);
}

#[test]
fn lines_come_while_logrotate_copies_and_truncates_their_file() {
    let mut house = House::new();
    let Some(rotation) = house.rotation("copytruncate") else {
        return tell("SKIPPED: there is no logrotate here");
    };
    let collector = house.collector();
    for _ in 0..8 {
        house.write(LINES_A_ROUND);
        house.wait_for_all();
        rotation.run();
    }
    house.write(LINES_A_ROUND);
    assert_eq!(house.wait_for_all(), 0, "nothing comes twice, copies included");
    stop(collector);
}

fn stop(collector: Running) {
    collector.signal("TERM");
    let (status, log, _) = collector.end();
    assert!(status.success(), "{log}");
}
