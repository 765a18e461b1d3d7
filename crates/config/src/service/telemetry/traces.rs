//! Traces: Tidegate's own spans, which of them are recorded, and where they go.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, IgnoredAny};
use std::borrow::Cow;

use super::Unused;
use crate::Faults;
use crate::value::Headers;

/// Tidegate's own traces.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Traces {
    /// `none` records nothing; every other level records all spans.
    pub level: TracesLevel,
    /// How the context of a trace travels; `tracecontext` (W3C) always does.
    pub propagators: Vec<String>,
    /// Where spans go; nothing is recorded without one.
    pub processors: Vec<SpanProcessor>,
    /// Which requests are recorded; by default those that their client samples, and all whose
    /// client does not say.
    pub sampler: Option<Sampler>,
    /// Without effect yet.
    pub limits: Unused,
}

/// How much is recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TracesLevel {
    None,
    #[default]
    Basic,
    Normal,
    Detailed,
}

/// One way out for spans.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SpanProcessor {
    /// Exports many spans at once.
    pub batch: Option<SpanBatch>,
}

/// How spans are gathered.
#[derive(Clone, Debug, PartialEq, serde::Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SpanBatch {
    /// How long spans are gathered, in milliseconds.
    pub schedule_delay: u64,
    /// How long one export may take with its retries, in milliseconds.
    pub export_timeout: u64,
    /// How many spans may wait; more are dropped and counted.
    pub max_queue_size: usize,
    /// How many spans go at once at most.
    pub max_export_batch_size: usize,
    pub exporter: SpanExporter,
}

impl Default for SpanBatch {
    fn default() -> Self {
        Self {
            schedule_delay: 5000,
            export_timeout: 30_000,
            max_queue_size: 2048,
            max_export_batch_size: 512,
            exporter: SpanExporter::default(),
        }
    }
}

/// How spans are sent.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SpanExporter {
    pub otlp: Option<SpanDestination>,
}

/// An OTLP server that takes spans.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SpanDestination {
    /// `http/protobuf` or `grpc`.
    pub protocol: SpanProtocol,
    /// The server; over HTTP a URL, whose path is `/v1/traces` unless it has one.
    pub endpoint: String,
    /// Headers of every request, with values that are never shown.
    pub headers: Headers,
    /// Connects without TLS.
    pub insecure: bool,
    /// File with the authorities that the server's certificate must come from, PEM.
    pub certificate: String,
    /// File with the certificate shown to the server, PEM.
    pub client_certificate: String,
    /// File with the private key of that certificate, PEM.
    pub client_key: String,
    /// `gzip` or `none`, the default.
    pub compression: String,
    /// How long one attempt may take, in milliseconds; 10 s by default.
    pub timeout: Option<u64>,
}

/// How spans travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, JsonSchema)]
pub enum SpanProtocol {
    #[default]
    #[serde(rename = "http/protobuf")]
    Http,
    #[serde(rename = "grpc", alias = "grpc/protobuf")]
    Grpc,
}

/// Which requests are recorded.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Sampler {
    /// As the client says; `root` is for those who do not say.
    pub parent_based: Option<ParentBased>,
    /// None.
    pub always_off: Written,
    /// Refused, because the export of spans would be recorded, too.
    pub always_on: Written,
    /// Refused, because the export of spans would be recorded, too.
    pub trace_id_ratio_based: Written,
}

/// As the client says.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ParentBased {
    /// Which requests are recorded whose client does not say; by default all.
    pub root: RootSampler,
}

/// Which requests are recorded whose client does not say.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RootSampler {
    /// All; the default.
    pub always_on: Written,
    /// None.
    pub always_off: Written,
    /// A part of them.
    pub trace_id_ratio_based: Option<Ratio>,
}

/// A part of all requests.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Ratio {
    /// From 0 to 1.
    pub ratio: f64,
}

/// Whether a key is written, whatever its value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written(pub bool);

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_ignored_any(IgnoredAny).map(|_| Self(true))
    }
}

impl JsonSchema for Written {
    fn schema_name() -> Cow<'static, str> {
        "Written".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "Written without a value." })
    }
}

impl Traces {
    /// How spans are gathered and where they go; `None` when nothing is recorded.
    #[must_use]
    pub fn destination(&self) -> Option<(&SpanBatch, &SpanDestination)> {
        let is_off = self.sampler.as_ref().is_some_and(|sampler| sampler.always_off.0);
        if self.level == TracesLevel::None || is_off {
            return None;
        }
        let batch = self.processors.iter().find_map(|processor| processor.batch.as_ref())?;
        Some((batch, batch.exporter.otlp.as_ref()?))
    }

    /// The part of the requests that is recorded, of those whose clients do not say.
    #[must_use]
    pub fn root_ratio(&self) -> f64 {
        let parent_based = self.sampler.as_ref().and_then(|one| one.parent_based.as_ref());
        match parent_based.map(|parent_based| &parent_based.root) {
            Some(root) if root.always_off.0 => 0.0,
            Some(RootSampler { trace_id_ratio_based: Some(Ratio { ratio }), .. }) => *ratio,
            _ => 1.0,
        }
    }

    /// Checks everything at once; faults are named from `traces`.
    pub(super) fn check(&self) -> Result<(), Faults> {
        let mut faults = Faults::default();
        for (index, name) in self.propagators.iter().enumerate() {
            if name != "tracecontext" {
                let message = format!("the propagator `{name}` is not supported");
                faults.add_with_remedy(
                    format!("propagators[{index}]"),
                    message,
                    "write `tracecontext`",
                );
            }
        }
        if 1 < self.processors.len() {
            faults.add("processors[1]", "spans go to one destination only");
        }
        self.check_sampler(&mut faults);
        for processor in &self.processors {
            let batch = processor.batch.as_ref();
            if batch.is_some_and(|one| one.max_queue_size == 0 || one.max_export_batch_size == 0) {
                faults.add("processors[0].batch", "a batch of spans needs room for at least one");
            }
            match batch.map(|batch| &batch.exporter.otlp) {
                Some(Some(otlp)) if otlp.endpoint.is_empty() => {
                    let path = "processors[0].batch.exporter.otlp.endpoint";
                    faults.add(path, "the endpoint is missing");
                }
                Some(Some(_)) => {}
                _ => faults.add_with_remedy(
                    "processors[0]",
                    "spans have nowhere to go",
                    "write `batch: {exporter: {otlp: {endpoint: …}}}`",
                ),
            }
        }
        faults.or(|| ())
    }

    fn check_sampler(&self, faults: &mut Faults) {
        let Some(sampler) = &self.sampler else { return };
        for (name, written) in [
            ("always_on", sampler.always_on),
            ("trace_id_ratio_based", sampler.trace_id_ratio_based),
        ] {
            if written.0 {
                let message = "would record the export of spans, too, without an end";
                let remedy = format!("write `parent_based: {{root: {{{name}: …}}}}`");
                faults.add_with_remedy(format!("sampler.{name}"), message, remedy);
            }
        }
        if !(0.0..=1.0).contains(&self.root_ratio()) {
            let path = "sampler.parent_based.root.trace_id_ratio_based.ratio";
            faults.add(path, "a ratio is from 0 to 1");
        }
    }
}

#[cfg(test)]
mod tests;
