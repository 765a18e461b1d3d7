//! Stored: files in front of a queue on disk whose stream takes nothing for long.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use pipeline::factory::Blueprint;
use pipeline::{Component, Environment, Extensions, Outlet};
use runtime::clock::Clock;
use wire::Signal;

use super::{body, error, exporter_in, ok};
use crate::client::testing::Server;
use crate::extensions::file_storage;
use crate::receivers::file_log;
use crate::testing::{environment, parse};

const WORDS: &str = "max_age: 1h\nsending_queue: {storage: file_storage}\n\
    retry_on_failure: {initial_interval: 1s, max_interval: 5m, max_elapsed_time: 0s}\n";

/// A file of lines, and a folder for what is kept.
struct House {
    folder: tempfile::TempDir,
    receiver: Environment,
    exporter: Environment,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut storage = environment("file_storage", None);
        storage.data_dir = folder.path().join("data");
        let Ok(Blueprint::Extension(blueprint)) = parse(&file_storage::FACTORY, "") else {
            panic!("not an extension")
        };
        let storage = blueprint.build(storage).unwrap();
        let mut exporter = environment("aws_cloudwatch_logs", None);
        exporter.extensions = Extensions::from_iter([("file_storage".parse().unwrap(), storage)]);
        let mut receiver = environment("file_log", None);
        receiver.data_dir = folder.path().join("data");
        Self { folder, receiver, exporter }
    }

    fn write(&self, line: &str) {
        let path = self.folder.path().join("app.log");
        let mut file = std::fs::File::options().append(true).create(true).open(path).unwrap();
        writeln!(file, "{line}").unwrap();
    }

    fn follow(&self, outlet: Outlet) -> Arc<dyn Component> {
        let path = self.folder.path().join("*.log");
        let yaml = format!("{{include: ['{}'], start_at: beginning}}", path.display());
        let Ok(Blueprint::Receiver(blueprint)) = parse(&file_log::FACTORY, &yaml) else {
            panic!("not a receiver")
        };
        let outlets = [(Signal::Logs, outlet)].into_iter().collect();
        blueprint.build(self.receiver.clone(), outlets).unwrap()
    }

    /// Lines that the receiver need not send again, by how they ended.
    fn ended(&self, how: &str) -> u64 {
        let labels = vec![("receiver", "file_log".to_owned()), ("transport", "file".to_owned())];
        let name = match how {
            "accepted" => "otelcol_receiver_accepted_log_records",
            _ => "otelcol_receiver_refused_log_records",
        };
        self.receiver.metrics.counter(name, "", labels).value()
    }

    fn expired(&self) -> u64 {
        let labels = vec![("exporter", "aws_cloudwatch_logs".to_owned())];
        let name = "tidegate_delivery_expired_items";
        self.exporter.metrics.counter(name, "", labels).value()
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
    let deadline = Clock.now() + Duration::from_secs(10);
    component.drain(deadline);
    component.close(deadline).await;
}

#[tokio::test]
async fn a_stored_line_that_was_never_taken_expires_and_the_lane_resumes() {
    let house = House::new();
    let server = Server::http(vec![error("AccessDeniedException"); 1000]);
    let exporter = exporter_in(house.exporter.clone(), &server, WORDS);
    let outlet = || Outlet::to(Arc::clone(&exporter.consumer));
    house.write("one");
    let receiver = house.follow(outlet());
    // Its offset moves when it is on disk, whatever the service says.
    until(|| house.ended("accepted") == 1 && !server.seen().is_empty()).await;
    close(receiver.as_ref()).await;
    // From here on time is driven.
    tokio::time::pause();
    Clock.sleep(Duration::from_mins(50)).await;
    assert_eq!(house.expired(), 0, "it is tried for an hour");
    Clock.sleep(Duration::from_mins(20)).await;
    assert_eq!(house.expired(), 1, "the loss is counted");
    let tried = server.seen().len();
    Clock.sleep(Duration::from_hours(1)).await;
    assert_eq!(server.seen().len(), tried, "it is tried no more");
    tokio::time::resume();
    server.follow(vec![ok(); 10]);
    let receiver = house.follow(outlet());
    house.write("two");
    until(|| tried < server.seen().len()).await;
    close(receiver.as_ref()).await;
    close(exporter.component.as_ref()).await;
    let later: Vec<String> = server.seen()[tried..].iter().map(body).collect();
    assert_eq!(later.len(), 1, "{later:?}");
    assert!(later[0].contains("two") && !later[0].contains("one"), "{later:?}");
    assert_eq!((house.ended("accepted"), house.ended("refused"), house.expired()), (2, 0, 1));
}
