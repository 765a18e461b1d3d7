//! Noise: what is told of a stream that takes nothing for long.

use std::time::Duration;

use pipeline::factory::Blueprint;
use pipeline::{Built, Waiter};
use runtime::clock::Clock;
use tracing::Level;

use super::{FACTORY, delivered, error, exporter, ok};
use crate::client::testing::Server;
use crate::testing::{Ear, environment, logs_of, parse, payload};

/// A record on its way to a stream that fails so often in this way, and then takes it.
fn failing(name: &str, times: usize) -> (Server, Waiter, Built) {
    let failures = std::iter::repeat_n(error(name), times);
    let server = Server::http(failures.chain([ok()]));
    let words = "retry_on_failure: {initial_interval: 1s, max_interval: 2s, max_elapsed_time: 0s}";
    let exporter = exporter(&server, words);
    let deadline = Clock.now() + Duration::from_secs(600);
    let (envelope, waiter) = pipeline::Envelope::of_one(payload(&logs_of(&["x"])), deadline);
    pipeline::consume(exporter.consumer.as_ref(), envelope);
    (server, waiter, exporter)
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_begins_to_fail_and_works_again_is_told_once_each() {
    let (ear, _hearing) = Ear::open();
    let (server, waiter, _exporter) = failing("AccessDeniedException", 20);
    assert_eq!(waiter.wait().await.unwrap().answer(), delivered());
    assert_eq!(server.seen().len(), 21);
    let failed = "Exporting failed. Will retry the request after interval.";
    assert_eq!(ear.count_at(Level::WARN, failed), 1, "someone is to grant it: {ear:?}");
    assert_eq!((ear.count("Exporting failed"), ear.count("Exporting succeeds")), (1, 1), "{ear:?}");
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_by_itself_is_a_warning_when_it_does_not_within_a_minute() {
    let (ear, _hearing) = Ear::open();
    let (_server, waiter, _exporter) = failing("ThrottlingException", 50);
    Clock.sleep(Duration::from_secs(50)).await;
    assert_eq!(ear.count_at(Level::INFO, "Exporting failed"), 1, "{ear:?}");
    assert_eq!(ear.count_at(Level::WARN, "Exporting failed"), 0, "{ear:?}");
    assert_eq!(waiter.wait().await.unwrap().answer(), delivered());
    assert_eq!(ear.count_at(Level::WARN, "Exporting failed"), 1, "{ear:?}");
    assert_eq!(ear.count("Exporting succeeds"), 1, "{ear:?}");
}

#[tokio::test(start_paused = true)]
async fn callers_that_are_told_no_are_told_of_seldom() {
    let (ear, _hearing) = Ear::open();
    let server = Server::http(std::iter::repeat_n(error("AccessDeniedException"), 100));
    let exporter = exporter(&server, "retry_on_failure: {enabled: false}");
    for _ in 0..100 {
        let deadline = Clock.now() + Duration::from_secs(60);
        let (envelope, waiter) = pipeline::Envelope::of_one(payload(&logs_of(&["x"])), deadline);
        pipeline::consume(exporter.consumer.as_ref(), envelope);
        assert_ne!(waiter.wait().await.unwrap().answer(), delivered());
        Clock.sleep(Duration::from_millis(240)).await;
    }
    assert_eq!(ear.count("Exporting failed. Rejecting data."), 3, "24 s: {ear:?}");
}

#[tokio::test(start_paused = true)]
async fn why_there_are_no_credentials_is_told_once() {
    let (ear, _hearing) = Ear::open();
    let server = Server::http([]);
    let yaml = format!(
        "{{log_group_name: g, log_stream_name: s, region: eu-west-1, endpoint: 'http://{}', \
         profile: nobody-has-it, retry_on_failure: {{max_elapsed_time: 0s}}}}",
        server.address
    );
    let Ok(Blueprint::Exporter(blueprint)) = parse(&FACTORY, &yaml) else { panic!() };
    let exporter = blueprint.build(environment("aws_cloudwatch_logs", None)).unwrap();
    let deadline = Clock.now() + Duration::from_secs(600);
    let (envelope, waiter) = pipeline::Envelope::of_one(payload(&logs_of(&["x"])), deadline);
    pipeline::consume(exporter.consumer.as_ref(), envelope);
    assert_ne!(waiter.wait().await.unwrap().answer(), delivered());
    assert_eq!(ear.count("No AWS credentials could be brought"), 1, "{ear:?}");
}
