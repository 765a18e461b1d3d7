//! A crash at every step of the disk, under a road with a journal: what was acknowledged before it
//! is delivered, before it or after the next start.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::StreamExt as _;
use pipeline::{Extension, Extensions, Storage, Verdict};
use runtime::volume::simulated::{Crash, Moment, Simulated};

use super::super::store::lease::simulated;
use super::super::*;
use super::bench::{Bench, delivered, environment, secs};
use super::durable::{Disk, STORAGE, stored, with};
use crate::Attempt;
use crate::settings::Queue;

/// Requests of one run; each has as many items as its number says, so that it is known again.
const REQUESTS: usize = 24;

/// Crashes that are recovered from at a time.
const AT_ONCE: usize = 16;

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

/// What was acknowledged and delivered when the machine went down, in the step `index` of a run.
struct Down {
    seed: u64,
    index: usize,
    acknowledged: BTreeSet<usize>,
    taken: BTreeSet<usize>,
}

impl Down {
    /// Starts anew on what is left; all that was acknowledged is delivered, before or after.
    async fn check(self, moment: Moment) {
        let Self { seed, index, acknowledged, taken } = self;
        let crash = if index.is_multiple_of(3) { Crash::Killed } else { Crash::PowerLost };
        let after = Simulated::after(&moment, crash, seed + index as u64);
        let seen = Seen::default();
        let bench = Bench::within(environment_on(&after), with(stored()), noting(&after, &seen));
        drained(&bench).await;
        bench.stop().await;
        let mut delivered: BTreeSet<usize> =
            seen.lock().unwrap().iter().map(|(items, _)| *items).collect();
        delivered.extend(taken);
        let missing: Vec<_> = acknowledged.difference(&delivered).copied().collect();
        assert!(missing.is_empty(), "{missing:?} after {crash:?} at step {index}, seed {seed}");
    }
}

#[tokio::test]
async fn a_crash_at_any_step_of_the_disk_loses_nothing_that_was_acknowledged() {
    let points = std::env::var("TIDEGATE_CRASHES").map_or(40, |text| text.parse().unwrap());
    let (mut seed, mut done) = (0, 0);
    while done < points {
        seed += 1;
        let disk = Simulated::new(seed);
        disk.record();
        let (acknowledged, taken) = run(&disk).await;
        let moments = disk.moments();
        let step = (moments.len() * 2 / points.min(80)).max(1);
        let before = |list: &[(usize, u64)], steps: usize| -> BTreeSet<usize> {
            list.iter().filter(|(_, at)| *at <= steps as u64).map(|(items, _)| *items).collect()
        };
        let checks = moments.into_iter().enumerate().step_by(step).map(|(index, moment)| {
            let (acknowledged, taken) = (before(&acknowledged, index), before(&taken, index));
            Down { seed, index, acknowledged, taken }.check(moment)
        });
        let checks: Vec<_> = checks.collect();
        done += checks.len();
        // They mostly wait: for the destination, which is not there at first.
        futures_util::stream::iter(checks).buffer_unordered(AT_ONCE).collect::<()>().await;
    }
}
