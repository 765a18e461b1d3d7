//! Metrics: counters, gauges and histograms that cost one atomic operation.
//!
//! Owner of the series: the [`Registry`]. Bounds: series are made at start, never per request.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Label names and values of one series.
pub type Labels = Vec<(&'static str, String)>;

/// A number that only grows.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// Adds `count`.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// The sum so far.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that goes up and down.
#[derive(Clone, Debug, Default)]
pub struct Gauge(Arc<AtomicI64>);

impl Gauge {
    /// Replaces the value.
    pub fn set(&self, value: i64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// Adds `difference`.
    pub fn add(&self, difference: i64) {
        self.0.fetch_add(difference, Ordering::Relaxed);
    }

    /// The value now.
    #[must_use]
    pub fn value(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counts of values by upper bound.
#[derive(Clone, Debug)]
pub struct Histogram(Arc<Buckets>);

#[derive(Debug)]
struct Buckets {
    bounds: &'static [u64],
    counts: Vec<AtomicU64>,
    sum: AtomicU64,
}

impl Histogram {
    /// Counts `value`.
    pub fn record(&self, value: u64) {
        let at = self.0.bounds.partition_point(|bound| *bound < value);
        self.0.counts[at].fetch_add(1, Ordering::Relaxed);
        self.0.sum.fetch_add(value, Ordering::Relaxed);
    }
}

/// All series of one process. Clones are the same registry.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    families: Arc<Mutex<BTreeMap<&'static str, Family>>>,
}

#[derive(Debug)]
#[expect(dead_code, reason = "printed by the exposition, which is being written")]
struct Family {
    about: &'static str,
    series: BTreeMap<Labels, Series>,
}

#[derive(Clone, Debug)]
enum Series {
    Counter(Counter),
    Gauge(Gauge),
    Histogram(Histogram),
}

impl Registry {
    /// The counter of this name and labels, made at the first call.
    #[must_use]
    pub fn counter(&self, name: &'static str, about: &'static str, labels: Labels) -> Counter {
        match self.series(name, about, labels, || Series::Counter(Counter::default())) {
            Series::Counter(counter) => counter,
            _ => Counter::default(),
        }
    }

    /// The gauge of this name and labels, made at the first call.
    #[must_use]
    pub fn gauge(&self, name: &'static str, about: &'static str, labels: Labels) -> Gauge {
        match self.series(name, about, labels, || Series::Gauge(Gauge::default())) {
            Series::Gauge(gauge) => gauge,
            _ => Gauge::default(),
        }
    }

    /// The histogram of this name and labels, made at the first call.
    #[must_use]
    pub fn histogram(
        &self,
        name: &'static str,
        about: &'static str,
        labels: Labels,
        bounds: &'static [u64],
    ) -> Histogram {
        let empty = || {
            let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
            Histogram(Arc::new(Buckets { bounds, counts, sum: AtomicU64::new(0) }))
        };
        match self.series(name, about, labels, || Series::Histogram(empty())) {
            Series::Histogram(histogram) => histogram,
            _ => empty(),
        }
    }

    fn series(
        &self,
        name: &'static str,
        about: &'static str,
        labels: Labels,
        make: impl FnOnce() -> Series,
    ) -> Series {
        let mut families = self.families.lock().unwrap_or_else(PoisonError::into_inner);
        let family =
            families.entry(name).or_insert_with(|| Family { about, series: BTreeMap::new() });
        family.series.entry(labels).or_insert_with(make).clone()
    }
}
