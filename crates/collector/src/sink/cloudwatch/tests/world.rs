//! What the tests share: a sink, an exporter in front of it, and records to send.

use std::sync::Arc;
use std::time::Duration;

use pipeline::{Answer, Component, Consumer, Envelope, Waiter};
use runtime::clock::Clock;
use wire::{Payload, Signal, json};

use crate::bench_world::BenchWorld;
use crate::sink::cloudwatch::{CloudWatchOptions, CloudWatchSink, Rule, Totals};

/// A sink and an exporter that sends to it.
pub(super) struct World {
    pub(super) sink: CloudWatchSink,
    pub(super) exporter: Arc<dyn Component>,
    pub(super) consumer: Arc<dyn Consumer>,
}

/// The defaults of the tests: short pauses, so that little time has to pass.
pub(super) const RETRY: &str =
    "retry_on_failure: {initial_interval: 1s, max_interval: 10s, max_elapsed_time: 0s}\n";

pub(super) fn options(rules: &[&str]) -> CloudWatchOptions {
    let rule = rules.iter().map(|rule| rule.parse::<Rule>().unwrap()).collect();
    CloudWatchOptions { rule, ..CloudWatchOptions::default() }
}

impl World {
    /// The group and stream of a record are its attributes `group` and `stream`.
    pub(super) fn start(options: &CloudWatchOptions, more: &str) -> Self {
        Self::of_groups("{group}", options, more)
    }

    /// The same with another template of the group's name.
    pub(super) fn of_groups(group: &str, options: &CloudWatchOptions, more: &str) -> Self {
        let bench = BenchWorld::new();
        let sink = CloudWatchSink::start(&bench, "127.0.0.1:0", options).unwrap();
        let yaml = format!(
            "log_group_name: '{group}'\nlog_stream_name: '{{stream}}'\nregion: eu-west-1\n\
             endpoint: http://{}\naccess_key_id: AKID\nsecret_access_key: hidden\n{more}",
            sink.address
        );
        let built = bench.exporter("aws_cloudwatch_logs", &yaml).unwrap();
        Self { sink, exporter: built.component, consumer: built.consumer }
    }

    /// Hands records over to be answered within `seconds`.
    pub(super) fn send(&self, records: &[Record<'_>], seconds: u64) -> Waiter {
        let deadline = Clock.now() + Duration::from_secs(seconds);
        let (envelope, waiter) = Envelope::of_one(payload(records), deadline);
        pipeline::consume(self.consumer.as_ref(), envelope);
        waiter
    }

    pub(super) async fn deliver(&self, records: &[Record<'_>], seconds: u64) -> Answer {
        self.send(records, seconds).wait().await.unwrap().answer()
    }

    pub(super) fn totals(&self) -> Totals {
        self.sink.account.with(|account| account.totals())
    }

    /// Events in a stream.
    pub(super) fn events(&self, group: &str, stream: &str) -> u64 {
        self.sink.account.with(|account| account.stream(group, stream).map_or(0, |s| s.events))
    }

    /// Closes the exporter; gives how long that took.
    pub(super) async fn close(&self, within: Duration) -> Duration {
        let started = Clock.now();
        let deadline = started + within;
        self.exporter.drain(deadline);
        self.exporter.close(deadline).await;
        Clock.now() - started
    }
}

/// A log record: where it goes, its number, when it happened, and its text.
#[derive(Clone, Debug)]
pub(super) struct Record<'a> {
    pub(super) group: &'a str,
    pub(super) stream: &'a str,
    pub(super) sequence: u64,
    /// Milliseconds after now.
    pub(super) ahead: i64,
    pub(super) body: &'a str,
}

pub(super) fn record(group: &str, sequence: u64) -> Record<'_> {
    Record { group, stream: "s", sequence, ahead: 0, body: "text" }
}

pub(super) fn delivered() -> Answer {
    Answer::Delivered { rejected: 0, warning: None }
}

fn payload(records: &[Record<'_>]) -> Payload {
    let now = Clock.wall().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let now = i64::try_from(now).unwrap();
    let text =
        |key: &str, value: &str| serde_json::json!({"key": key, "value": {"stringValue": value}});
    let records = records.iter().map(|record| {
        let at = (now + record.ahead) * 1_000_000;
        serde_json::json!({
            "timeUnixNano": at.to_string(),
            "body": {"stringValue": record.body},
            "attributes": [
                text("group", record.group),
                text("stream", record.stream),
                text("tidegate.sequence", &format!("{:016}", record.sequence)),
            ],
        })
    });
    let request = serde_json::json!({"resourceLogs": [{
        "resource": {"attributes": [text("tidegate.run", "test")]},
        "scopeLogs": [{"logRecords": records.collect::<Vec<_>>()}],
    }]});
    let encoded = json::to_protobuf(Signal::Logs, request.to_string().as_bytes()).unwrap();
    Payload::parse(Signal::Logs, encoded.into()).unwrap()
}
