//! Metrics: counters, gauges and histograms that cost one atomic operation.
//!
//! Owner of the series: the [`Registry`]; what is here are handles to them and their values.
//! Series are made at start and when a component finds a new peer or lane, never per request.

mod exposition;
mod process;
mod registry;
mod vitals;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

pub use exposition::{Exposition, Resource};
pub use process::register_process;
pub use registry::{Registry, SERIES_MAX};
pub use vitals::{register_budget, register_tasks};

/// Label names and values of one series, in any order.
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
    /// How many of what is recorded make one of what is shown.
    scale: u64,
}

impl Histogram {
    fn new(bounds: &'static [u64]) -> Self {
        Self::scaled(bounds, 1)
    }

    /// Counts of durations, with bounds in microseconds; shown in seconds.
    #[must_use]
    pub fn of_durations(bounds: &'static [u64]) -> Self {
        Self::scaled(bounds, 1_000_000)
    }

    fn scaled(bounds: &'static [u64], scale: u64) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self(Arc::new(Buckets { bounds, counts, sum: AtomicU64::new(0), scale }))
    }

    /// Counts `value`.
    pub fn record(&self, value: u64) {
        let at = self.0.bounds.partition_point(|bound| *bound < value);
        self.0.counts[at].fetch_add(1, Ordering::Relaxed);
        self.0.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// Counts a duration, in microseconds.
    pub fn record_duration(&self, took: Duration) {
        self.record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    /// How many values were recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.counts.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    /// The sum of the values.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.0.sum.load(Ordering::Relaxed)
    }

    fn reading(&self) -> Reading {
        let counts = self.0.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        let Buckets { bounds, scale, .. } = *self.0;
        Reading::Histogram { bounds, counts, sum: self.sum(), scale }
    }
}

/// What a family of series measures in; the spelling with suffixes shows it in the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Bytes,
    Seconds,
    Ratio,
}

/// What the series of a family are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// The value of one series at one moment.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    Number(f64),
    Integer(i128),
    /// `counts` has one element more than `bounds`: the values above the last.
    Histogram {
        bounds: &'static [u64],
        counts: Vec<u64>,
        sum: u64,
        /// Bounds and sum are this many times what is shown.
        scale: u64,
    },
}

/// The series of one name at one moment, in the order of their labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    pub name: &'static str,
    pub about: &'static str,
    pub kind: Kind,
    pub unit: Option<Unit>,
    pub series: Vec<(Labels, Reading)>,
}

#[cfg(test)]
mod tests;
