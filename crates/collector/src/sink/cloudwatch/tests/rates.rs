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
    /// With so many workers; `rule` applies to the files `bad*.log`.
    fn new(rule: &str, workers: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
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

    /// Adds files whose lines nobody takes.
    fn add_bad(&self, count: usize) {
        for file in 0..count {
            let path = self.folder.path().join(format!("bad{file}.log"));
            std::fs::write(path, format!("{:4000}\n", "nobody takes this").repeat(8)).unwrap();
        }
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

/// One house with the allowed file alone, and one in which others are to be beside it.
struct Pair {
    alone: House,
    beside: House,
}

impl Pair {
    fn new(rule: &str, workers: usize) -> Self {
        Self { alone: House::new(rule, workers), beside: House::new(rule, workers) }
    }

    /// One more line of each allowed file is taken.
    async fn prove(&mut self) {
        for house in [&mut self.alone, &mut self.beside] {
            house.write(1);
            house.wait_for(house.written).await;
        }
    }

    /// Holds that the allowed file comes at least so many tenths as far beside the others as alone.
    async fn compare(mut self, tenths: u64) {
        for house in [&mut self.alone, &mut self.beside] {
            house.write(LINES);
        }
        let Self { alone, beside } = self;
        alone.wait_for(alone.written).await;
        let taken = beside.taken();
        assert!(LINES * tenths <= taken * 10, "{taken} of {LINES} lines came beside the others");
        beside.wait_for(beside.written).await;
        for house in [alone, beside] {
            let totals = house.world.totals();
            assert_eq!((totals.doubled, totals.disordered), (0, 0));
            house.end().await;
        }
    }
}

/// Holds that the allowed file keeps its rate beside others that were there before it.
async fn compare(bad: usize, rule: &str, workers: usize) {
    let mut pair = Pair::new(rule, workers);
    pair.beside.add_bad(bad);
    pair.prove().await;
    pair.compare(9).await;
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

/// Of the four seconds that the file takes alone, the others cost the first.
#[tokio::test]
async fn ten_files_whose_groups_never_answer_cost_one_that_begins_with_them_a_second() {
    let pair = Pair::new("bad*=swallow", 1);
    pair.beside.add_bad(10);
    pair.compare(6).await;
}

#[tokio::test]
async fn more_new_files_than_the_queue_holds_whose_groups_never_answer_leave_the_known_one_its_rate()
 {
    let mut pair = Pair::new("bad*=swallow", 2);
    pair.prove().await;
    pair.beside.add_bad(1500);
    // Those whose turn came are as many as may take too long; the others fill the queue.
    while pair.beside.world.totals().requests.values().sum::<u64>() < 40 {
        Clock.sleep(Duration::from_millis(5)).await;
    }
    pair.prove().await;
    pair.compare(9).await;
}
