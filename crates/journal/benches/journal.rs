//! What durable appends cost beside the device itself; ratios of one run.
//!
//! `cargo bench --package journal [-- DIRECTORY]`. A directory in memory is refused: its syncs are free.

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

fn main() {
    let directory = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let directory = directory.unwrap_or_else(|| env!("CARGO_TARGET_TMPDIR").to_owned());
    let path = PathBuf::from(directory).join("journal-bench");
    std::fs::remove_dir_all(&path).ok();
    let probe = Directory::open(&path, Permissions::default()).unwrap();
    assert!(!probe.is_in_memory(), "{} is in memory: its syncs are free", path.display());
    against_raw(&path, "300 KB bodies, 8 callers", 8, 300_000, 300);
    against_raw(&path, "4 KiB bodies, 1 caller", 1, 4096, 300);
    against_unsynced(&path);
    append_cost(&path);
    recovery(&path);
    std::fs::remove_dir_all(&path).ok();
}

fn opened(path: &Path, is_synced: bool) -> (Journal, StreamId) {
    let settings = Settings { is_synced, ..Settings::sized(8 << 30) };
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

/// A journal of its own: how long it took, and how many groups there were.
fn durable(
    path: &Path,
    callers: usize,
    body: &Bytes,
    count: usize,
    is_synced: bool,
) -> (Duration, f64) {
    let folder = path.join("durable");
    std::fs::remove_dir_all(&folder).ok();
    let (journal, stream) = opened(&folder, is_synced);
    append(&journal, stream, 1, body, 1);
    let registry = Registry::default();
    journal.register(&registry, &Vec::new());
    let groups = || {
        let families = registry.snapshot();
        let syncs = families.iter().find(|one| one.name == "tidegate_journal_syncs").unwrap();
        match syncs.series[0].1 {
            Reading::Number(number) => number,
            ref other => panic!("{other:?}"),
        }
    };
    let before = groups();
    let took = append(&journal, stream, callers, body, count);
    let groups = groups() - before;
    journal.close();
    std::fs::remove_dir_all(&folder).ok();
    (took, groups)
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
            let (took, groups) = durable(path, callers, &body, count, true);
            let raw = raw(path, bytes * count, groups as usize);
            (raw.as_secs_f64() / took.as_secs_f64(), took, raw, groups)
        })
        .collect();
    rounds.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (ratio, took, raw, groups) = rounds[ROUNDS / 2];
    let mib = (bytes * count) as f64 / (1 << 20) as f64;
    println!(
        "{what}: {:.0} MiB/s, {:.2} ms a group of {:.0} KiB; write + fdatasync {:.0} MiB/s; ratio {ratio:.2} ({:.2} to {:.2})",
        mib / took.as_secs_f64(),
        took.as_secs_f64() * 1e3 / groups,
        mib * 1024.0 / groups,
        mib / raw.as_secs_f64(),
        rounds[0].0,
        rounds[ROUNDS - 1].0,
    );
}

fn against_unsynced(path: &Path) {
    const COUNT: usize = 60_000;
    let body = Bytes::from(vec![7; 4096]);
    let mut rounds: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let (synced, groups) = durable(path, 1000, &body, COUNT, true);
            let (unsynced, _) = durable(path, 1000, &body, COUNT, false);
            (unsynced.as_secs_f64() / synced.as_secs_f64(), synced, unsynced, groups)
        })
        .collect();
    rounds.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (ratio, synced, unsynced, groups) = rounds[ROUNDS / 2];
    println!(
        "4 KiB bodies, 1,000 callers: {:.0} records/s in groups of {:.0}; fsync: false {:.0}; ratio {ratio:.2} ({:.2} to {:.2})",
        COUNT as f64 / synced.as_secs_f64(),
        COUNT as f64 / groups,
        COUNT as f64 / unsynced.as_secs_f64(),
        rounds[0].0,
        rounds[ROUNDS - 1].0,
    );
}

/// CPU time of all threads, the caller's included.
fn append_cost(path: &Path) {
    const COUNT: usize = 1_000_000;
    let body = Bytes::from(vec![7; 200]);
    let before = cpu();
    let (took, _) = durable(path, 2000, &body, COUNT, false);
    let used = cpu() - before;
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
    const BYTES: usize = 1 << 30;
    for bytes in [4096, 300_000] {
        let folder = path.join("recovery");
        std::fs::remove_dir_all(&folder).ok();
        let (journal, stream) = opened(&folder, false);
        let body = Bytes::from(vec![7; bytes]);
        append(&journal, stream, 100, &body, BYTES / bytes);
        journal.close();
        let began = Clock.now();
        let (journal, _) = opened(&folder, false);
        let took = Clock.now() - began;
        println!(
            "recovery of 1 GiB of {bytes} B bodies: {:.0} ms for {} records",
            took.as_secs_f64() * 1e3,
            journal.usage().live_records,
        );
        journal.close();
        std::fs::remove_dir_all(&folder).ok();
    }
}
