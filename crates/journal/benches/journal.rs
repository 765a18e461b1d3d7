//! What durable appends cost beside the device itself; ratios of one run.
//!
//! `cargo bench --package journal [-- [--in=DIRECTORY] [--gib=N] [ROW...]]`; `N` GiB are opened, one if
//! unsaid. A directory in memory is refused: its
//! syncs are free. What share of the time the disk was syncing tells how much of a row is the disk's.

#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]
#![expect(clippy::print_stdout, reason = "it prints what it measured")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use bytes::Bytes;
use journal::{Journal, Opened, Settings, StreamId, open};
use runtime::clock::Clock;
use runtime::metrics::{Reading, Registry};
use runtime::volume::{Directory, Permissions, Volume as _};

/// Each row is measured so often; the median is shown.
const ROUNDS: usize = 9;

type Row = (&'static str, fn(&Path));

/// The rows by name, in their order.
const ROWS: &[Row] = &[
    ("large", |path| against_raw(path, "300 KB bodies, 8 callers", 8, 300_000, 300)),
    ("lone", |path| against_raw(path, "4 KiB bodies, 1 caller", 1, 4096, 300)),
    ("group", against_unsynced),
    ("cost", append_cost),
    ("recovery", recovery),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let directory = arguments.iter().find_map(|one| one.strip_prefix("--in="));
    let path =
        PathBuf::from(directory.unwrap_or(env!("CARGO_TARGET_TMPDIR"))).join("journal-bench");
    let wanted: Vec<_> = arguments.iter().filter(|one| !one.starts_with('-')).collect();
    std::fs::remove_dir_all(&path).ok();
    let probe = Directory::open(&path, Permissions::default()).unwrap();
    assert!(!probe.is_in_memory(), "{} is in memory: its syncs are free", path.display());
    for (name, row) in ROWS {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            row(&path);
        }
    }
    std::fs::remove_dir_all(&path).ok();
}

/// What one journal did.
#[derive(Clone, Copy)]
struct Run {
    took: Duration,
    groups: f64,
    /// While a sync was under way.
    syncing: Duration,
    /// User and system time of all threads, the caller's included.
    cpu: Duration,
}

fn opened(path: &Path, is_synced: bool) -> (Journal, StreamId) {
    let settings = Settings { is_synced, ..Settings::sized(16 << 30) };
    let directory = Arc::new(Directory::open(path, Permissions::default()).unwrap());
    let Opened { journal, .. } = open(directory, settings).unwrap();
    let stream = journal.stream("bench").unwrap();
    (journal, stream)
}

/// `callers` append `count` bodies together, each one after its last was answered.
fn append(
    journal: &Journal,
    stream: StreamId,
    callers: usize,
    body: &Bytes,
    count: usize,
) -> Duration {
    let (sender, answers) = mpsc::channel();
    let submit = || {
        let sender = sender.clone();
        journal.append(stream, 1, vec![body.clone()], move |result| {
            result.unwrap();
            sender.send(()).unwrap();
        });
    };
    let began = Clock.now();
    (0..callers.min(count)).for_each(|_| submit());
    for done in 1..=count {
        answers.recv().unwrap();
        if done + callers <= count {
            submit();
        }
    }
    Clock.now() - began
}

/// A journal of its own.
fn durable(path: &Path, callers: usize, body: &Bytes, count: usize, is_synced: bool) -> Run {
    let folder = path.join("durable");
    std::fs::remove_dir_all(&folder).ok();
    let (journal, stream) = opened(&folder, is_synced);
    append(&journal, stream, 1, body, 1);
    let registry = Registry::default();
    journal.register(&registry, &Vec::new());
    let (before, cpu_before) = (done(&registry), cpu());
    let took = append(&journal, stream, callers, body, count);
    let (after, cpu) = (done(&registry), cpu() - cpu_before);
    journal.close();
    std::fs::remove_dir_all(&folder).ok();
    Run { took, groups: after.0 - before.0, syncing: after.1 - before.1, cpu }
}

/// Groups so far, and the time that syncs took.
fn done(registry: &Registry) -> (f64, Duration) {
    let families = registry.snapshot();
    let reading =
        |name: &str| families.iter().find(|one| one.name == name).unwrap().series[0].1.clone();
    match (reading("tidegate_journal_groups"), reading("tidegate_journal_sync_duration")) {
        (Reading::Number(groups), Reading::Histogram { sum, .. }) => {
            (groups, Duration::from_micros(sum))
        }
        other => panic!("{other:?}"),
    }
}

