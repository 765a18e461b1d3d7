//! Files in front of the exporter: what becomes of lines whose stream takes nothing for long.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use pipeline::{Component, Outlet};
use runtime::clock::Clock;
use wire::Signal;

use super::world::{World, options};
use crate::bench_world::BenchWorld;

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const RETRY: &str =
    "retry_on_failure: {initial_interval: 1s, max_interval: 1h, max_elapsed_time: 0s}\n";

/// Files of which every line goes to the stream `s` of the group `bad`.
struct House {
    folder: tempfile::TempDir,
    bench: BenchWorld,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut bench = BenchWorld::new();
        bench.data_dir = folder.path().join("data");
        Self { folder, bench }
    }

    fn write(&self, line: &str) {
        let path = self.folder.path().join("app.log");
        let mut file = std::fs::File::options().append(true).create(true).open(path).unwrap();
        writeln!(file, "{line}").unwrap();
    }

    fn follow(&self, world: &World) -> Arc<dyn Component> {
        let path = self.folder.path().join("*.log");
        let yaml = format!(
            "{{include: ['{}'], start_at: beginning, attributes: {{group: bad, stream: s}}}}",
            path.display()
        );
        let outlet = Outlet::to(world.consumer.clone());
        let outlets = [(Signal::Logs, outlet)].into_iter().collect();
        self.bench.receiver("file_log", &yaml, outlets).unwrap()
    }

    /// Lines that were refused for good.
    fn refused(&self) -> u64 {
        let labels = vec![("receiver", "file_log".to_owned()), ("transport", "file".to_owned())];
        let name = "otelcol_receiver_refused_log_records";
        self.bench.metrics.counter(name, "", labels).value()
    }
}

/// Waits for something that threads do, in their own time.
async fn until(is_so: impl Fn() -> bool) {
    for _ in 0..6000 {
        if is_so() {
            return;
        }
        Clock.sleep(Duration::from_millis(5)).await;
    }
    panic!("it does not come");
}

async fn close(component: &dyn Component) {
    let deadline = Clock.now() + Duration::from_secs(5);
    component.drain(deadline);
    component.close(deadline).await;
    assert!(Clock.now() <= deadline);
}

#[tokio::test]
async fn a_line_that_was_never_taken_is_given_up_after_14_days_and_the_file_is_read_on() {
    let (world, house) = (World::start(&options(&["bad=deny"]), RETRY), House::new());
    house.write("one");
    let receiver = house.follow(&world);
    until(|| 0 < world.totals().requests_of("PutLogEvents")).await;
    // From here on time is driven: what is under way waits in the exporter.
    tokio::time::pause();
    Clock.sleep(14 * DAY - 2 * HOUR).await;
    assert_eq!(house.refused(), 0, "it is tried for 14 days");
    Clock.sleep(4 * HOUR).await;
    assert_eq!(house.refused(), 1, "the loss is counted");
    tokio::time::resume();
    house.write("two");
    world.sink.rule(&[]);
    until(|| world.events("bad", "s") == 1).await;
    close(receiver.as_ref()).await;
    // Offsets have passed what was given up.
    let receiver = house.follow(&world);
    house.write("three");
    until(|| world.events("bad", "s") == 2).await;
    assert_eq!(house.refused(), 1);
    close(receiver.as_ref()).await;
}

#[tokio::test]
async fn a_stop_while_a_stream_is_halted_leaves_offsets_where_they_were() {
    let (world, house) = (World::start(&options(&["bad=deny"]), RETRY), House::new());
    house.write("one");
    let receiver = house.follow(&world);
    until(|| 0 < world.totals().requests_of("PutLogEvents")).await;
    // The receiver waits for the answer, which the exporter gives when it ends.
    let deadline = Clock.now() + Duration::from_secs(5);
    receiver.drain(deadline);
    assert!(world.close(Duration::from_secs(5)).await <= Duration::from_secs(5));
    close(receiver.as_ref()).await;
    let world = World::start(&options(&[]), RETRY);
    let receiver = house.follow(&world);
    until(|| world.events("bad", "s") == 1).await;
    close(receiver.as_ref()).await;
}
