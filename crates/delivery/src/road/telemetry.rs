//! Telemetry: the figures and log lines of one road, under the names that operators know.

use std::sync::Arc;

use pipeline::{Environment, Outcome, Verdict};
use runtime::metrics::{Counter, Gauge, Histogram, Labels, Registry};
use wire::Signal;

use crate::engine::{Cut, Engine, Note, Start};
use crate::settings::Settings;

/// Upper bounds of item counts, as upstream.
const SIZE_BOUNDS: &[u64] = &[
    10, 25, 50, 75, 100, 250, 500, 750, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000,
    10_000, 20_000, 30_000, 50_000, 100_000,
];

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

/// The series of one road. Clones write to the same series.
#[derive(Clone)]
pub(super) struct Telemetry {
    series: Arc<Series>,
}

struct Series {
    id: String,
    exporter: Option<ExporterSeries>,
    processor: Option<ProcessorSeries>,
    withdrawn: Counter,
    unknown: Counter,
    expired: Counter,
}

struct ExporterSeries {
    sent: [Counter; 4],
    send_failed: [Counter; 4],
    enqueue_failed: [Counter; 4],
    queue_size: Gauge,
    in_flight: Gauge,
    batch_size: Option<Histogram>,
}

struct ProcessorSeries {
    batch_size: Histogram,
    size_trigger: Counter,
    timeout_trigger: Counter,
    other_trigger: Counter,
    cardinality: Gauge,
}

impl Telemetry {
    pub(super) fn of_exporter(env: &Environment, settings: &Settings) -> Self {
        let labels = vec![("exporter", env.id.to_string())];
        let metrics = &env.metrics;
        let queue = settings.queue.as_ref();
        if let Some(queue) = queue {
            let name = "otelcol_exporter_queue_capacity";
            let about = "Fixed capacity of the sending queue, in units of its sizer.";
            let capacity = i64::try_from(queue.queue_size).unwrap_or(i64::MAX);
            metrics.gauge(name, about, labels.clone()).set(capacity);
        }
        let about = "Number of items in the sent batch.";
        let name = "otelcol_exporter_queue_batch_send_size";
        let batch_size = queue
            .and_then(|queue| queue.batch.as_ref())
            .map(|_| metrics.histogram(name, about, labels.clone(), SIZE_BOUNDS));
        let exporter = ExporterSeries {
            sent: per_signal(metrics, SENT, "Items successfully sent to the destination.", &labels),
            send_failed: per_signal(
                metrics,
                SEND_FAILED,
                "Items that could not be sent to the destination.",
                &labels,
            ),
            enqueue_failed: per_signal(
                metrics,
                ENQUEUE_FAILED,
                "Items that were refused for lack of room.",
                &labels,
            ),
            queue_size: metrics.gauge(
                "otelcol_exporter_queue_size",
                "What the sending queue holds, in units of its sizer.",
                labels.clone(),
            ),
            in_flight: metrics.gauge(
                "otelcol_exporter_in_flight_requests",
                "Exports under way or waiting to be tried again.",
                labels.clone(),
            ),
            batch_size,
        };
        Self::new(env, labels, Some(exporter), None)
    }

    pub(super) fn of_processor(env: &Environment) -> Self {
        let labels = vec![("processor", env.id.to_string())];
        let counter = |name, about| env.metrics.counter(name, about, labels.clone());
        let processor = ProcessorSeries {
            batch_size: env.metrics.histogram(
                "otelcol_processor_batch_batch_send_size",
                "Number of items in the batch.",
                labels.clone(),
                SIZE_BOUNDS,
            ),
            size_trigger: counter(
                "otelcol_processor_batch_batch_size_trigger_send",
                "Number of times the batch was sent due to a size trigger.",
            ),
            timeout_trigger: counter(
                "otelcol_processor_batch_timeout_trigger_send",
                "Number of times the batch was sent due to a timeout trigger.",
            ),
            other_trigger: counter(
                "tidegate_processor_batch_early_send",
                "Number of times the batch was sent because no company could come.",
            ),
            cardinality: env.metrics.gauge(
                "otelcol_processor_batch_metadata_cardinality",
                "Number of distinct metadata value combinations being processed.",
                labels.clone(),
            ),
        };
        Self::new(env, labels, None, Some(processor))
    }

