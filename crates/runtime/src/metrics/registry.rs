//! Registry: all series of one process.
//!
//! Owner of the series. Bounds: [`SERIES_MAX`] of a family; what comes beyond shares one overflow
//! series, and is counted. Computed values are read at each scrape, with no lock held.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::exposition::{self, Exposition, Resource};
use super::{Counter, Gauge, Histogram, Kind, Labels, Reading, Snapshot, Unit};

/// How many series a family has at most.
pub const SERIES_MAX: usize = 2_000;

/// All series of one process. Clones are the same registry.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    families: Arc<Mutex<BTreeMap<&'static str, Family>>>,
    is_detailed: bool,
}

#[derive(Debug)]
struct Family {
    about: &'static str,
    kind: Kind,
    unit: Option<Unit>,
    series: BTreeMap<Labels, Series>,
}

#[derive(Clone)]
enum Series {
    Counter(Counter),
    Gauge(Gauge),
    Histogram(Histogram),
    Computed(Arc<dyn Fn() -> f64 + Send + Sync>),
}

/// The name and text of a family, and which of its series is asked for.
struct Place {
    name: &'static str,
    about: &'static str,
    kind: Kind,
    labels: Labels,
}

const REFUSED: &str = "tidegate_metrics_series_refused";
const REFUSED_ABOUT: &str =
    "Number of times a family of metrics had too many series for a new one.";

impl Registry {
    /// A registry for what is measured at some cost, too.
    #[must_use]
    pub fn detailed() -> Self {
        Self { is_detailed: true, ..Self::default() }
    }

    /// Whether to measure what most operators do not look at.
    #[must_use]
    pub fn is_detailed(&self) -> bool {
        self.is_detailed
    }

    /// The counter of this name and labels, made at the first call.
    #[must_use]
    pub fn counter(&self, name: &'static str, about: &'static str, labels: Labels) -> Counter {
        let place = Place { name, about, kind: Kind::Counter, labels };
        match self.series(place, || Series::Counter(Counter::default())) {
            Series::Counter(counter) => counter,
            _ => mismatched(name),
        }
    }

