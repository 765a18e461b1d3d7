//! What the tests of the components share: payloads, envelopes, and a consumer that keeps them.

mod ear;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use config::{ComponentId, Gates, Section};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::profiles::v1development::ExportProfilesServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use pipeline::factory::Blueprint;
use pipeline::{
    Answer, Consumer, Context, Envelope, Environment, Extensions, Factory, Need, Outlet, Refusal,
    Reservation, Tracer, Verdict, Waiter, Waiting,
};
use prost::Message;
use runtime::budget::Budget;
use runtime::clock::Clock;
use runtime::health::Health;
use runtime::metrics::Registry;
use runtime::net::Network;
use runtime::task::Scope;
use wire::{Payload, Signal};

pub(crate) use ear::Ear;

/// The world of a component under test.
pub(crate) fn environment(id: &str, signal: Option<Signal>) -> Environment {
    Environment {
        id: id.parse::<ComponentId>().unwrap(),
        signal,
        clock: Clock,
        scope: Scope::root("test"),
        metrics: Registry::default(),
        health: Health::default(),
        tracer: Tracer::default(),
        budget: Budget::root("test", 1 << 30),
        network: Network::default(),
        data_dir: std::env::temp_dir(),
        extensions: Extensions::default(),
    }
}

/// The blueprint that `factory` reads from `yaml`, or its problems, a line each.
pub(crate) fn parse(factory: &Factory, yaml: &str) -> Result<Blueprint, String> {
    let described = |problems: Vec<config::Problem>| {
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let section = Section::from_yaml(yaml).map_err(described)?;
    (factory.parse)(&section, &Gates::default()).map_err(described)
}

/// Holds that `yaml` is accepted when `expected` is empty, else refused with all of its words.
pub(crate) fn check_config(factory: &Factory, yaml: &str, expected: &[&str]) {
    match (parse(factory, yaml), expected) {
        (Ok(_), []) => {}
        (Ok(_), _) => panic!("accepted, expected {expected:?}:\n{yaml}"),
        (Err(problems), []) => panic!("refused:\n{yaml}\n{problems}"),
        (Err(problems), _) => {
            for words in expected {
                assert!(problems.contains(words), "`{words}` not in:\n{problems}\n{yaml}");
            }
        }
    }
}

/// The processor that `factory` makes from `yaml`, in front of what it hands on.
pub(crate) fn processor(
    factory: &Factory,
    yaml: &str,
    signal: Signal,
) -> (Arc<dyn Consumer>, Arc<Capture>) {
    let Blueprint::Processor(blueprint) = parse(factory, yaml).unwrap() else {
        panic!("not a processor")
    };
    let capture = Arc::new(Capture::default());
    let next = Outlet::to(capture.clone());
    let built = blueprint.build(environment(factory.name, Some(signal)), next).unwrap();
    (built.consumer, capture)
}

/// Keeps what it gets and answers it as delivered.
#[derive(Debug, Default)]
pub(crate) struct Capture {
    payloads: Mutex<Vec<Payload>>,
}

impl Capture {
    /// What arrived since the last call.
    pub(crate) fn take(&self) -> Vec<Payload> {
        std::mem::take(&mut self.payloads.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The only payload that arrived, decoded.
    pub(crate) fn only<M: Message + Default>(&self) -> M {
        let payloads = self.take();
        assert_eq!(payloads.len(), 1);
        M::decode(payloads[0].to_bytes()).unwrap()
    }
}

impl Consumer for Capture {
    fn reserve(&self, _need: &Need<'_>) -> Result<Reservation, Refusal> {
        Ok(Reservation::Nothing)
    }

    fn commit(&self, envelope: Envelope, _reservation: Reservation) {
        self.payloads.lock().unwrap().push(envelope.payload.clone());
        envelope.answer_all(&Verdict::Delivered);
    }
}

/// An envelope of one caller that waits for 10 s.
pub(crate) fn envelope(payload: Payload, context: Context) -> (Envelope, Waiter) {
    let (mut envelope, waiter) = Envelope::of_one(payload, Clock.now() + Duration::from_secs(10));
    envelope.context = context;
    envelope.contributors[0].waiting = Waiting::Open;
    (envelope, waiter)
}

/// Hands `payload` to `consumer` and gives the answer.
pub(crate) async fn deliver(consumer: &dyn Consumer, payload: Payload) -> Answer {
    deliver_from(consumer, payload, Context::default()).await
}

/// Hands `payload` of a client to `consumer` and gives the answer.
pub(crate) async fn deliver_from(
    consumer: &dyn Consumer,
    payload: Payload,
    context: Context,
) -> Answer {
    let (envelope, waiter) = envelope(payload, context);
    pipeline::consume(consumer, envelope);
    waiter.wait().await.expect("answered").answer()
}

/// A request as a payload.
pub(crate) fn payload<R: Request>(request: &R) -> Payload {
    Payload::parse(R::SIGNAL, Bytes::from(request.encode_to_vec())).unwrap()
}

/// Export requests by signal.
pub(crate) trait Request: Message + Default {
    const SIGNAL: Signal;
}

impl Request for ExportLogsServiceRequest {
    const SIGNAL: Signal = Signal::Logs;
}

impl Request for ExportTraceServiceRequest {
    const SIGNAL: Signal = Signal::Traces;
}

impl Request for ExportMetricsServiceRequest {
    const SIGNAL: Signal = Signal::Metrics;
}

impl Request for ExportProfilesServiceRequest {
    const SIGNAL: Signal = Signal::Profiles;
}

/// One resource and one scope with a log record for each of `bodies`.
pub(crate) fn logs_of(bodies: &[&str]) -> ExportLogsServiceRequest {
    let record = |body: &&str| LogRecord { body: Some(string(body)), ..LogRecord::default() };
    let log_records = bodies.iter().map(record).collect();
    let scope_logs = vec![ScopeLogs { log_records, ..ScopeLogs::default() }];
    let resource_logs = vec![ResourceLogs { scope_logs, ..ResourceLogs::default() }];
    ExportLogsServiceRequest { resource_logs }
}

/// A string as a value.
pub(crate) fn string(text: &str) -> AnyValue {
    AnyValue { value: Some(any_value::Value::StringValue(text.to_owned())) }
}

/// An attribute with a string value.
pub(crate) fn attribute(key: &str, text: &str) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(string(text)), ..KeyValue::default() }
}
