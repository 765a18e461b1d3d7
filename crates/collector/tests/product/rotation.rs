//! Rotation: Debian's logrotate moves, packs and copies files that are written to, while the collector that
//! follows them is killed again and again.
//!
//! The ledger is exact. Every line that was written comes out, if its file was not packed or removed before
//! (logrotate waits for that here). A line comes twice only if its answer was in doubt at a kill: it was read at
//! most [`DOUBT`] before one, as positions are written ten times a second.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use runtime::clock::Clock;
use serde_json::Value;

use super::files;
use super::process::{Running, pause, tell};

/// How long before a kill a line that comes twice may have been read: ten times the pause between two
/// writes of positions, as the disk is busy with other things, too.
const DOUBT: Duration = Duration::from_secs(1);
/// How long a copy may wait until it is known as one, or read whole.
const UNDECIDED_MAX: Duration = Duration::from_secs(7);
const BURST_LINES: u64 = 10;
const BURST_PAUSE: Duration = Duration::from_millis(5);
/// After how many bursts a writer looks whether its file was rotated: until then it writes to the old one.
const BURSTS_LATE: u64 = 8;
const LOOK_PAUSE: Duration = Duration::from_millis(50);
/// How often files are rotated: a copy is known when it is seen before eight more have been made.
const ROTATION_PAUSE: Duration = Duration::from_millis(200);
/// How many collectors are killed over the same files.
const KILLS_MAX: usize = 50;
/// After a minute a line is missing.
const LOOKS_MAX: usize = 1200;

/// Debian's logrotate, with a configuration and a state of its own.
pub(super) struct Rotation {
    config: PathBuf,
    state: PathBuf,
}

impl Rotation {
    /// How to rotate `log` in the manner of these words; nothing where there is no logrotate.
    pub(super) fn new(folder: &Path, log: &Path, how: &str) -> Option<Self> {
        let is_there = Command::new("logrotate").arg("--version").output().is_ok();
        let name = log.file_name().unwrap().display();
        let config = folder.join(format!("{name}.rotate"));
        let state = folder.join(format!("{name}.state"));
        let text = format!("{} {{\n  rotate 20\n  {how}\n  missingok\n}}\n", log.display());
        std::fs::write(&config, text).unwrap();
        // It takes no configuration that others may write.
        std::fs::set_permissions(&config, std::fs::Permissions::from_mode(0o600)).unwrap();
        is_there.then_some(Self { config, state })
    }