    fn new(
        env: &Environment,
        labels: Labels,
        exporter: Option<ExporterSeries>,
        processor: Option<ProcessorSeries>,
    ) -> Self {
        let withdrawn = env.metrics.counter(
            "tidegate_delivery_withdrawn_items",
            "Items whose caller left before they were sent; they were not sent.",
            labels.clone(),
        );
        let unknown = env.metrics.counter(
            "tidegate_delivery_unknown_items",
            "Items that may or may not have been delivered.",
            labels.clone(),
        );
        let expired = env.metrics.counter(
            "tidegate_delivery_expired_items",
            "Items that were not accepted in the longest time that they may be tried.",
            labels,
        );
        let id = env.id.to_string();
        let series = Series { id, exporter, processor, withdrawn, unknown, expired };
        Self { series: Arc::new(series) }
    }

    pub(super) fn enqueue_failed(&self, signal: Signal, items: usize) {
        if let Some(exporter) = &self.series.exporter {
            exporter.enqueue_failed[signal as usize].add(items as u64);
        }
    }

    pub(super) fn gauge(&self, engine: &Engine) {
        let as_gauge = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        if let Some(exporter) = &self.series.exporter {
            exporter.queue_size.set(as_gauge(engine.queue_used()));
            exporter.in_flight.set(as_gauge(engine.in_flight()));
        }
        if let Some(processor) = &self.series.processor {
            processor.cardinality.set(as_gauge(engine.lanes_len()));
        }
    }

    /// A batch is sent for the first time.
    pub(super) fn started(&self, start: &Start) {
        let Some(cut) = start.cut else { return };
        let items = start.items as u64;
        if let Some(histogram) = self.series.exporter.as_ref().and_then(|e| e.batch_size.as_ref()) {
            histogram.record(items);
        }
        if let Some(processor) = &self.series.processor {
            processor.batch_size.record(items);
            match cut {
                Cut::Size => processor.size_trigger.add(1),
                Cut::Timer => processor.timeout_trigger.add(1),
                Cut::Tail | Cut::Idle | Cut::Full | Cut::Shutdown => processor.other_trigger.add(1),
            }
        }
    }

    pub(super) fn answered(&self, signal: Signal, outcome: &Outcome, withdrawn: usize) {
        self.series.withdrawn.add(withdrawn as u64);
        let mut sent = 0;
        let mut failed = 0;
        for (range, verdict) in &outcome.parts {
            let items = range.len() as u64;
            match verdict {
                Verdict::Delivered => sent += items,
                Verdict::Unknown(_) => {
                    failed += items;
                    self.series.unknown.add(items);
                }
                Verdict::Refused(_) | Verdict::RetryAfter { .. } => failed += items,
            }
        }
        if let Some(exporter) = &self.series.exporter {
            exporter.sent[signal as usize].add(sent);
            exporter.send_failed[signal as usize].add(failed.saturating_sub(withdrawn as u64));
        }
    }

    pub(super) fn note(&self, note: &Note) {
        let id = self.series.id.as_str();
        match note {
            Note::WillRetry { interval, status, items } => tracing::info!(
                component = id,
                error = %status,
                interval = ?interval,
                items,
                "Exporting failed. Will retry the request after interval."
            ),
            Note::GaveUp { status, items, is_owed: true } => tracing::error!(
                component = id,
                error = %status,
                dropped_items = items,
                "Exporting failed. Dropping data."
            ),
            Note::GaveUp { status, items, is_owed: false } => tracing::warn!(
                component = id,
                error = %status,
                rejected_items = items,
                "Exporting failed. Rejecting data."
            ),
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
                message = %warning,
                dropped_items = rejected,
                "Partial success response"
            ),
        }
    }
}

fn per_signal(
    metrics: &Registry,
    names: [&'static str; 4],
    about: &'static str,
    labels: &Labels,
) -> [Counter; 4] {
    names.map(|name| metrics.counter(name, about, labels.clone()))
}