    /// The gauge of this name and labels, made at the first call.
    #[must_use]
    pub fn gauge(&self, name: &'static str, about: &'static str, labels: Labels) -> Gauge {
        let place = Place { name, about, kind: Kind::Gauge, labels };
        match self.series(place, || Series::Gauge(Gauge::default())) {
            Series::Gauge(gauge) => gauge,
            _ => mismatched(name),
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
        debug_assert!(bounds.is_sorted(), "buckets are looked up by bisection");
        let place = Place { name, about, kind: Kind::Histogram, labels };
        match self.series(place, || Series::Histogram(Histogram::new(bounds))) {
            Series::Histogram(histogram) => histogram,
            _ => {
                report_mismatch(name);
                Histogram::new(bounds)
            }
        }
    }

    /// Shows a histogram that somebody made; it replaces the one before.
    pub fn show_histogram(
        &self,
        name: &'static str,
        about: &'static str,
        labels: Labels,
        histogram: &Histogram,
    ) {
        let place = Place { name, about, kind: Kind::Histogram, labels };
        self.replace(place, Series::Histogram(histogram.clone()));
    }

    /// A gauge whose value `compute` gives at each scrape; it replaces the one before.
    pub fn gauge_fn(
        &self,
        name: &'static str,
        about: &'static str,
        labels: Labels,
        compute: impl Fn() -> f64 + Send + Sync + 'static,
    ) {
        let place = Place { name, about, kind: Kind::Gauge, labels };
        self.replace(place, Series::Computed(Arc::new(compute)));
    }

    /// A counter whose sum `compute` gives at each scrape; it replaces the one before.
    pub fn counter_fn(
        &self,
        name: &'static str,
        about: &'static str,
        labels: Labels,
        compute: impl Fn() -> f64 + Send + Sync + 'static,
    ) {
        let place = Place { name, about, kind: Kind::Counter, labels };
        self.replace(place, Series::Computed(Arc::new(compute)));
    }

    /// Says what a family, which exists already, measures in.
    pub fn set_unit(&self, name: &'static str, unit: Unit) {
        if let Some(family) = self.families().get_mut(name) {
            family.unit = Some(unit);
        }
    }

    /// Removes all series that carry this label: the component that it names has ended.
    pub fn remove(&self, label: &str, value: &str) {
        let carries =
            |labels: &Labels| labels.iter().any(|(name, of)| *name == label && of == value);
        let mut removed = Vec::new();
        let mut families = self.families();
        families.retain(|_, family| {
            removed.extend(family.series.extract_if(.., |labels, _| carries(labels)));
            !family.series.is_empty()
        });
        // A computed series may own anything; it is dropped without the lock.
        drop(families);
    }

    /// All values now, in the order of names and labels.
    #[must_use]
    pub fn snapshot(&self) -> Vec<Snapshot> {
        self.copied().into_iter().map(|(name, family)| family.snapshot(name)).collect()
    }

    /// All values now, as Prometheus reads them.
    #[must_use]
    pub fn exposition(&self, resource: &Resource, exposition: Exposition) -> String {
        exposition::text(&self.snapshot(), resource, exposition)
    }

    fn replace(&self, place: Place, series: Series) {
        let name = place.name;
        let labels = sorted(place.labels.clone());
        self.series(place, || series.clone());
        let mut families = self.families();
        let Some(slot) = families.get_mut(name).and_then(|family| family.series.get_mut(&labels))
        else {
            return;
        };
        let replaced = std::mem::replace(slot, series);
        drop(families);
        drop(replaced);
    }

    fn series(&self, place: Place, make: impl FnOnce() -> Series) -> Series {
        let Place { name, about, kind, labels } = place;
        let labels = sorted(labels);
        let mut families = self.families();
        let family = families.entry(name).or_insert_with(|| Family::new(about, kind));
        if family.kind != kind {
            drop(families);
            // It counts for its holder, and is not shown.
            report_mismatch(name);
            return make();
        }
        if family.series.len() < SERIES_MAX || family.series.contains_key(&labels) {
            return family.series.entry(labels).or_insert_with(make).clone();
        }
        let overflow = vec![("otel_metric_overflow", "true".to_owned())];
        let shared = family.series.entry(overflow).or_insert_with(make).clone();
        let refused = families
            .entry(REFUSED)
            .or_insert_with(|| Family::new(REFUSED_ABOUT, Kind::Counter))
            .series
            .entry(vec![("metric", name.to_owned())])
            .or_insert_with(|| Series::Counter(Counter::default()));
        if let Series::Counter(refused) = refused {
            refused.add(1);
        }
        shared
    }

    /// The families with handles to their series: nothing is computed under the lock.
    fn copied(&self) -> Vec<(&'static str, Family)> {
        self.families().iter().map(|(name, family)| (*name, family.copied())).collect()
    }

    fn families(&self) -> MutexGuard<'_, BTreeMap<&'static str, Family>> {
        self.families.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Family {
    fn new(about: &'static str, kind: Kind) -> Self {
        Self { about, kind, unit: None, series: BTreeMap::new() }
    }

    fn copied(&self) -> Self {
        let Self { about, kind, unit, ref series } = *self;
        Self { about, kind, unit, series: series.clone() }
    }

    fn snapshot(self, name: &'static str) -> Snapshot {
        let Self { about, kind, unit, series } = self;
        let series = series.into_iter().map(|(labels, series)| (labels, series.reading()));
        Snapshot { name, about, kind, unit, series: series.collect() }
    }
}

impl Series {
    fn reading(&self) -> Reading {
        match self {
            Self::Counter(counter) => Reading::Integer(counter.value().into()),
            Self::Gauge(gauge) => Reading::Integer(gauge.value().into()),
            Self::Histogram(histogram) => histogram.reading(),
            Self::Computed(compute) => Reading::Number(compute()),
        }
    }
}

impl fmt::Debug for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Computed(_) => f.write_str("Computed"),
            _ => self.reading().fmt(f),
        }
    }
}

fn sorted(mut labels: Labels) -> Labels {
    labels.sort_unstable();
    labels.dedup_by_key(|(name, _)| *name);
    labels
}

fn mismatched<T: Default>(name: &'static str) -> T {
    report_mismatch(name);
    T::default()
}

fn report_mismatch(name: &'static str) {
    tracing::error!(name, "A metric is used as two different kinds; one of them is not shown.");
}

#[cfg(test)]
mod tests;