    pub(super) fn run(&self) {
        let mut rotate = Command::new("logrotate");
        rotate.arg("--force").arg("--state").arg(&self.state).arg(&self.config);
        let output = rotate.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// A manner of rotating.
struct Manner {
    name: &'static str,
    words: &'static str,
    /// What is written between the copy and the cut, logrotate itself loses: writers wait meanwhile.
    is_copying: bool,
    /// How many rotations a file outlives with its name.
    outlives: usize,
}

const MANNERS: [Manner; 3] = [
    Manner { name: "moved", words: "create", is_copying: false, outlives: 15 },
    Manner {
        name: "packed",
        words: "create\n  compress\n  delaycompress",
        is_copying: false,
        outlives: 1,
    },
    Manner { name: "copied", words: "copytruncate", is_copying: true, outlives: 15 },
];

/// A file that is written to and rotated.
struct Log {
    manner: &'static Manner,
    path: PathBuf,
    rotation: Rotation,
    written: AtomicU64,
    /// Held while a burst is written.
    writing: Mutex<()>,
    /// Its writer has not opened it anew yet.
    is_rotated: AtomicBool,
    /// How many lines the files hold that were rotated away, after each rotation.
    marks: Mutex<Vec<u64>>,
}

impl Log {
    fn new(folder: &Path, manner: &'static Manner) -> Option<Self> {
        let path = folder.join("logs").join(format!("{}.log", manner.name));
        let rotation = Rotation::new(folder, &path, manner.words)?;
        Some(Self {
            manner,
            path,
            rotation,
            written: AtomicU64::new(0),
            writing: Mutex::default(),
            is_rotated: AtomicBool::new(false),
            marks: Mutex::default(),
        })
    }

    /// Writes until told to end.
    fn write(&self, is_over: &AtomicBool) {
        let open = || OpenOptions::new().create(true).append(true).open(&self.path).unwrap();
        let mut file = open();
        for burst in 1_u64.. {
            if is_over.load(Ordering::Relaxed) {
                return;
            }
            let first = self.written.load(Ordering::Relaxed);
            let lines = first..first + BURST_LINES;
            let text: String = lines
                .clone()
                .map(|line| format!("{}-{line:08} of a load\n", self.manner.name))
                .collect();
            {
                let _writing = self.writing.lock().unwrap();
                file.write_all(text.as_bytes()).unwrap();
                self.written.store(lines.end, Ordering::Relaxed);
            }
            if burst.is_multiple_of(BURSTS_LATE) && self.is_rotated.load(Ordering::Relaxed) {
                file = open();
                self.marks.lock().unwrap().push(lines.end);
                self.is_rotated.store(false, Ordering::Relaxed);
            }
            pause(BURST_PAUSE);
        }
    }

    /// Rotates, unless that would take away what has not come out yet.
    fn rotate(&self, has_all: impl FnOnce(u64) -> bool) {
        let oldest = {
            let marks = self.marks.lock().unwrap();
            marks.len().checked_sub(self.manner.outlives).map_or(0, |at| marks[at])
        };
        if self.is_rotated.load(Ordering::Relaxed) || !has_all(oldest) {
            return;
        }
        if self.manner.is_copying {
            let _writing = self.writing.lock().unwrap();
            self.rotation.run();
            self.marks.lock().unwrap().push(self.written.load(Ordering::Relaxed));
        } else {
            self.rotation.run();
            self.is_rotated.store(true, Ordering::Relaxed);
        }
    }
}

/// When each line was read that came out, in nanoseconds since 1970.
struct Ledger {
    out: BufReader<File>,
    /// A line that is not whole yet.
    rest: String,
    read_at: [BTreeMap<u64, Vec<u64>>; MANNERS.len()],
    /// All lines before have come.
    complete: [u64; MANNERS.len()],
}

impl Ledger {
    fn new(folder: &Path) -> Self {
        let path = folder.join("out.json");
        let file = OpenOptions::new().create(true).append(true).read(true).open(path).unwrap();
        Self {
            out: BufReader::new(file),
            rest: String::new(),
            read_at: Default::default(),
            complete: Default::default(),
        }
    }

    /// Takes what has come since.
    fn update(&mut self) {
        loop {
            let at = self.out.stream_position().unwrap();
            let read = self.out.read_line(&mut self.rest).unwrap();
            if !self.rest.ends_with('\n') {
                // A killed collector may leave a torn end, which the next one cuts off.
                self.rest.clear();
                self.out.seek(SeekFrom::Start(at)).unwrap();
                return;
            }
            assert_ne!(read, 0);
            let request: Value = serde_json::from_str(&self.rest).unwrap();
            self.rest.clear();
            self.note(&request);
        }
    }

    fn note(&mut self, request: &Value) {
        for resource in request["resourceLogs"].as_array().unwrap() {
            let scopes = resource["scopeLogs"].as_array().unwrap().iter();
            for record in scopes.flat_map(|scope| scope["logRecords"].as_array().unwrap()) {
                let text = record["body"]["stringValue"].as_str().unwrap();
                let read_at = record["observedTimeUnixNano"].as_str().unwrap().parse().unwrap();
                let (name, rest) = text.split_once('-').unwrap();
                let log = MANNERS.iter().position(|manner| manner.name == name).unwrap();
                let number = rest.strip_suffix(" of a load").unwrap().parse().unwrap();
                self.read_at[log].entry(number).or_default().push(read_at);
            }
        }
    }

    /// Whether all lines of a log before this one have come.
    fn has_all(&mut self, log: usize, before: u64) -> bool {
        let complete = &mut self.complete[log];
        while *complete < before && self.read_at[log].contains_key(complete) {
            *complete += 1;
        }
        before <= *complete
    }

    /// The first line that has not come, and its log.
    fn missing(&mut self, logs: &[Log]) -> Option<(u64, &'static str)> {
        let mut logs = logs.iter().enumerate();
        logs.find_map(|(number, log)| {
            let has_all = self.has_all(number, log.written.load(Ordering::Relaxed));
            (!has_all).then_some((self.complete[number], log.manner.name))
        })
    }

    /// How many lines came once more, and how long before a kill those had been read at most; fails
    /// when one was read longer before.
    fn doubled(&self, kills: &[u64]) -> (usize, Duration) {
        let (mut count, mut longest) = (0, Duration::ZERO);
        for (log, lines) in self.read_at.iter().enumerate() {
            for (number, read_at) in lines {
                for pair in read_at.windows(2) {
                    let killed = kills[kills.partition_point(|kill| *kill < pair[0])..].first();
                    let doubt = killed.map(|kill| Duration::from_nanos(kill - pair[0]));
                    assert!(
                        doubt.is_some_and(|doubt| doubt <= DOUBT),
                        "line {number} of {} came again, {doubt:?} before a kill: {read_at:?}",
                        MANNERS[log].name,
                    );
                    (count, longest) = (count + 1, longest.max(doubt.unwrap()));
                }
            }
        }
        (count, longest)
    }
}

fn now() -> u64 {
    let since = Clock.wall().duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(since.as_nanos()).unwrap()
}

fn collector(folder: &Path) -> Running {
    files::follow(&files::config(folder, ""), &folder.join("data"))
}

/// Kills collectors, of which every fourth lives for longer than positions are in doubt; gives when.
fn kill(folder: &Path, kills: usize, seed: u64) -> Vec<u64> {
    let mut random = seed;
    let lives = (0..kills).map(|life| {
        let collector = collector(folder);
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
        let least = if life % 4 == 3 { DOUBT } else { Duration::ZERO };
        pause(least + Duration::from_millis((random >> 33) % 600));
        collector.signal("KILL");
        drop(collector);
        now()
    });
    lives.collect()
}

/// Kills, rotates and writes, and holds that the ledger is right in the end.
fn kill_under_rotation(logs: &[Log], folder: &Path, (kills, seed): (usize, u64)) {
    let is_over = AtomicBool::new(false);
    let mut ledger = Ledger::new(folder);
    let killed = std::thread::scope(|scope| {
        logs.iter().for_each(|log| drop(scope.spawn(|| log.write(&is_over))));
        let killer = scope.spawn(|| kill(folder, kills, seed));
        while !killer.is_finished() {
            for (number, log) in logs.iter().enumerate() {
                ledger.update();
                log.rotate(|before| ledger.has_all(number, before));
            }
            pause(ROTATION_PAUSE);
        }
        is_over.store(true, Ordering::Relaxed);
        killer.join().unwrap()
    });
    let collector = collector(folder);
    let mut looks = 0;
    while let Some((number, log)) = ledger.missing(logs) {
        assert!(looks < LOOKS_MAX, "line {number} of {log} is missing, seed {seed}");
        looks += 1;
        pause(LOOK_PAUSE);
        ledger.update();
    }
    pause(UNDECIDED_MAX);
    ledger.update();
    drop(collector);
    let (doubled, doubt) = ledger.doubled(&killed);
    let rotations: Vec<_> = logs.iter().map(|log| log.marks.lock().unwrap().len()).collect();
    let lines: u64 = ledger.complete.iter().sum();
    tell(&format!(
        "seed {seed}: {kills} kills, {lines} lines, rotated {rotations:?} times; {doubled} came twice, \
         in doubt for {doubt:?}"
    ));
}

/// `TIDEGATE_KILLS` says three times how many there are to be.
#[test]
fn a_collector_that_is_killed_while_logrotate_rotates_misses_no_line_and_doubles_what_was_in_doubt()
{
    let wanted = std::env::var("TIDEGATE_KILLS").map_or(6, |text| text.parse().unwrap()) / 3;
    for (seed, start) in (u64::from(std::process::id())..).zip((0..wanted).step_by(KILLS_MAX)) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("logs")).unwrap();
        let logs: Option<Vec<_>> = MANNERS.iter().map(|one| Log::new(folder.path(), one)).collect();
        let Some(logs) = logs else { return tell("SKIPPED: there is no logrotate here") };
        kill_under_rotation(&logs, folder.path(), (KILLS_MAX.min(wanted - start), seed));
    }
}
