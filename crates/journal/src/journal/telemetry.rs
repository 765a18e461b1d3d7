//! Telemetry: how a journal stands, as metrics.

use std::sync::Arc;

use runtime::metrics::{Labels, Registry, Unit};

use super::{Journal, State, Usage};

impl Journal {
    /// Adds its series under `labels`; who removes the labels removes them.
    pub fn register(&self, registry: &Registry, labels: &Labels) {
        let state = &self.shared.state;
        for (name, about, value) in GAUGES {
            let (state, value) = (Arc::clone(state), *value);
            registry.gauge_fn(name, about, labels.clone(), move || value(&state.usage()));
        }
        for (name, about, value) in COUNTERS {
            let (state, value) = (Arc::clone(state), *value);
            registry.counter_fn(name, about, labels.clone(), move || value(&state));
        }
        let (name, about) =
            ("tidegate_journal_sync_duration", "How long the disk took for a sync.");
        registry.show_histogram(name, about, labels.clone(), &state.counts.sync_took);
        registry.set_unit(name, Unit::Seconds);
    }
}

type Gauges = &'static [(&'static str, &'static str, fn(&Usage) -> f64)];

const GAUGES: Gauges = &[
    ("tidegate_journal_used_bytes", "Disk that a journal uses.", |usage| usage.bytes as f64),
    ("tidegate_journal_limit_bytes", "Disk that a journal may use.", |usage| {
        usage.bytes_max as f64
    }),
    ("tidegate_journal_live_bytes", "Stored records that are not done with, in bytes.", |usage| {
        usage.live_bytes as f64
    }),
    ("tidegate_journal_live_records", "Stored records that are not done with.", |usage| {
        usage.live_records as f64
    }),
    ("tidegate_journal_segments", "Files of a journal.", |usage| usage.segments as f64),
    ("tidegate_journal_full", "1 while a journal refuses records for lack of room.", |usage| {
        f64::from(u8::from(usage.is_full))
    }),
    (
        "tidegate_journal_hangs_seconds",
        "How long the disk has hung; 0 while it does not.",
        |usage| usage.hang.map_or(0.0, |hang| hang.age.as_secs_f64()),
    ),
    (
        "tidegate_journal_lacks_bytes",
        "What must become free on the disk before data is taken; 0 while it is.",
        |usage| usage.lacks_bytes as f64,
    ),
    ("tidegate_journal_damaged_streams", "Streams that stop at a damaged record.", |usage| {
        usage.damage.len() as f64
    }),
];

type Counters = &'static [(&'static str, &'static str, fn(&State) -> f64)];

const COUNTERS: Counters = &[
    ("tidegate_journal_appended_records", "Records that were stored.", |state| {
        state.counts.appended.value() as f64
    }),
    ("tidegate_journal_refused_records", "Records that were not stored.", |state| {
        state.counts.refused.value() as f64
    }),
    ("tidegate_journal_groups", "Groups of records that were made durable together.", |state| {
        state.counts.groups.value() as f64
    }),
    ("tidegate_journal_poisoned_segments", "Segments given up because the disk failed.", |state| {
        state.counts.poisoned.value() as f64
    }),
    ("tidegate_journal_compacted_segments", "Segments emptied to give their room back.", |state| {
        state.counts.compacted.value() as f64
    }),
];