/// The same bytes, written and synced in so many groups, and nothing else.
fn raw(path: &Path, bytes: usize, groups: usize) -> Duration {
    let folder = path.join("raw");
    std::fs::remove_dir_all(&folder).ok();
    let directory = Directory::open(&folder, Permissions::default()).unwrap();
    let file = directory.create("raw", 0).unwrap();
    directory.sync().unwrap();
    let group = Bytes::from(vec![7; bytes / groups]);
    file.write_at(std::slice::from_ref(&group), 0).unwrap();
    file.sync().unwrap();
    let began = Clock.now();
    for number in 1..=groups as u64 {
        file.write_at(std::slice::from_ref(&group), number * group.len() as u64).unwrap();
        file.sync().unwrap();
    }
    let took = Clock.now() - began;
    std::fs::remove_dir_all(&folder).ok();
    took
}

fn against_raw(path: &Path, what: &str, callers: usize, bytes: usize, count: usize) {
    let body = Bytes::from(vec![7; bytes]);
    let mut rounds: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let run = durable(path, callers, &body, count, true);
            let raw = raw(path, bytes * count, run.groups as usize);
            (raw.as_secs_f64() / run.took.as_secs_f64(), run, raw)
        })
        .collect();
    rounds.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (_, run, raw) = rounds[ROUNDS / 2];
    let mib = (bytes * count) as f64 / (1 << 20) as f64;
    println!(
        "{what}: {:.0} MiB/s, {:.2} ms a group of {:.0} KiB; write + fdatasync {:.0} MiB/s",
        mib / run.took.as_secs_f64(),
        run.took.as_secs_f64() * 1e3 / run.groups,
        mib * 1024.0 / run.groups,
        mib / raw.as_secs_f64(),
    );
    ratios(rounds.iter().map(|(ratio, run, _)| (*ratio, *run)), count);
}

fn against_unsynced(path: &Path) {
    const COUNT: usize = 60_000;
    let body = Bytes::from(vec![7; 4096]);
    let mut rounds: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let synced = durable(path, 1000, &body, COUNT, true);
            let unsynced = durable(path, 1000, &body, COUNT, false);
            (unsynced.took.as_secs_f64() / synced.took.as_secs_f64(), synced, unsynced)
        })
        .collect();
    rounds.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (_, synced, unsynced) = rounds[ROUNDS / 2];
    println!(
        "4 KiB bodies, 1,000 callers: {:.0} records/s in groups of {:.0}; fsync: false {:.0}, {:.1} us of CPU a record",
        COUNT as f64 / synced.took.as_secs_f64(),
        COUNT as f64 / synced.groups,
        COUNT as f64 / unsynced.took.as_secs_f64(),
        unsynced.cpu.as_secs_f64() * 1e6 / COUNT as f64,
    );
    ratios(rounds.iter().map(|(ratio, run, _)| (*ratio, *run)), COUNT);
}

/// What the rounds of a row, by their ratios, have in common.
fn ratios(rounds: impl Iterator<Item = (f64, Run)>, count: usize) {
    let rounds: Vec<_> = rounds.collect();
    let median = |of: &dyn Fn(&Run) -> f64| {
        let mut all: Vec<f64> = rounds.iter().map(|(_, run)| of(run)).collect();
        all.sort_by(f64::total_cmp);
        all[ROUNDS / 2]
    };
    println!(
        "  ratio {:.2} ({:.2} to {:.2}); medians: the disk was syncing {:.0} % of the time, {:.1} us of CPU a record",
        rounds[ROUNDS / 2].0,
        rounds[0].0,
        rounds[ROUNDS - 1].0,
        median(&|run| run.syncing.as_secs_f64() * 100.0 / run.took.as_secs_f64()),
        median(&|run| run.cpu.as_secs_f64() * 1e6 / count as f64),
    );
}

/// CPU time of all threads, the caller's included.
fn append_cost(path: &Path) {
    const COUNT: usize = 1_000_000;
    let body = Bytes::from(vec![7; 200]);
    let Run { took, cpu: used, .. } = durable(path, 2000, &body, COUNT, false);
    println!(
        "200 B bodies, not synced: {:.0} ns of CPU a record, {:.0} ns by the clock",
        used.as_secs_f64() * 1e9 / COUNT as f64,
        took.as_secs_f64() * 1e9 / COUNT as f64,
    );
}

/// User and system time of this process, in ticks of 10 ms.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

fn recovery(path: &Path) {
    let wanted = std::env::args().find_map(|one| one.strip_prefix("--gib=")?.parse().ok());
    let gib: usize = wanted.unwrap_or(1);
    for bytes in [4096, 300_000] {
        let folder = path.join("recovery");
        std::fs::remove_dir_all(&folder).ok();
        let (journal, stream) = opened(&folder, false);
        let body = Bytes::from(vec![7; bytes]);
        append(&journal, stream, 100, &body, (gib << 30) / bytes);
        journal.close();
        let began = Clock.now();
        let (journal, _) = opened(&folder, false);
        let took = Clock.now() - began;
        println!(
            "recovery of {gib} GiB of {bytes} B bodies: {:.0} ms for {} records",
            took.as_secs_f64() * 1e3,
            journal.usage().live_records,
        );
        journal.close();
        std::fs::remove_dir_all(&folder).ok();
    }
}
