//! Telemetry: what Tidegate tells about itself, and where.
//!
//! The keys are those of the OpenTelemetry Collector; the ones without effect load with a warning.

mod traces;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::section::Section;
use crate::{Faults, Problem};

pub use traces::{
    ParentBased, Ratio, RootSampler, Sampler, SpanBatch, SpanDestination, SpanExporter,
    SpanProcessor, SpanProtocol, Traces, TracesLevel, Written,
};

/// The `service.telemetry` section.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Telemetry {
    /// Tidegate's own log.
    pub logs: Logs,
    /// Tidegate's own metrics.
    pub metrics: Metrics,
    /// Tidegate's own traces.
    pub traces: Traces,
    /// Attributes of the resource that own telemetry belongs to; null removes one.
    pub resource: BTreeMap<String, ResourceValue>,
}

/// Tidegate's own log.
#[derive(Clone, Debug, PartialEq, serde::Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Logs {
    /// The least level that is written; a reload changes it.
    pub level: LogLevel,
    /// How entries are written; by default for people on a terminal, else as JSON.
    pub encoding: Option<Encoding>,
    /// Where entries go: `stdout`, `stderr` or files, which grow and are not rotated.
    pub output_paths: Vec<String>,
    /// Without effect yet.
    pub error_output_paths: Unused,
    /// Fields that every entry gets.
    pub initial_fields: BTreeMap<String, String>,
    /// Without effect yet.
    pub development: Unused,
    /// Without effect yet.
    pub disable_caller: Unused,
    /// Without effect yet.
    pub disable_stacktrace: Unused,
    /// Without effect yet.
    pub sampling: Unused,
    /// Without effect yet.
    pub processors: Unused,
}

impl Default for Logs {
    fn default() -> Self {
        Self {
            level: LogLevel::default(),
            encoding: None,
            output_paths: vec!["stderr".to_owned()],
            error_output_paths: Unused,
            initial_fields: BTreeMap::new(),
            development: Unused,
            disable_caller: Unused,
            disable_stacktrace: Unused,
            sampling: Unused,
            processors: Unused,
        }
    }
}

/// How important an entry of the log is.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Deserialize,
    serde::Serialize,
    JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[schemars(extend("enum" = ["debug", "info", "warn", "error", "DEBUG", "INFO", "WARN", "ERROR"]))]
pub enum LogLevel {
    #[serde(alias = "DEBUG")]
    Debug,
    #[default]
    #[serde(alias = "INFO")]
    Info,
    #[serde(alias = "WARN")]
    Warn,
    #[serde(alias = "ERROR")]
    Error,
}

/// How entries of the log are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    Console,
    Json,
}

/// Tidegate's own metrics.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// `none` serves no metrics; `basic` and `normal` measure the same; `detailed` also tells what
    /// kind a failure was, and how large requests and batches are in bytes.
    pub level: MetricsLevel,
    /// The old way to say where metrics are served: `host:port`.
    pub address: Option<String>,
    /// Where metrics are served; without it, at `localhost:8888/metrics`, under names without
    /// units and types.
    pub readers: Option<Vec<Reader>>,
    /// Without effect yet.
    pub views: Unused,
}

/// How much is measured.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Deserialize,
    serde::Serialize,
    JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum MetricsLevel {
    None,
    Basic,
    #[default]
    Normal,
    Detailed,
}

/// One way out for metrics.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Reader {
    /// Metrics that others come for.
    pub pull: Option<Pull>,
    /// Without effect yet.
    pub periodic: Unused,
}

/// Metrics that others come for.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Pull {
    /// How metrics are served.
    pub exporter: PullExporter,
    /// Without effect yet.
    pub cardinality_limits: Unused,
    /// Without effect yet.
    pub producers: Unused,
}

/// How metrics are served.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PullExporter {
    /// The text format of Prometheus, over HTTP.
    #[serde(alias = "prometheus/development")]
    pub prometheus: Option<Prometheus>,
}

/// Metrics as Prometheus reads them.
#[derive(Clone, Debug, PartialEq, serde::Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Prometheus {
    /// The host or address to listen on.
    pub host: String,
    /// The port to listen on.
    pub port: u16,
    /// Whether names carry no unit, as in `_seconds`.
    pub without_units: bool,
    /// Whether names carry no type, as in `_total`.
    pub without_type_suffix: bool,
    /// Accepted for compatibility; series never carry labels of their scope.
    pub without_scope_info: bool,
    /// Without effect yet.
    pub with_resource_constant_labels: Unused,
    /// Without effect yet.
    pub translation_strategy: Unused,
}

impl Default for Prometheus {
    fn default() -> Self {
        Self {
            host: "localhost".to_owned(),
            port: 8888,
            without_units: false,
            without_type_suffix: false,
            without_scope_info: false,
            with_resource_constant_labels: Unused,
            translation_strategy: Unused,
        }
    }
}

/// A key that loads and has no effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unused;

