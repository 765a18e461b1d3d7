//! Real: the whole receiver over files of this machine.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pipeline::factory::Blueprint;
use pipeline::{
    Component, Consumer, Envelope, Environment, Need, Outlet, Outlets, Refusal, Reservation,
    Verdict,
};
use runtime::clock::Clock;
use runtime::watch::{Change, Watcher};
use wire::Signal;

use super::world::{later, texts};
use crate::receivers::file_log::FACTORY;
use crate::testing::{Ear, environment, parse};

/// Takes everything, or nothing while it is closed.
#[derive(Debug, Default)]
struct Taker {
    lines: Mutex<Vec<String>>,
    is_closed: std::sync::atomic::AtomicBool,
}

impl Consumer for Taker {
    fn reserve(&self, _need: &Need<'_>) -> Result<Reservation, Refusal> {
        Ok(Reservation::Nothing)
    }

    fn commit(&self, envelope: Envelope, _reservation: Reservation) {
        if self.is_closed.load(std::sync::atomic::Ordering::Relaxed) {
            return envelope.answer_all(&later());
        }
        self.lines.lock().unwrap().extend(texts(&envelope.payload));
        envelope.answer_all(&Verdict::Delivered);
    }
}

pub(super) struct House {
    folder: tempfile::TempDir,
    taker: Arc<Taker>,
    pub(super) env: Environment,
    pub(super) receiver: Option<Arc<dyn Component>>,
    more: &'static str,
}

impl House {
    pub(super) fn new(more: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("logs")).unwrap();
        let mut env = environment("file_log", None);
        env.data_dir = folder.path().join("data");
        Self { folder, taker: Arc::default(), env, receiver: None, more }
    }

    pub(super) fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join("logs").join(name)
    }

    pub(super) fn start(&mut self) {
        self.start_before(self.taker.clone());
    }

    pub(super) fn start_before(&mut self, consumer: Arc<dyn Consumer>) {
        let pattern = self.path("**/*.log*");
        let yaml =
            format!("{{include: ['{}'], start_at: beginning, {}}}", pattern.display(), self.more);
        self.follow(&yaml, consumer);
    }

    fn follow(&mut self, yaml: &str, consumer: Arc<dyn Consumer>) {
        let Blueprint::Receiver(blueprint) = parse(&FACTORY, yaml).unwrap() else { panic!() };
        let outlet = Outlet::to(consumer);
        let outlets: Outlets = [(Signal::Logs, outlet)].into_iter().collect();
        self.receiver = Some(blueprint.build(self.env.clone(), outlets).unwrap());
    }

    pub(super) async fn stop(&mut self) {
        let receiver = self.receiver.take().unwrap();
        let deadline = Clock.now() + Duration::from_secs(20);
        receiver.drain(deadline);
        receiver.close(deadline).await;
        self.env.scope.assert_idle(Clock).await;
    }

    /// Waits until so many lines came; gives all of them, in order of their texts.
    pub(super) async fn lines(&self, count: usize) -> Vec<String> {
        for _ in 0..6000 {
            if count <= self.taker.lines.lock().unwrap().len() {
                break;
            }
            Clock.sleep(Duration::from_millis(5)).await;
        }
        self.sorted()
    }

    /// The same while time stands still but for `period`, however long threads take.
    pub(super) async fn lines_within(&self, count: usize, period: Duration) -> Vec<String> {
        let until = Clock.now() + period;
        for _ in 0..60_000 {
            if count <= self.taker.lines.lock().unwrap().len() {
                break;
            }
            if Clock.now() < until {
                tokio::time::advance(Duration::from_millis(10)).await;
            }
            // Time that stands still moves on by itself when there is nothing to do.
            for _ in 0..1000 {
                tokio::task::yield_now().await;
            }
        }
        self.sorted()
    }

    fn sorted(&self) -> Vec<String> {
        let mut lines = self.taker.lines.lock().unwrap().clone();
        lines.sort_unstable();
        lines
    }
}

