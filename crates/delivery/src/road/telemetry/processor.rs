//! The series of a `batch` processor.

use pipeline::Environment;
use runtime::metrics::{Counter, Gauge, Histogram, Labels};

use super::{BYTES_BOUNDS, SIZE_BOUNDS, as_gauge, bytes_of};
use crate::engine::{Cut, Engine};
use crate::road::load::Source;

pub(super) struct ProcessorSeries {
    batch_items: Histogram,
    /// Measured at level `detailed`.
    batch_bytes: Option<Histogram>,
    size_trigger: Counter,
    timeout_trigger: Counter,
    other_trigger: Counter,
    cardinality: Gauge,
}

impl ProcessorSeries {
    pub(super) fn new(env: &Environment, labels: &Labels) -> Self {
        let metrics = &env.metrics;
        let counter = |name, about| metrics.counter(name, about, labels.clone());
        let histogram =
            |name, about, bounds| metrics.histogram(name, about, labels.clone(), bounds);
        Self {
            batch_items: histogram(
                "otelcol_processor_batch_batch_send_size",
                "Number of items in the batch.",
                SIZE_BOUNDS,
            ),
            batch_bytes: metrics.is_detailed().then(|| {
                let about = "Number of bytes in the batch.";
                histogram("otelcol_processor_batch_batch_send_size_bytes", about, BYTES_BOUNDS)
            }),
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
            cardinality: metrics.gauge(
                "otelcol_processor_batch_metadata_cardinality",
                "Number of distinct metadata value combinations being processed.",
                labels.clone(),
            ),
        }
    }

    pub(super) fn gauge(&self, engine: &Engine) {
        self.cardinality.set(as_gauge(engine.lanes_len()));
    }

    pub(super) fn started(&self, cut: Cut, items: usize, sources: &[Source]) {
        self.batch_items.record(items as u64);
        if let Some(histogram) = &self.batch_bytes {
            histogram.record(bytes_of(sources));
        }
        match cut {
            Cut::Size => self.size_trigger.add(1),
            Cut::Timer => self.timeout_trigger.add(1),
            Cut::Tail | Cut::Idle | Cut::Full | Cut::Shutdown => self.other_trigger.add(1),
        }
    }
}
