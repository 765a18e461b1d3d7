//! Telemetry: the figures and log lines of one road, under the names that operators know.

mod exporter;
mod processor;
mod rejections;

use std::sync::Arc;

use pipeline::{Code, Environment, Outcome, Status, Verdict};
use runtime::clock::Clock;
use runtime::metrics::{Counter, Labels};
use wire::{Payload, Signal};

use self::exporter::ExporterSeries;
use self::processor::ProcessorSeries;
use self::rejections::Rejections;
use super::load::Source;
use crate::Destination;
use crate::engine::{Engine, Note, Start, Urgency, remedy};
use crate::settings::Settings;

/// Upper bounds of item counts, as upstream.
const SIZE_BOUNDS: &[u64] = &[
    10, 25, 50, 75, 100, 250, 500, 750, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000,
    10_000, 20_000, 30_000, 50_000, 100_000,
];

/// Upper bounds of sizes in bytes, as upstream: powers of two.
const BYTES_BOUNDS: &[u64] = &[
    1 << 7,
    1 << 8,
    1 << 9,
    1 << 10,
    1 << 11,
    1 << 12,
    1 << 13,
    1 << 14,
    1 << 15,
    1 << 16,
    1 << 17,
    1 << 18,
    1 << 19,
    1 << 20,
    1 << 21,
    1 << 22,
    1 << 23,
    1 << 24,
];

/// An event whose level is known when it is told.
macro_rules! told_at {
    ($urgency:expr, $($fields:tt)+) => {
        match $urgency {
            Urgency::Warning => tracing::warn!($($fields)+),
            Urgency::News => tracing::info!($($fields)+),
            Urgency::Known => tracing::debug!($($fields)+),
        }
    };
}

/// The series of one road. Clones write to the same series.
#[derive(Clone)]
pub(super) struct Telemetry {
    series: Arc<Series>,
}

struct Series {
    id: String,
    clock: Clock,
    edge: Edge,
    rejections: Rejections,
    withdrawn: Counter,
    unknown: Counter,
    expired: Counter,
}

/// What upstream knows the road as.
enum Edge {
    Exporter(Box<ExporterSeries>),
    Processor(ProcessorSeries),
}

impl Telemetry {
    pub(super) fn of_exporter(
        env: &Environment,
        settings: &Settings,
        destination: &impl Destination,
    ) -> Self {
        let series = ExporterSeries::new(env, settings, destination);
        Self::new(env, vec![("exporter", env.id.to_string())], Edge::Exporter(Box::new(series)))
    }

    pub(super) fn of_processor(env: &Environment) -> Self {
        let labels = vec![("processor", env.id.to_string())];
        let series = ProcessorSeries::new(env, &labels);
        Self::new(env, labels, Edge::Processor(series))
    }

    fn new(env: &Environment, labels: Labels, edge: Edge) -> Self {
        let counter = |name, about| env.metrics.counter(name, about, labels.clone());
        let series = Series {
            id: env.id.to_string(),
            clock: env.clock,
            edge,
            rejections: Rejections::default(),
            withdrawn: counter(
                "tidegate_delivery_withdrawn_items",
                "Items whose caller left before they were sent; they were not sent.",
            ),
            unknown: counter(
                "tidegate_delivery_unknown_items",
                "Items that may or may not have been delivered.",
            ),
            expired: counter(
                "tidegate_delivery_expired_items",
                "Items that were not accepted in the longest time that they may be tried.",
            ),
        };
        Self { series: Arc::new(series) }
    }

    /// A request was taken over.
    pub(super) fn enqueued(&self, payload: &Payload) {
        if let Edge::Exporter(exporter) = &self.series.edge {
            exporter.enqueued(payload);
        }
    }

    pub(super) fn enqueue_failed(&self, signal: Signal, items: usize) {
        if let Edge::Exporter(exporter) = &self.series.edge {
            exporter.enqueue_failed(signal, items);
        }
    }

    pub(super) fn gauge(&self, engine: &Engine) {
        match &self.series.edge {
            Edge::Exporter(exporter) => exporter.gauge(engine),
            Edge::Processor(processor) => processor.gauge(engine),
        }
    }

    /// A batch is sent for the first time.
    pub(super) fn started(&self, start: &Start, sources: &[Source]) {
        let Some(cut) = start.cut else { return };
        match &self.series.edge {
            Edge::Exporter(exporter) => exporter.started(start.items, sources),
            Edge::Processor(processor) => processor.started(cut, start.items, sources),
        }
    }

    pub(super) fn answered(&self, signal: Signal, outcome: &Outcome, withdrawn: usize) {
        self.series.withdrawn.add(withdrawn as u64);
        for (range, verdict) in &outcome.parts {
            if matches!(verdict, Verdict::Unknown(_)) {
                self.series.unknown.add(range.len() as u64);
            }
        }
        if let Edge::Exporter(exporter) = &self.series.edge {
            exporter.answered(signal, outcome, withdrawn);
        }
    }

    pub(super) fn note(&self, note: &Note) {
        let id = self.series.id.as_str();
        match note {
            Note::WillRetry { what, interval, status, items, urgency } => told_at!(
                *urgency,
                component = id,
                partition = %what,
                error = %status,
                interval = ?interval,
                items,
                advice = advice(*urgency, status.code),
                "Exporting failed. Will retry the request after interval."
            ),
            Note::Resumed { what } => {
                tracing::info!(component = id, partition = %what, "Exporting succeeds again.");
            }
            Note::GaveUp { status, items, is_owed: true } => tracing::error!(
                component = id,
                error = %status,
                dropped_items = items,
                "Exporting failed. Dropping data."
            ),
            Note::GaveUp { status, items, is_owed: false } => self.tell_rejected(status, *items),
            Note::Expired { items } => self.series.expired.add(*items as u64),
            Note::NotRead { status, is_final: true } => tracing::error!(
                component = id,
                error = %status,
                "What is stored is damaged; nothing behind the damage is sent. Repair the journal."
            ),
            Note::NotRead { status, is_final: false } => tracing::warn!(
                component = id,
                error = %status,
                "Reading what is stored failed. Will try again."
            ),
            Note::NotBuried { status } => tracing::warn!(
                component = id,
                error = %status,
                "Recording a refusal failed. Will try again."
            ),
            Note::PartialSuccess { rejected, warning } => tracing::warn!(
                component = id,
                warning = %warning,
                dropped_items = rejected,
                "Partial success response"
            ),
        }
    }
}

impl Telemetry {
    fn tell_rejected(&self, status: &Status, items: usize) {
        let Series { id, clock, rejections, .. } = &*self.series;
        if let Some(rejected_items) = rejections.note(items, clock.now()) {
            tracing::warn!(
                component = id,
                error = %status,
                rejected_items,
                "Exporting failed. Rejecting data."
            );
        }
    }
}

/// What someone is to do about a failure, if that is needed.
fn advice(urgency: Urgency, code: Code) -> Option<&'static str> {
    let lasting =
        "it has failed for a minute: see whether the destination works and can be reached";
    (urgency == Urgency::Warning).then(|| remedy(code).unwrap_or(lasting))
}

fn as_gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// What a batch has in bytes.
fn bytes_of(sources: &[Source]) -> u64 {
    sources.iter().map(|source| source.payload.select(&source.ranges).bytes_len() as u64).sum()
}
