//! A queue on disk: what is answered when, and what is there after a restart.
//!
//! The threads of a journal know nothing of paused time, so it runs here.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use pipeline::{Answer, Component, Extension, Extensions, Storage, Verdict};
use runtime::budget::Budget;
use runtime::channel::{Receiver, Sender};

use super::super::*;
use super::bench::{Bench, batch, delivered, direct, environment, queue, secs, unavailable};
use crate::Attempt;
use crate::entry::Entry;
use crate::settings::{Exhausted, Queue, RefusedStore, Sizer, Store};

pub(super) const STORAGE: &str = "file_storage";

/// A folder of its own, removed at the end.
#[derive(Debug)]
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!(
            "tidegate-queue-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(super) fn environment(&self) -> Environment {
        let storage = Storage {
            directory: self.0.clone(),
            is_synced: true,
            folder_permissions: 0o700,
            lock_timeout: Duration::ZERO,
            is_recreated: true,
            bytes_max: 64 << 20,
        };
        let extension: Arc<dyn Extension> = Arc::new(Disk(Some(storage)));
        let id = STORAGE.parse().unwrap();
        Environment {
            extensions: [(id, extension)].into_iter().collect::<Extensions>(),
            ..environment()
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

#[derive(Debug)]
pub(super) struct Disk(pub(super) Option<Storage>);

impl Component for Disk {
    fn drain(&self, _deadline: Instant) {}

    fn close(&self, _deadline: Instant) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

impl Extension for Disk {
    fn storage(&self) -> Option<Storage> {
        self.0.clone()
    }
}

pub(super) fn store() -> Store {
    let storage = STORAGE.parse().unwrap();
    Store { storage, on_exhausted: Exhausted::Keep, expire_after: None, refused: None }
}

pub(super) fn stored() -> Queue {
    Queue { wait_for_result: false, num_consumers: 1, store: Some(store()), ..queue() }
}

pub(super) fn with(queue: Queue) -> Settings {
    Settings { queue: Some(queue), ..direct() }
}

/// A destination that tells of each delivery.
pub(super) fn telling()
-> (impl Fn(&Attempt, usize) -> (Duration, Verdict) + Send + Sync, Receiver<usize>) {
    let ends = Ends { from: "destination", to: "test" };
    let (sender, receiver): (Sender<usize>, _) = channel::bounded(ends, 10_000);
    let script = move |attempt: &Attempt, _: usize| {
        sender.try_send(attempt.payload.items()).unwrap();
        (Duration::ZERO, Verdict::Delivered)
    };
    (script, receiver)
}

pub(super) fn down(_: &Attempt, _: usize) -> (Duration, Verdict) {
    (Duration::ZERO, unavailable(None))
}

pub(super) async fn next(receiver: &mut Receiver<usize>, count: usize) -> Vec<usize> {
    let mut all = Vec::new();
    for _ in 0..count {
        let one = Clock.by(Clock.now() + secs(60), receiver.recv()).await;
        all.push(one.expect("it is delivered in time").expect("the destination lives"));
    }
    all
}

impl Bench {
    /// Ends the road like [`Bench::close`], with something left on disk.
    pub(super) async fn stop(&self) {
        self.built.component.close(Clock.now() + secs(20)).await;
        assert_eq!(self.env.scope.alive(), 0, "no task is left");
        assert_eq!(receipt_lost(), 0, "no answer was forgotten");
    }
}

fn receipt_lost() -> u64 {
    pipeline::receipt::lost_total()
}

#[tokio::test]
async fn what_was_answered_is_delivered_after_a_restart_in_its_order() {
    let folder = Folder::new();
    let bench = Bench::within(folder.environment(), with(stored()), down);
    for items in 1..=9 {
        assert_eq!(bench.answer(items, secs(60)).await, Some(delivered()));
    }
    bench.stop().await;
    assert_eq!(bench.sizes(), [0; 0]);
    let (script, mut delivered) = telling();
    let bench = Bench::within(folder.environment(), with(stored()), script);
    assert_eq!(next(&mut delivered, 9).await, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    bench.close(secs(20)).await;
    // What was delivered is forgotten.
    let (script, mut delivered) = telling();
    let bench = Bench::within(folder.environment(), with(stored()), script);
    bench.answer(5, secs(60)).await;
    assert_eq!(next(&mut delivered, 1).await, [5]);
    bench.close(secs(20)).await;
}

#[tokio::test]
async fn who_waits_for_the_result_is_answered_by_the_destination() {
    let folder = Folder::new();
    let queue = Queue { wait_for_result: true, ..stored() };
    let refused = Status::new(pipeline::Code::PermissionDenied, "no");
    let verdict = Verdict::Refused(refused.clone());
    let script = move |_: &Attempt, call| match call {
        0 => (Duration::ZERO, Verdict::Delivered),
        _ => (Duration::ZERO, verdict.clone()),
    };
    let bench = Bench::within(folder.environment(), with(queue), script);
    assert_eq!(bench.answer(3, secs(60)).await, Some(delivered()));
    assert_eq!(bench.answer(4, secs(60)).await, Some(Answer::Refused(refused)));
    bench.close(secs(20)).await;
}

#[tokio::test]
async fn who_waits_for_a_result_that_does_not_come_is_told_that_its_data_is_kept() {
    let folder = Folder::new();
    let queue = Queue { wait_for_result: true, ..stored() };
    let bench = Bench::within(folder.environment(), with(queue.clone()), down);
    assert_eq!(bench.answer(3, secs(2)).await, Some(delivered()));
    bench.stop().await;
    let (script, mut delivered) = telling();
    let bench = Bench::within(folder.environment(), with(queue), script);
    assert_eq!(next(&mut delivered, 1).await, [3]);
    bench.close(secs(20)).await;
}

#[tokio::test]
async fn a_queue_that_is_full_on_disk_refuses_after_a_restart_until_there_is_room() {
    let folder = Folder::new();
    let queue = Queue { queue_size: 10, ..stored() };
    let bench = Bench::within(folder.environment(), with(queue.clone()), down);
    assert_eq!(bench.answer(6, secs(60)).await, Some(delivered()));
    assert_eq!(bench.answer(4, secs(60)).await, Some(delivered()));
    bench.stop().await;
    let bench = Bench::within(folder.environment(), with(queue.clone()), down);
    while bench.env.metrics.gauge("otelcol_exporter_queue_size", "", labels()).value() < 10 {
        Clock.sleep(Duration::from_millis(1)).await;
    }
    let answer = bench.answer(1, secs(60)).await;
    assert!(matches!(answer, Some(Answer::RetryAfter { delay: Some(_), .. })), "{answer:?}");
    let answer = bench.answer(11, secs(60)).await;
    assert!(matches!(answer, Some(Answer::Refused(_))), "{answer:?}");
    bench.stop().await;
}

fn labels() -> runtime::metrics::Labels {
    vec![("exporter", "test".to_owned())]
}

#[tokio::test]
async fn a_successor_waits_for_the_journal_of_its_predecessor() {
    let folder = Folder::new();
    let first = Bench::within(folder.environment(), with(stored()), down);
    assert_eq!(first.answer(7, secs(60)).await, Some(delivered()));
    let (script, mut taken) = telling();
    let second = Bench::within(folder.environment(), with(stored()), script);
    let (waiter, deadline) = second.send(8, secs(60));
    first.stop().await;
    let outcome = waiter.wait_until(Clock, deadline).await;
    assert_eq!(outcome.map(|outcome| outcome.answer()), Some(delivered()));
    assert_eq!(next(&mut taken, 2).await, [7, 8]);
    second.close(secs(20)).await;
}

#[tokio::test]
async fn a_backlog_larger_than_the_memory_drains_within_it() {
    let folder = Folder::new();
    let small = || Environment { budget: Budget::root("test", 64 << 10), ..folder.environment() };
    let queue = || Queue { queue_size: 10_000_000, batch: Some(batch(100, 20_000)), ..stored() };
    let bench = Bench::within(small(), with(queue()), down);
    // Two bytes for each item: eight times the memory.
    for _ in 0..64 {
        let answer = bench.answer(4_000, secs(60)).await;
        assert_eq!(answer, Some(delivered()));
    }
    bench.stop().await;
    let (script, mut taken) = telling();
    let env = small();
    let bench = Bench::within(env, with(queue()), script);
    let mut items = 0;
    while items < 64 * 4_000 {
        items += next(&mut taken, 1).await[0];
    }
    assert_eq!(items, 64 * 4_000);
    let peak = bench.env.budget.explain()[0].bytes_peak;
    assert!(peak <= 64 << 10, "{peak}");
    bench.close(secs(20)).await;
}

#[tokio::test]
async fn what_was_refused_is_recorded_with_its_reason() {
    let folder = Folder::new();
    let refused = RefusedStore { storage: STORAGE.parse().unwrap(), bytes_max: 1 << 20 };
    let store = Store { refused: Some(refused), ..store() };
    let queue = Queue { store: Some(store), ..stored() };
    let script = |_: &Attempt, _: usize| {
        (Duration::ZERO, Verdict::Refused(Status::new(pipeline::Code::InvalidArgument, "bad")))
    };
    let bench = Bench::within(folder.environment(), with(queue), script);
    assert_eq!(bench.answer(3, secs(60)).await, Some(delivered()));
    while 0 < bench.env.metrics.gauge("otelcol_exporter_queue_size", "", labels()).value() {
        Clock.sleep(Duration::from_millis(1)).await;
    }
    bench.stop().await;
    let entries = entries_of(&folder.0.join("exporter-test-refused")).await;
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].payload.items(), 3);
    assert_eq!(&*entries[0].refused.as_ref().unwrap().message, "bad");
    assert_eq!(entries_of(&folder.0.join("exporter-test-queue")).await.len(), 0);
}

/// All that a journal has.
pub(super) async fn entries_of(folder: &Path) -> Vec<Entry> {
    let directory = runtime::volume::Directory::open(folder, Default::default()).unwrap();
    let settings = ::journal::Settings::sized(64 << 20);
    let opened = ::journal::open(Arc::new(directory), settings).unwrap();
    let mut all = Vec::new();
    for stream in &opened.streams {
        let (sender, mut read) = channel::once(Ends { from: "journal", to: "test" });
        let limits = ::journal::Limits { records_max: 100, bytes_max: 1 << 20 };
        opened.journal.read(stream.id, None, limits, move |result| {
            drop(sender.send(result));
        });
        let read = read.recv().await.unwrap().unwrap();
        all.extend(read.records.into_iter().map(|record| Entry::decode(record.body).unwrap()));
    }
    opened.journal.close();
    all
}

#[tokio::test]
async fn a_storage_that_is_missing_or_no_storage_is_an_error_at_start() {
    let env = environment();
    let error = start(&env, with(stored()), Nowhere).unwrap_err();
    assert!(error.to_string().contains("is no storage"), "{error}");
    let id = STORAGE.parse().unwrap();
    let extension: Arc<dyn Extension> = Arc::new(Disk(None));
    let extensions = [(id, extension)].into_iter().collect::<Extensions>();
    let env = Environment { extensions, ..environment() };
    assert!(start(&env, with(stored()), Nowhere).is_err());
}

#[tokio::test]
async fn a_queue_in_bytes_that_the_storage_cannot_hold_is_an_error_at_start() {
    let folder = Folder::new();
    let queue = Queue { sizer: Sizer::Bytes, queue_size: 1 << 30, ..stored() };
    let error = start(&folder.environment(), with(queue), Nowhere).unwrap_err();
    assert!(error.to_string().contains("max_size"), "{error}");
}

#[tokio::test]
async fn a_journal_that_is_damaged_is_moved_away_when_that_is_wished() {
    let folder = Folder::new();
    let bench = Bench::within(folder.environment(), with(stored()), down);
    assert_eq!(bench.answer(3, secs(60)).await, Some(delivered()));
    bench.stop().await;
    let path = folder.0.join("exporter-test-queue");
    for file in std::fs::read_dir(&path).unwrap() {
        let file = file.unwrap();
        if file.metadata().unwrap().len() != 0 {
            std::fs::write(file.path(), vec![7; 4096]).unwrap();
        }
    }
    let (script, mut taken) = telling();
    let bench = Bench::within(folder.environment(), with(stored()), script);
    assert_eq!(bench.answer(4, secs(60)).await, Some(delivered()));
    assert_eq!(next(&mut taken, 1).await, [4]);
    bench.close(secs(20)).await;
    let names: Vec<_> =
        std::fs::read_dir(&folder.0).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().any(|name| name.to_string_lossy().contains(".damaged-")), "{names:?}");
}

pub(super) struct Nowhere;

impl Destination for Nowhere {
    async fn send(&self, _attempt: Attempt) -> crate::Reply {
        Verdict::Delivered.into()
    }
}