impl<'de> Deserialize<'de> for Unused {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_ignored_any(IgnoredAny).map(|_| Self)
    }
}

impl JsonSchema for Unused {
    fn schema_name() -> Cow<'static, str> {
        "Unused".into()
    }

    // Nobody knows what is in it, so it is masked as a secret is.
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "Without effect yet.", "format": "password" })
    }
}

/// The value of an attribute of the own resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResourceValue {
    Text(String),
    /// The attribute is removed.
    Removed,
    /// A list or map; without effect yet.
    Unused,
}

impl<'de> Deserialize<'de> for ResourceValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ResourceValueVisitor)
    }
}

struct ResourceValueVisitor;

impl<'de> Visitor<'de> for ResourceValueVisitor {
    type Value = ResourceValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_str<E>(self, text: &str) -> Result<ResourceValue, E> {
        Ok(ResourceValue::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<ResourceValue, E> {
        Ok(ResourceValue::Text(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<ResourceValue, E> {
        Ok(ResourceValue::Text(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<ResourceValue, E> {
        Ok(ResourceValue::Text(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<ResourceValue, E> {
        Ok(ResourceValue::Text(value.to_string()))
    }

    fn visit_unit<E>(self) -> Result<ResourceValue, E> {
        Ok(ResourceValue::Removed)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<ResourceValue, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(ResourceValue::Unused)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ResourceValue, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(ResourceValue::Unused)
    }
}

impl JsonSchema for ResourceValue {
    fn schema_name() -> Cow<'static, str> {
        "ResourceValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "Text, or null to remove the attribute." })
    }
}

impl Telemetry {
    /// Where metrics are served; nowhere when nobody may come for them.
    #[must_use]
    pub fn prometheus(&self) -> Vec<Prometheus> {
        if self.metrics.level == MetricsLevel::None {
            return Vec::new();
        }
        match (&self.metrics.readers, self.metrics.address.as_deref().and_then(host_and_port)) {
            (None, Some((host, port))) => vec![Prometheus { host, port, ..Prometheus::default() }],
            (None, None) => vec![Prometheus::default()],
            (Some(readers), _) => {
                let pulls = readers.iter().filter_map(|reader| reader.pull.as_ref());
                pulls.filter_map(|pull| pull.exporter.prometheus.clone()).collect()
            }
        }
    }

    /// Checks everything at once; faults are named from `service`.
    pub(super) fn check(&self) -> Result<(), Faults> {
        let mut faults = Faults::default();
        let address = self.metrics.address.as_deref();
        if let Some(address) = address.filter(|address| host_and_port(address).is_none()) {
            let message = format!("`{address}` is not an address");
            let remedy = "write a host and a port, such as `localhost:8888`";
            faults.add_with_remedy("telemetry.metrics.address", message, remedy);
        }
        if self.logs.output_paths.iter().any(String::is_empty) {
            let path = "telemetry.logs.output_paths";
            faults.add_with_remedy(path, "a path is empty", "write `stderr` or a file");
        }
        faults.take("telemetry.traces", self.traces.check());
        faults.or(|| ())
    }
}

fn host_and_port(address: &str) -> Option<(String, u16)> {
    let (host, port) = address.rsplit_once(':')?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    // An address without a host means all of them.
    let host = if host.is_empty() { "0.0.0.0" } else { host };
    Some((host.to_owned(), port.parse().ok()?))
}

/// The keys below `service.telemetry` that have no effect.
const UNUSED: &[&str] = &[
    "traces.limits",
    "logs.error_output_paths",
    "logs.development",
    "logs.disable_caller",
    "logs.disable_stacktrace",
    "logs.sampling",
    "logs.processors",
    "metrics.views",
];

/// The keys below one of `service.telemetry.metrics.readers` that have no effect.
const UNUSED_IN_READER: &[&str] = &[
    "periodic",
    "pull.cardinality_limits",
    "pull.producers",
    "pull.exporter.prometheus.with_resource_constant_labels",
    "pull.exporter.prometheus.translation_strategy",
];

/// A warning for every key that is written and has no effect.
pub(super) fn warnings(section: &Section) -> Vec<Problem> {
    let readers = section.node_at("telemetry.metrics.readers").map_or(0, |readers| readers.len());
    let in_reader = |reader: usize| {
        UNUSED_IN_READER.iter().map(move |key| format!("telemetry.metrics.readers[{reader}].{key}"))
    };
    let everywhere = UNUSED.iter().map(|key| format!("telemetry.{key}"));
    let is_written = |path: &String| section.node_at(path).is_some_and(|node| !node.is_null());
    let written = everywhere.chain((0..readers).flat_map(in_reader)).filter(is_written);
    let warn = |path: String| {
        let message = "this key has no effect yet".to_owned();
        super::locate_key(section, path, message, Some("leave it out".to_owned()))
    };
    written.map(warn).collect()
}

#[cfg(test)]
mod tests;