pub(super) fn append(path: &Path, text: &str) {
    let mut file = File::options().append(true).create(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// For who reads what a run with `--nocapture` did.
#[expect(clippy::print_stderr, reason = "that nothing was tried belongs to the result of a test")]
fn tell(text: &str) {
    eprintln!("{text}");
}

pub(super) fn numbered(range: std::ops::Range<usize>) -> String {
    range.map(|number| format!("line {number:05}\n")).collect()
}

fn expected(count: usize) -> Vec<String> {
    numbered(0..count).lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn lines_of_files_that_are_rotated_and_restarted_over_come_once() {
    let mut house = House::new("");
    let path = house.path("a.log");
    append(&path, &numbered(0..1000));
    house.start();
    assert_eq!(house.lines(1000).await, expected(1000));
    append(&path, &numbered(1000..1500));
    fs::rename(&path, house.path("a.log.1")).unwrap();
    append(&path, &numbered(1500..2000));
    assert_eq!(house.lines(2000).await, expected(2000));
    house.stop().await;
    append(&path, &numbered(2000..2100));
    fs::rename(&path, house.folder.path().join("logs/outside")).unwrap();
    append(&path, &numbered(2100..2200));
    house.start();
    assert_eq!(house.lines(2200).await, expected(2200));
    house.stop().await;
    house.start();
    fs::create_dir(house.path("deep")).unwrap();
    append(&house.path("deep/b.log"), &numbered(2200..2300));
    assert_eq!(house.lines(2300).await, expected(2300));
    house.stop().await;
    assert_eq!(house.lines(0).await, expected(2300));
    assert!(house.env.budget.check().is_ok());
    assert_eq!(house.env.budget.bytes_used(), 0);
}

#[tokio::test]
async fn what_cannot_be_found_is_told_once_and_when_it_can() {
    let mut house = House::new("");
    let (ear, _hearing) = Ear::open();
    let (folder, good) = (house.path("app"), house.path("good"));
    append(&house.path("file"), "a file where a folder should be");
    std::os::unix::fs::symlink("file", &folder).unwrap();
    // A folder that cannot be listed cannot be watched either, and is looked at at intervals.
    let pattern = folder.join("*.log");
    let yaml =
        format!("{{include: ['{}'], start_at: beginning, poll_interval: 1ms}}", pattern.display());
    house.follow(&yaml, house.taker.clone());
    Clock.sleep(Duration::from_millis(300)).await;
    let counts = || ["This cannot", "No file is found", "This can be"].map(|text| ear.count(text));
    assert_eq!(counts(), [1, 1, 0], "{ear:?}");
    fs::create_dir(house.path("folder")).unwrap();
    append(&house.path("folder/a.log"), &numbered(0..10));
    std::os::unix::fs::symlink("folder", &good).unwrap();
    fs::rename(good, &folder).unwrap();
    tokio::time::pause();
    assert_eq!(house.lines_within(10, Duration::from_secs(30)).await, expected(10));
    tokio::time::resume();
    house.stop().await;
    assert_eq!(counts(), [1, 1, 1], "{ear:?}");
}

#[tokio::test]
async fn what_is_not_accepted_is_read_again_and_not_passed_over_at_a_stop() {
    let mut house = House::new("retry_on_failure: {initial_interval: 10ms, max_interval: 20ms}");
    house.taker.is_closed.store(true, std::sync::atomic::Ordering::Relaxed);
    append(&house.path("a.log"), &numbered(0..5000));
    house.start();
    Clock.sleep(Duration::from_millis(200)).await;
    house.stop().await;
    assert!(house.lines(0).await.is_empty());
    house.start();
    Clock.sleep(Duration::from_millis(50)).await;
    house.taker.is_closed.store(false, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(house.lines(5000).await, expected(5000));
    house.stop().await;
}

#[tokio::test]
async fn a_removed_file_is_read_to_its_end_and_lines_may_be_longer_than_what_is_read_at_once() {
    let mut house = House::new("max_log_size: 1MiB");
    let path = house.path("a.log");
    append(&path, "first\n");
    house.start();
    house.lines(1).await;
    append(&path, &("x".repeat(900_000) + "\n"));
    append(&path, &("y".repeat(2_500_000) + "\nlast\n"));
    fs::remove_file(&path).unwrap();
    let lines = house.lines(6).await;
    let lengths: Vec<usize> = lines.iter().map(String::len).collect();
    assert_eq!(lengths.iter().sum::<usize>(), 900_000 + 2_500_000 + 9);
    assert_eq!(lengths.iter().max(), Some(&(1 << 20)));
    house.stop().await;
}

#[tokio::test]
async fn compressed_files_are_read_to_their_end_and_appended_members_too() {
    let mut house = House::new("compression: auto");
    let path = house.path("a.log.gz");
    let gzip = |text: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    fs::write(&path, gzip(&numbered(0..20_000))).unwrap();
    house.start();
    assert_eq!(house.lines(20_000).await, expected(20_000));
    let mut file = File::options().append(true).open(&path).unwrap();
    file.write_all(&gzip(&numbered(20_000..20_100))).unwrap();
    assert_eq!(house.lines(20_100).await, expected(20_100));
    house.stop().await;
}

/// Keeps what is about the target `denied`, as a road to it does, until its caller leaves.
#[derive(Debug, Default)]
struct Halting {
    delivered: Mutex<Vec<String>>,
    kept: Arc<Kept>,
}

#[derive(Debug, Default)]
struct Kept(Mutex<std::collections::BTreeMap<u64, Envelope>>);

impl pipeline::Holder for Kept {
    fn left(&self, token: u64) {
        let envelope = self.0.lock().unwrap().remove(&token);
        envelope.into_iter().for_each(|envelope| envelope.answer_all(&later()));
    }
}

impl Consumer for Halting {
    fn reserve(&self, _need: &Need<'_>) -> Result<Reservation, Refusal> {
        Ok(Reservation::Nothing)
    }

    fn commit(&self, envelope: Envelope, _reservation: Reservation) {
        let lines = texts(&envelope.payload);
        if lines[0].starts_with("denied") {
            let holder: Arc<dyn pipeline::Holder> = self.kept.clone();
            let mut kept = self.kept.0.lock().unwrap();
            let token = kept.last_key_value().map_or(0, |(token, _)| token + 1);
            envelope.contributors[0].receipt.held_by(holder, token);
            kept.insert(token, envelope);
            return;
        }
        self.delivered.lock().unwrap().extend(lines);
        envelope.answer_all(&Verdict::Delivered);
    }
}

impl Halting {
    /// Waits until so many lines were delivered.
    async fn wait_for(&self, count: usize) {
        while self.delivered.lock().unwrap().len() < count {
            Clock.sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test]
async fn files_whose_target_takes_nothing_leave_memory_to_the_others() {
    let mut house = House::new("");
    house.env.budget = runtime::budget::Budget::root("test", 16 << 20);
    let halting = Arc::new(Halting::default());
    append(&house.path("good.log"), &numbered(0..10));
    house.start_before(halting.clone());
    halting.wait_for(10).await;
    let denied = "denied line that nobody takes, with some text behind it\n".repeat(1000);
    for file in 0..500 {
        append(&house.path(&format!("denied-{file}.log")), &denied);
    }
    // As many as there is memory for are on their way, and stay there.
    let room = house.env.budget.bytes_max() / 4;
    let (mut used, mut unchanged) = (0, 0);
    while used < room * 9 / 10 || unchanged < 40 {
        Clock.sleep(Duration::from_millis(5)).await;
        let before = std::mem::replace(&mut used, house.env.budget.bytes_used());
        unchanged = if used == before { unchanged + 1 } else { 0 };
    }
    assert!(used < room * 5 / 4, "files on trial have half of it");
    append(&house.path("good.log"), &numbered(10..20_000));
    halting.wait_for(20_000).await;
    assert!(house.env.budget.bytes_used() < room * 5 / 4);
    // One that is new waits until what has no answer is withdrawn. That comes in rounds of seconds, which
    // make room for a part of the files each, so time is driven.
    tokio::time::pause();
    append(&house.path("new.log"), &numbered(0..10));
    halting.wait_for(20_010).await;
    tokio::time::resume();
    let deadline = Clock.now() + Duration::from_secs(2);
    let receiver = house.receiver.take().unwrap();
    receiver.drain(deadline);
    receiver.close(deadline).await;
    assert!(Clock.now() <= deadline + Duration::from_millis(500), "a stop ends in time");
}

#[tokio::test]
async fn s3_lines_that_come_while_a_receiver_starts_and_stops_come_once() {
    let mut house = House::new("");
    for round in 0..30 {
        house.start();
        append(&house.path("a.log"), &numbered(round * 20..round * 20 + 20));
        if round % 3 == 0 {
            house.lines(round * 20 + 1).await;
        }
        house.stop().await;
    }
    house.start();
    assert_eq!(house.lines(600).await, expected(600));
    house.stop().await;
    assert_eq!(house.lines(0).await, expected(600));
}

#[tokio::test]
async fn t16_a_line_of_100_mib_is_cut_and_costs_little_memory() {
    let mut house = House::new("on_oversize: truncate, max_log_size: 64KiB");
    let path = house.path("a.log");
    append(&path, &"x".repeat(100 << 20));
    append(&path, "\nline 00001\n");
    append(&house.path("b.log"), "line 00000\n");
    house.start();
    let lines = house.lines(3).await;
    assert_eq!(lines[..2], expected(2));
    assert_eq!(lines[2].len(), 64 << 10);
    let peak = house.env.budget.explain().iter().map(|share| share.bytes_peak).max();
    assert!(peak.unwrap() < 4 << 20, "{peak:?}");
    house.stop().await;
}

#[tokio::test]
async fn t25_what_the_kernel_had_no_room_to_tell_is_found_by_looking_at_everything() {
    let mut house = House::new("");
    let path = house.path("a.log");
    append(&path, &numbered(0..5));
    append(&house.path("b.log"), &numbered(5..10));
    house.start();
    house.lines(10).await;
    let watcher = Watcher::start().unwrap();
    watcher.set_folders(&[house.folder.path().join("logs")].into());
    // Nobody takes what the kernel tells before this test waits. It has room for writes to files that are
    // known, and tells nothing of new ones.
    let mut noise =
        [&path, &house.path("b.log")].map(|path| File::options().append(true).open(path).unwrap());
    for turn in 0..50_000 {
        noise[turn % 2].write_all(b"\n").unwrap();
    }
    append(&path, &numbered(10..20));
    fs::rename(&path, house.path("a.log.1")).unwrap();
    append(&path, &numbered(20..30));
    for number in 30..130 {
        append(&house.path(&format!("new-{number}.log")), &numbered(number..number + 1));
    }
    // Too little time passes for a look at intervals.
    tokio::time::pause();
    while !watcher.next().await.unwrap().contains(&Change::Overflowed) {}
    assert_eq!(house.lines_within(130, Duration::from_secs(5)).await, expected(130));
    tokio::time::resume();
    house.stop().await;
    assert_eq!(house.lines(0).await, expected(130));
}

#[tokio::test]
async fn t26_paths_that_differ_in_a_separator_have_positions_of_their_own() {
    let mut house = House::new("");
    fs::create_dir(house.path("a")).unwrap();
    let paths = [house.path("a/b.log"), house.path("a_b.log")];
    append(&paths[0], &numbered(0..10));
    append(&paths[1], &numbered(10..15));
    house.start();
    assert_eq!(house.lines(15).await, expected(15));
    house.stop().await;
    append(&paths[1], &numbered(15..20));
    house.start();
    assert_eq!(house.lines(20).await, expected(20));
    house.stop().await;
}

/// Makes a file with the inode of one that was removed; `false` where the kernel does not give it out again.
fn make_with_inode(inode: u64, path: &Path, text: &str) -> bool {
    let aside = path.with_file_name("aside");
    let others: Vec<_> = (0..1000).map(|number| aside.with_extension(number.to_string())).collect();
    let is_it = |other: &std::path::PathBuf| {
        append(other, text);
        fs::metadata(other).unwrap().ino() == inode
    };
    let found = others.iter().find(|other| is_it(other));
    let is_found = found.is_some_and(|found| fs::rename(found, path).is_ok());
    others.iter().for_each(|other| drop(fs::remove_file(other)));
    is_found
}

#[tokio::test]
async fn files_that_get_the_inode_of_a_removed_one_from_the_kernel_are_read_from_their_start() {
    let mut house = House::new("max_concurrent_files: 1");
    let path = house.path("a.log");
    append(&path, &numbered(0..2));
    house.start();
    house.lines(2).await;
    let mut count = 2;
    for round in 0..6 {
        // It is closed: another file needs its place, or nobody is there to hold it.
        let is_stopped = round % 2 == 0;
        if is_stopped {
            house.stop().await;
        } else {
            append(&house.path("b.log"), &numbered(count..count + 1));
            count += 1;
            house.lines(count).await;
        }
        let inode = fs::metadata(&path).unwrap().ino();
        fs::remove_file(&path).unwrap();
        // It begins as the file before, and is longer.
        let text = numbered(0..2) + &numbered(count..count + 10);
        count += 12;
        if !make_with_inode(inode, &path, &text) {
            assert_eq!(round, 0, "a file system does it or does not");
            return tell("SKIPPED: inodes are not given out again here");
        }
        if is_stopped {
            house.start();
        }
        house.lines(count).await;
    }
    house.stop().await;
    let mut lines = house.lines(0).await;
    assert_eq!(lines.iter().filter(|line| **line <= numbered(1..2)).count(), 14, "{lines:?}");
    assert_eq!(lines.len(), count);
    lines.dedup();
    assert_eq!(lines.len(), count - 12, "each round has lines of its own");
}

#[test]
fn a_file_is_removed_and_another_one_at_its_path_is_not() {
    use crate::receivers::file_log::file_system::{FileSystem as _, Options, Real};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    let files = Real::new(Options::default());
    append(&path, "one\n");
    let old = files.open(&path).unwrap();
    fs::rename(&path, folder.path().join("aside")).unwrap();
    append(&path, "two\n");
    assert!(!files.remove(&path, &old).unwrap());
    assert_eq!(fs::read_to_string(&path).unwrap(), "two\n");
    let new = files.open(&path).unwrap();
    assert!(files.remove(&path, &new).unwrap());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "only what was moved aside");
    assert!(files.remove(&path, &new).is_err(), "it is there no more");
}
