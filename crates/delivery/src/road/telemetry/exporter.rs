//! The series of an exporter.
//!
//! At level `detailed`, failures carry what kind they were, and requests are measured in bytes.

use pipeline::{Code, Environment, Outcome, Status, Verdict};
use runtime::metrics::{Counter, Gauge, Histogram, Labels, Registry};
use wire::{Payload, Signal};

use super::{BYTES_BOUNDS, SIZE_BOUNDS, as_gauge, bytes_of};
use crate::Destination;
use crate::engine::Engine;
use crate::road::load::Source;
use crate::settings::Settings;

const SENT: [&str; 4] = [
    "otelcol_exporter_sent_log_records",
    "otelcol_exporter_sent_spans",
    "otelcol_exporter_sent_metric_points",
    "otelcol_exporter_sent_profile_samples",
];
const SEND_FAILED: [&str; 4] = [
    "otelcol_exporter_send_failed_log_records",
    "otelcol_exporter_send_failed_spans",
    "otelcol_exporter_send_failed_metric_points",
    "otelcol_exporter_send_failed_profile_samples",
];
const ENQUEUE_FAILED: [&str; 4] = [
    "otelcol_exporter_enqueue_failed_log_records",
    "otelcol_exporter_enqueue_failed_spans",
    "otelcol_exporter_enqueue_failed_metric_points",
    "otelcol_exporter_enqueue_failed_profile_samples",
];

pub(super) struct ExporterSeries {
    signals: [PerSignal; Signal::ALL.len()],
    /// What the queue holds; 0 without one.
    queue_size: Option<Gauge>,
    in_flight: Gauge,
    enqueued: Option<Sizes>,
    batch_items: Option<Histogram>,
    batch_bytes: Option<Histogram>,
}

struct PerSignal {
    sent: Counter,
    send_failed: Failures,
    enqueue_failed: Counter,
}

/// Items that could not be sent.
enum Failures {
    Counted(Counter),
    /// Each kind of failure has a series.
    Told {
        registry: Registry,
        name: &'static str,
        labels: Labels,
    },
}

/// Sizes of requests.
struct Sizes {
    items: Histogram,
    bytes: Histogram,
}

impl ExporterSeries {
    pub(super) fn new(
        env: &Environment,
        settings: &Settings,
        destination: &impl Destination,
    ) -> Self {
        let metrics = &env.metrics;
        let labels = vec![("exporter", env.id.to_string())];
        let queue = settings.queue.as_ref();
        let gauge = |name, about| metrics.gauge(name, about, labels.clone());
        let histogram =
            |name, about, bounds| metrics.histogram(name, about, labels.clone(), bounds);
        let capacity = gauge(
            "otelcol_exporter_queue_capacity",
            "Fixed capacity of the sending queue, in units of its sizer; 0 without a queue.",
        );
        capacity.set(as_gauge(queue.map_or(0, |queue| queue.queue_size)));
        let queue_size = gauge(
            "otelcol_exporter_queue_size",
            "What the sending queue holds, in units of its sizer; 0 without a queue.",
        );
        let in_flight = gauge(
            "otelcol_exporter_in_flight_requests",
            "Exports under way or waiting to be tried again.",
        );
        let enqueued = queue.filter(|_| metrics.is_detailed()).map(|_| Sizes {
            items: histogram(
                "otelcol_exporter_enqueue_size",
                "Number of items in an enqueued request.",
                SIZE_BOUNDS,
            ),
            bytes: histogram(
                "otelcol_exporter_enqueue_size_bytes",
                "Number of bytes in an enqueued request.",
                BYTES_BOUNDS,
            ),
        });
        let batch = queue.and_then(|queue| queue.batch.as_ref());
        let batch_items = batch.map(|_| {
            let about = "Number of items in the sent batch.";
            histogram("otelcol_exporter_queue_batch_send_size", about, SIZE_BOUNDS)
        });
        let batch_bytes = batch.filter(|_| metrics.is_detailed()).map(|_| {
            let about = "Number of bytes in the sent batch.";
            histogram("otelcol_exporter_queue_batch_send_size_bytes", about, BYTES_BOUNDS)
        });
        let signals = Signal::ALL.map(|signal| {
            let place = destination.labels(signal);
            PerSignal::new(metrics, signal, [labels.clone(), place].concat())
        });
        let queue_size = queue.map(|_| queue_size);
        Self { signals, queue_size, in_flight, enqueued, batch_items, batch_bytes }
    }

