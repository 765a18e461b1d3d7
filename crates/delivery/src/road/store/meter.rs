//! Meter: how a queue's journal stands, as metrics.

use journal::Usage;
use pipeline::Environment;
use runtime::metrics::Gauge;

#[derive(Clone)]
pub(in crate::road) struct Meter {
    bytes: Gauge,
    bytes_max: Gauge,
    entries: Gauge,
    damaged: Gauge,
}

impl Meter {
    pub(in crate::road) fn new(env: &Environment) -> Self {
        let labels = || vec![("exporter", env.id.to_string())];
        let gauge = |name, about| env.metrics.gauge(name, about, labels());
        Self {
            bytes: gauge(
                "tidegate_exporter_journal_bytes",
                "What the journal of the sending queue takes on disk, in bytes.",
            ),
            bytes_max: gauge(
                "tidegate_exporter_journal_bytes_max",
                "What the journal of the sending queue may take on disk, in bytes.",
            ),
            entries: gauge(
                "tidegate_exporter_journal_entries",
                "Requests that the journal of the sending queue keeps.",
            ),
            damaged: gauge(
                "tidegate_exporter_journal_damaged_streams",
                "Streams of the journal that are not read any more because of damage.",
            ),
        }
    }

    pub(super) fn note(&self, usage: &Usage) {
        let as_gauge = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        self.bytes.set(as_gauge(usage.bytes));
        self.bytes_max.set(as_gauge(usage.bytes_max));
        self.entries.set(as_gauge(usage.live_records));
        self.damaged.set(as_gauge(usage.damage.len() as u64));
    }
}

impl std::fmt::Debug for Meter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Meter")
    }
}
