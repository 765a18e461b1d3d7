//! Rates with files in front: the file whose group takes its lines is read as fast as if it were alone.
//!
//! Two collectors run at the same time: one follows the allowed file alone, one beside many others.
//! What a put takes is the destination's time, so both are paced alike, and however slow the machine is,
//! it is slow for both: what counts is how far the one has come when the other one is done.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pipeline::{Component, Outlet};
use runtime::clock::Clock;
use wire::Signal;

use super::world::{World, options};
use crate::bench_world::BenchWorld;

/// How long a put takes that is taken.
const ROUND_TRIP: &str = "good.log,PutLogEvents=stall:40";
const LINES_A_PUT: u64 = 100;
const PUTS: u64 = 100;
const LINES: u64 = LINES_A_PUT * PUTS;

/// A collector that follows the files of a folder, each of which is a log group.
struct House {
    world: World,
    folder: tempfile::TempDir,
    receiver: Arc<dyn Component>,
    /// Lines of the allowed file that are there.
    written: u64,
}

impl House {
    /// With so many workers, and the files `bad*.log` to which `rule` applies.
    fn new(bad: usize, rule: &str, workers: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for file in 0..bad {
            let path = folder.path().join(format!("bad{file}.log"));
            std::fs::write(path, format!("{:4000}\n", "nobody takes this").repeat(8)).unwrap();
        }
        let more = format!(
            "raw_log: true\nsending_queue: {{wait_for_result: true, num_consumers: {workers}, \
             batch: {{min_size: 0, max_size: {LINES_A_PUT}}}}}\n"
        );
        let world = World::of_groups("{log.file.name}", &options(&[ROUND_TRIP, rule]), &more);
        let mut bench = BenchWorld::new();
        bench.data_dir = folder.path().join("data");
        let yaml = format!(
            "{{include: ['{}/*.log'], start_at: beginning, attributes: {{stream: s}}}}",
            folder.path().display()
        );
        let outlets = [(Signal::Logs, Outlet::to(world.consumer.clone()))].into_iter().collect();
        let receiver = bench.receiver("file_log", &yaml, outlets).unwrap();
        Self { world, folder, receiver, written: 0 }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("good.log")
    }

    fn write(&mut self, lines: u64) {
        use std::io::Write as _;
        let mut file =
            std::fs::File::options().append(true).create(true).open(self.path()).unwrap();
        let text: String = (self.written..self.written + lines)
            .map(|line| format!("tidegate.run=good tidegate.sequence={line:016}\n"))
            .collect();
        file.write_all(text.as_bytes()).unwrap();
        self.written += lines;
    }

    /// Lines of the allowed file that were taken.
    fn taken(&self) -> u64 {
        self.world.events("good.log", "s")
    }

    async fn wait_for(&self, lines: u64) {
        while self.taken() < lines {
            Clock.sleep(Duration::from_millis(5)).await;
        }
    }

    async fn end(self) {
        let deadline = Clock.now() + Duration::from_secs(10);
        self.receiver.drain(deadline);
        self.world.exporter.drain(deadline);
        self.world.exporter.close(deadline).await;
        self.receiver.close(deadline).await;
    }
}

/// Holds that the allowed file comes at least nine tenths as far beside the others as alone.
async fn compare(bad: usize, rule: &str, workers: usize) {
    let (mut alone, mut beside) = (House::new(0, rule, workers), House::new(bad, rule, workers));
    for house in [&mut alone, &mut beside] {
        house.write(1);
        house.wait_for(1).await;
    }
    for house in [&mut alone, &mut beside] {
        house.write(LINES);
    }
    alone.wait_for(1 + LINES).await;
    let taken = beside.taken();
    assert!(LINES * 9 <= taken * 10, "{taken} of {LINES} lines came beside the others");
    beside.wait_for(1 + LINES).await;
    for house in [alone, beside] {
        let totals = house.world.totals();
        assert_eq!((totals.distinct, totals.doubled, totals.disordered), (1 + LINES, 0, 0));
        house.end().await;
    }
}

#[tokio::test]
async fn ten_denied_files_leave_the_allowed_one_its_rate() {
    compare(10, "bad*=deny", 2).await;
}

#[tokio::test]
async fn a_thousand_denied_files_leave_the_allowed_one_its_rate() {
    compare(1000, "bad*=deny", 2).await;
}

#[tokio::test]
async fn ten_files_whose_groups_never_answer_leave_the_allowed_one_its_rate() {
    compare(10, "bad*=swallow", 1).await;
}
