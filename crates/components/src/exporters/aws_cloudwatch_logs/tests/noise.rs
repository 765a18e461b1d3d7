//! Noise: what is told of a stream that takes nothing for long.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use runtime::clock::Clock;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use super::{delivered, error, exporter, ok};
use crate::client::testing::Server;
use crate::testing::{logs_of, payload};

/// Keeps what is told at level `info` or above.
#[derive(Clone, Debug, Default)]
struct Ear(Arc<Mutex<Vec<String>>>);

impl Subscriber for Ear {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO
    }

    fn event(&self, event: &Event<'_>) {
        struct Text(String);
        impl Visit for Text {
            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                if field.name() == "message" {
                    self.0 = format!("{value:?}");
                }
            }
        }
        let mut text = Text(String::new());
        event.record(&mut text);
        self.0.lock().unwrap().push(text.0);
    }

    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_begins_to_fail_and_works_again_is_told_once_each() {
    let ear = Ear::default();
    let _hearing = tracing::subscriber::set_default(ear.clone());
    let denied = std::iter::repeat_n(error("AccessDeniedException"), 20);
    let server = Server::http(denied.chain([ok()]));
    let words = "retry_on_failure: {initial_interval: 1s, max_interval: 2s, max_elapsed_time: 0s}";
    let exporter = exporter(&server, words);
    let deadline = Clock.now() + Duration::from_secs(600);
    let (envelope, waiter) = pipeline::Envelope::of_one(payload(&logs_of(&["x"])), deadline);
    pipeline::consume(exporter.consumer.as_ref(), envelope);
    assert_eq!(waiter.wait().await.unwrap().answer(), delivered());
    assert_eq!(server.seen().len(), 21);
    let told = ear.0.lock().unwrap().clone();
    let count = |text: &str| told.iter().filter(|told| told.starts_with(text)).count();
    assert_eq!((count("Exporting failed"), count("Exporting succeeds")), (1, 1), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn callers_that_are_told_no_are_told_of_seldom() {
    let ear = Ear::default();
    let _hearing = tracing::subscriber::set_default(ear.clone());
    let server = Server::http(std::iter::repeat_n(error("AccessDeniedException"), 100));
    let exporter = exporter(&server, "retry_on_failure: {enabled: false}");
    for _ in 0..100 {
        let deadline = Clock.now() + Duration::from_secs(60);
        let (envelope, waiter) = pipeline::Envelope::of_one(payload(&logs_of(&["x"])), deadline);
        pipeline::consume(exporter.consumer.as_ref(), envelope);
        assert_ne!(waiter.wait().await.unwrap().answer(), delivered());
        Clock.sleep(Duration::from_millis(240)).await;
    }
    let told = ear.0.lock().unwrap().clone();
    let count = told.iter().filter(|told| told.starts_with("Exporting failed. Rejecting")).count();
    assert_eq!(count, 3, "24 s: {told:?}");
}