    pub(super) fn enqueued(&self, payload: &Payload) {
        if let Some(Sizes { items, bytes }) = &self.enqueued {
            items.record(payload.items() as u64);
            bytes.record(payload.bytes_len() as u64);
        }
    }

    pub(super) fn enqueue_failed(&self, signal: Signal, items: usize) {
        self.signals[signal as usize].enqueue_failed.add(items as u64);
    }

    pub(super) fn gauge(&self, engine: &Engine) {
        if let Some(queue_size) = &self.queue_size {
            queue_size.set(as_gauge(engine.queue_used()));
        }
        self.in_flight.set(as_gauge(engine.in_flight()));
    }

    pub(super) fn started(&self, items: usize, sources: &[Source]) {
        if let Some(histogram) = &self.batch_items {
            histogram.record(items as u64);
        }
        if let Some(histogram) = &self.batch_bytes {
            histogram.record(bytes_of(sources));
        }
    }

    /// Counts what became of a caller's items; those that were withdrawn did not fail.
    pub(super) fn answered(&self, signal: Signal, outcome: &Outcome, withdrawn: usize) {
        let series = &self.signals[signal as usize];
        let mut withdrawn = withdrawn as u64;
        for (range, verdict) in &outcome.parts {
            let items = range.len() as u64;
            let (status, is_permanent) = match verdict {
                Verdict::Delivered => {
                    series.sent.add(items);
                    continue;
                }
                Verdict::Refused(status) => (status, true),
                Verdict::Unknown(status) | Verdict::RetryAfter { status, .. } => (status, false),
            };
            let not_failed = withdrawn.min(items);
            withdrawn -= not_failed;
            series.send_failed.add(items - not_failed, status, is_permanent);
        }
    }
}

impl PerSignal {
    fn new(metrics: &Registry, signal: Signal, labels: Labels) -> Self {
        let counter = |names: [&'static str; 4], about| {
            metrics.counter(names[signal as usize], about, labels.clone())
        };
        Self {
            sent: counter(SENT, "Items successfully sent to the destination."),
            enqueue_failed: counter(ENQUEUE_FAILED, "Items that were refused for lack of room."),
            send_failed: Failures::new(metrics, SEND_FAILED[signal as usize], labels),
        }
    }
}

impl Failures {
    const ABOUT: &str = "Items that could not be sent to the destination.";

    fn new(metrics: &Registry, name: &'static str, labels: Labels) -> Self {
        if metrics.is_detailed() {
            Self::Told { registry: metrics.clone(), name, labels }
        } else {
            Self::Counted(metrics.counter(name, Self::ABOUT, labels))
        }
    }

    fn add(&self, items: u64, status: &Status, is_permanent: bool) {
        if items == 0 {
            return;
        }
        match self {
            Self::Counted(counter) => counter.add(items),
            Self::Told { registry, name, labels } => {
                let kind = [
                    ("error.type", error_type(status)),
                    ("error.permanent", is_permanent.to_string()),
                ];
                let labels = labels.iter().cloned().chain(kind).collect();
                registry.counter(name, Self::ABOUT, labels).add(items);
            }
        }
    }
}

/// The name of a code as gRPC spells it in Go, which dashboards know.
fn error_type(status: &Status) -> String {
    match status.code {
        Code::Cancelled => "Canceled".to_owned(),
        Code::Unknown => "_OTHER".to_owned(),
        code => format!("{code:?}"),
    }
}
