//! A crash at every step of the disk, under a road with a journal: what was acknowledged before it
//! is delivered, before it or after the next start.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use pipeline::{Extension, Extensions, Storage, Verdict};
use runtime::volume::simulated::{Crash, Simulated};

use super::super::store::lease::simulated;
use super::super::*;
use super::bench::{Bench, delivered, environment, secs};
use super::durable::{Disk, STORAGE, stored, with};
use crate::Attempt;
use crate::settings::Queue;

/// Requests of one run; each has as many items as its number says, so that it is known again.
const REQUESTS: usize = 24;

/// Requests by number, and how many steps the disk had done then.
type Seen = Arc<Mutex<Vec<(usize, u64)>>>;

/// An environment whose storage is `disk`.
pub(super) fn environment_on(disk: &Simulated) -> Environment {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let directory = PathBuf::from(format!("/simulated-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
    simulated::put(directory.join("exporter-test-queue"), Arc::new(disk.clone()));
    let storage = Storage {
        directory,
        is_synced: true,
        folder_permissions: 0o700,
        lock_timeout: Duration::ZERO,
        is_recreated: false,
        bytes_max: 1 << 20,
    };
    let extension: Arc<dyn Extension> = Arc::new(Disk(Some(storage)));
    let extensions = [(STORAGE.parse().unwrap(), extension)].into_iter().collect::<Extensions>();
    Environment { extensions, ..environment() }
}

/// A destination that takes every other request at first, and notes what it took when.
fn noting(
    disk: &Simulated,
    seen: &Seen,
) -> impl Fn(&Attempt, usize) -> (Duration, Verdict) + use<> {
    let (disk, seen) = (disk.clone(), Arc::clone(seen));
    move |attempt, call| {
        if call % 2 == 1 {
            return (Duration::ZERO, super::bench::unavailable(Some(Duration::from_millis(100))));
        }
        seen.lock().unwrap().push((attempt.payload.items(), disk.steps()));
        (Duration::ZERO, Verdict::Delivered)
    }
}

pub(super) async fn drained(bench: &Bench) {
    bench
        .until("what is stored is delivered", || {
            let is_open = bench.metric("tidegate_journal_limit_bytes").is_some();
            is_open && bench.metric("otelcol_exporter_queue_size") == Some(0.0)
        })
        .await;
}

/// What was acknowledged, and what was delivered, in a run on a disk that keeps its moments.
async fn run(disk: &Simulated) -> (Vec<(usize, u64)>, Vec<(usize, u64)>) {
    let seen = Seen::default();
    let queue = Queue { num_consumers: 2, ..stored() };
    let bench = Bench::within(environment_on(disk), with(queue), noting(disk, &seen));
    let mut acknowledged = Vec::new();
    for items in 1..=REQUESTS {
        assert_eq!(bench.answer(items, secs(60)).await, Some(delivered()));
        acknowledged.push((items, disk.steps()));
    }
    drained(&bench).await;
    bench.stop().await;
    let taken = seen.lock().unwrap().clone();
    (acknowledged, taken)
}

#[tokio::test]
async fn a_crash_at_any_step_of_the_disk_loses_nothing_that_was_acknowledged() {
    let points = std::env::var("TIDEGATE_CRASHES").map_or(40, |text| text.parse().unwrap());
    let mut seed = 0;
    let mut done = 0;
    while done < points {
        seed += 1;
        let disk = Simulated::new(seed);
        disk.record();
        let (acknowledged, taken) = run(&disk).await;
        let moments = disk.moments();
        let step = (moments.len() * 2 / points.min(80)).max(1);
        for (index, moment) in moments.iter().enumerate().step_by(step) {
            let crash = if index % 3 == 0 { Crash::Killed } else { Crash::PowerLost };
            let after = Simulated::after(moment, crash, seed + index as u64);
            let steps = index as u64;
            let before = |list: &[(usize, u64)]| -> BTreeSet<usize> {
                list.iter().filter(|(_, at)| *at <= steps).map(|(items, _)| *items).collect()
            };
            let seen = Seen::default();
            let bench =
                Bench::within(environment_on(&after), with(stored()), noting(&after, &seen));
            drained(&bench).await;
            bench.stop().await;
            let mut delivered: BTreeSet<usize> =
                seen.lock().unwrap().iter().map(|(items, _)| *items).collect();
            delivered.extend(before(&taken));
            let missing: Vec<_> = before(&acknowledged).difference(&delivered).copied().collect();
            assert!(missing.is_empty(), "{missing:?} after {crash:?} at step {index}, seed {seed}");
            done += 1;
        }
    }
}
