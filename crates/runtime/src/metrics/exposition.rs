//! Exposition: metrics as the text that Prometheus reads (format 0.0.4).
//!
//! Pure. Two spellings: the one of the OpenTelemetry Collector when nothing is configured (bare names,
//! the resource as labels of every series), and the one of an explicit reader (suffixes for counters
//! and units).

use std::fmt::{self, Display, Write};

use super::{Kind, Labels, Reading, Snapshot, Unit};

/// Who exposes the metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resource {
    /// Attribute names and values, such as `service.name`.
    pub attributes: Vec<(String, String)>,
}

/// How names and labels are spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exposition {
    /// Whether names end in `_bytes`, `_seconds`, `_ratio`.
    pub has_units: bool,
    /// Whether names of counters end in `_total`.
    pub has_totals: bool,
    /// Whether every series carries the resource.
    pub has_resource_labels: bool,
}

impl Exposition {
    /// The reader that exists when none is configured.
    pub const IMPLICIT: Self =
        Self { has_units: false, has_totals: false, has_resource_labels: true };
    /// A reader that is written in the configuration.
    pub const EXPLICIT: Self =
        Self { has_units: true, has_totals: true, has_resource_labels: false };
    /// The media type of the text.
    pub const CONTENT_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";
}

/// Writes all of `snapshots`, and `target_info` with the resource.
pub(super) fn text(snapshots: &[Snapshot], resource: &Resource, exposition: Exposition) -> String {
    let mut writer = Writer { text: String::new(), constant: String::new() };
    let target = resource_labels(resource);
    if exposition.has_resource_labels {
        writer.constant = target.clone();
    }
    let mut families: Vec<_> =
        snapshots.iter().map(|snapshot| (full_name(snapshot, exposition), snapshot)).collect();
    families.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (name, snapshot) in families {
        writer.family(&name, snapshot);
    }
    writer.header("target_info", "Target metadata", Kind::Gauge);
    writer.sample("target_info", &target, 1);
    writer.text
}

fn full_name(snapshot: &Snapshot, exposition: Exposition) -> String {
    let mut name = sanitized(snapshot.name);
    let unit = match snapshot.unit {
        Some(Unit::Bytes) => "_bytes",
        Some(Unit::Seconds) => "_seconds",
        Some(Unit::Ratio) => "_ratio",
        None => "",
    };
    let is_counter = snapshot.kind == Kind::Counter;
    for (is_written, suffix) in
        [(exposition.has_units, unit), (exposition.has_totals && is_counter, "_total")]
    {
        if is_written && !name.ends_with(suffix) {
            name.push_str(suffix);
        }
    }
    name
}

struct Writer {
    text: String,
    /// Labels of every series, written.
    constant: String,
}

impl Writer {
    fn family(&mut self, name: &str, snapshot: &Snapshot) {
        self.header(name, snapshot.about, snapshot.kind);
        for (labels, reading) in &snapshot.series {
            let labels = self.labels(labels);
            match reading {
                Reading::Integer(value) => self.sample(name, &labels, value),
                Reading::Number(value) => self.sample(name, &labels, Number(*value)),
                Reading::Histogram { bounds, counts, sum, scale } => {
                    let shown = |number: u64| scaled(number, *scale);
                    self.buckets(name, &labels, bounds.iter().map(|bound| shown(*bound)), counts);
                    self.sample(&format!("{name}_sum"), &labels, shown(*sum));
                    let count: u64 = counts.iter().sum();
                    self.sample(&format!("{name}_count"), &labels, count);
                }
            }
        }
    }

    fn header(&mut self, name: &str, about: &str, kind: Kind) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let about = about.replace('\\', "\\\\").replace('\n', "\\n");
        self.write(format_args!("# HELP {name} {about}\n# TYPE {name} {kind}\n"));
    }

    fn buckets(
        &mut self,
        name: &str,
        labels: &str,
        bounds: impl Iterator<Item = String>,
        counts: &[u64],
    ) {
        let (name, mut total) = (format!("{name}_bucket"), 0);
        let separator = if labels.is_empty() { "" } else { "," };
        let bounds = bounds.chain(["+Inf".to_owned()]);
        for (bound, count) in bounds.zip(counts) {
            total += count;
            self.sample(&name, &format!("{labels}{separator}le=\"{bound}\""), total);
        }
    }

    fn sample(&mut self, name: &str, labels: &str, value: impl Display) {
        if labels.is_empty() {
            self.write(format_args!("{name} {value}\n"));
        } else {
            self.write(format_args!("{name}{{{labels}}} {value}\n"));
        }
    }

    fn labels(&self, labels: &Labels) -> String {
        let mut text = String::new();
        for (name, value) in labels {
            push_label(&mut text, &sanitized(name), value);
        }
        if !text.is_empty() && !self.constant.is_empty() {
            text.push(',');
        }
        text + &self.constant
    }

    fn write(&mut self, arguments: fmt::Arguments<'_>) {
        self.text.write_fmt(arguments).expect("a string takes everything");
    }
}

fn resource_labels(resource: &Resource) -> String {
    let attributes = resource.attributes.iter();
    let mut labels: Vec<_> =
        attributes.map(|(name, value)| (sanitized(name), value.as_str())).collect();
    labels.sort_unstable();
    labels.dedup_by(|(one, _), (other, _)| one == other);
    let mut text = String::new();
    for (name, value) in labels {
        push_label(&mut text, &name, value);
    }
    text
}

fn push_label(text: &mut String, name: &str, value: &str) {
    let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let separator = if text.is_empty() { "" } else { "," };
    text.write_fmt(format_args!("{separator}{name}=\"{value}\""))
        .expect("a string takes everything");
}

/// A name with only the characters that Prometheus allows in one.
fn sanitized(name: &str) -> String {
    let mut text: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        text.insert(0, '_');
    }
    text
}

/// A recorded number as it is shown.
fn scaled(number: u64, scale: u64) -> String {
    if scale == 1 { number.to_string() } else { (number as f64 / scale as f64).to_string() }
}

/// A float as Prometheus writes it.
struct Number(f64);

impl Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            value if value.is_nan() => f.write_str("NaN"),
            value if value.is_infinite() => f.write_str(if value < 0.0 { "-Inf" } else { "+Inf" }),
            value => value.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests;
