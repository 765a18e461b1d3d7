//! A road with a scripted destination, and requests to send over it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use config::ComponentId;
use pipeline::{
    Answer, Code, Envelope, Extensions, Status, Tracer, Verdict, Waiter, consume, receipt,
};
use runtime::budget::Budget;
use runtime::metrics::{Reading, Registry};
use runtime::net::Network;
use wire::Payload;

use super::super::*;
use crate::settings::{Batch, Halving, Lanes, Queue, Retry, Sizer};
use crate::{Attempt, Reply};

type Script = Box<dyn Fn(&Attempt, usize) -> (Duration, Verdict) + Send + Sync>;

const MEBIBYTE: usize = 1 << 20;

pub(super) fn environment() -> Environment {
    Environment {
        id: ComponentId::of_kind("test"),
        signal: None,
        clock: Clock,
        scope: Scope::root("test"),
        metrics: Registry::default(),
        health: Default::default(),
        tracer: Tracer::default(),
        budget: Budget::root("test", 256 * MEBIBYTE),
        network: Network::default(),
        data_dir: std::path::PathBuf::new(),
        extensions: Extensions::default(),
    }
}

/// A log request of `items` records.
fn logs(items: usize) -> Payload {
    logs_of(&vec![0; items])
}

/// A log request with a record of at least so many bytes each.
fn logs_of(records: &[usize]) -> Payload {
    let body = |bytes: usize| field(5, &field(1, &vec![b'a'; bytes]));
    let record = |bytes: &usize| field(2, &if 0 < *bytes { body(*bytes) } else { Vec::new() });
    let scope: Vec<u8> = records.iter().flat_map(record).collect();
    let resource = field(2, &scope);
    let request = field(1, &resource);
    let payload = Payload::parse(wire::Signal::Logs, request.into()).unwrap();
    assert_eq!(payload.items(), records.len());
    payload
}

fn field(number: u32, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    wire::protobuf::put_bytes_field(&mut out, number, body);
    out
}

/// Answers by `script`, and remembers what it got.
struct Sink {
    sizes: Arc<Mutex<Vec<usize>>>,
    script: Script,
    calls: AtomicUsize,
}

impl Destination for Sink {
    async fn send(&self, attempt: Attempt) -> Reply {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let (takes, verdict) = (self.script)(&attempt, call);
        Clock.sleep(takes).await;
        if verdict == Verdict::Delivered {
            self.sizes.lock().unwrap().push(attempt.payload.items());
        }
        verdict.into()
    }
}

pub(super) struct Bench {
    pub(super) env: Environment,
    pub(super) built: Built,
    pub(super) sizes: Arc<Mutex<Vec<usize>>>,
}

impl Bench {
    pub(super) fn new(
        settings: Settings,
        script: impl Fn(&Attempt, usize) -> (Duration, Verdict) + Send + Sync + 'static,
    ) -> Self {
        Self::within(environment(), settings, script)
    }

    /// A bench in a process that it shares with others.
    pub(super) fn within(
        env: Environment,
        settings: Settings,
        script: impl Fn(&Attempt, usize) -> (Duration, Verdict) + Send + Sync + 'static,
    ) -> Self {
        let sizes = Arc::new(Mutex::new(Vec::new()));
        let sink = Sink {
            sizes: Arc::clone(&sizes),
            script: Box::new(script),
            calls: AtomicUsize::new(0),
        };
        let built = start(&env, settings, sink).unwrap();
        Self { env, built, sizes }
    }

    pub(super) fn send(&self, items: usize, within: Duration) -> (Waiter, Instant) {
        let (envelope, waiter, deadline) = request(items, within);
        consume(self.built.consumer.as_ref(), envelope);
        (waiter, deadline)
    }

    pub(super) async fn answer(&self, items: usize, within: Duration) -> Option<Answer> {
        let (waiter, deadline) = self.send(items, within);
        waiter.wait_until(Clock, deadline).await.map(|outcome| outcome.answer())
    }

    pub(super) fn sizes(&self) -> Vec<usize> {
        self.sizes.lock().unwrap().clone()
    }

    /// The value of a series, once there is one.
    pub(super) fn metric(&self, name: &str) -> Option<f64> {
        let mut families = self.env.metrics.snapshot().into_iter();
        let family = families.find(|family| family.name == name)?;
        match family.series.first()?.1 {
            Reading::Number(value) => Some(value),
            Reading::Integer(value) => Some(value as f64),
            Reading::Histogram { .. } => None,
        }
    }

    /// Waits until `holds`; fails with what is waited for when that takes a minute.
    pub(super) async fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let deadline = Clock.now() + secs(60);
        while !holds() {
            assert!(Clock.now() < deadline, "{what}: {:?}", self.built.component.explain());
            Clock.sleep(millis(1)).await;
        }
    }

    pub(super) async fn close(&self, within: Duration) {
        self.built.component.close(Clock.now() + within).await;
        assert_eq!(self.env.scope.alive(), 0, "no task is left");
        assert_eq!(self.built.component.explain(), Vec::<String>::new(), "nothing waits");
        assert_eq!(receipt::lost_total(), 0, "no answer was forgotten");
        let labels = || vec![("exporter", "test".to_owned())];
        for name in ["otelcol_exporter_queue_size", "otelcol_exporter_in_flight_requests"] {
            assert_eq!(self.env.metrics.gauge(name, "", labels()).value(), 0, "{name}");
        }
    }
}

pub(super) fn request(items: usize, within: Duration) -> (Envelope, Waiter, Instant) {
    request_of(logs(items), within)
}

/// A request with a record of at least so many bytes each.
pub(super) fn request_with(records: &[usize], within: Duration) -> (Envelope, Waiter, Instant) {
    request_of(logs_of(records), within)
}

fn request_of(payload: Payload, within: Duration) -> (Envelope, Waiter, Instant) {
    let deadline = Clock.now() + within;
    let (envelope, waiter) = Envelope::of_one(payload, deadline);
    (envelope, waiter, deadline)
}

pub(super) fn direct() -> Settings {
    Settings {
        timeout: Some(Duration::from_secs(5)),
        retry: Some(Retry { randomization_factor: 0.0, ..Retry::default() }),
        queue: None,
        halving: Halving::Callers,
        lanes: Lanes::default(),
    }
}

pub(super) fn queue() -> Queue {
    Queue {
        num_consumers: 10,
        wait_for_result: true,
        block_on_overflow: false,
        sizer: Sizer::Items,
        queue_size: 100_000,
        batch: None,
        store: None,
    }
}

pub(super) fn batch(min_size: usize, max_size: usize) -> Batch {
    Batch {
        flush_timeout: Some(Duration::from_millis(200)),
        min_size,
        max_size: (0 < max_size).then_some(max_size),
        sizer: Sizer::Items,
    }
}

pub(super) fn batching(min_size: usize, max_size: usize) -> Settings {
    let queue = Queue { batch: Some(batch(min_size, max_size)), ..queue() };
    Settings { queue: Some(queue), ..direct() }
}

pub(super) fn delivered() -> Answer {
    Answer::Delivered { rejected: 0, warning: None }
}

pub(super) fn unavailable(delay: Option<Duration>) -> Verdict {
    Verdict::RetryAfter { delay, status: Status::new(Code::Unavailable, "try later") }
}

pub(super) fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub(super) fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(super) fn at_once(_: &Attempt, _: usize) -> (Duration, Verdict) {
    (Duration::ZERO, Verdict::Delivered)
}
