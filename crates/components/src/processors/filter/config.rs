//! The configuration of the `filter` processor.

use config::section::Words;
use config::{Faults, Gates};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::condition::Context;
use super::legacy::{LogsWords, MetricsWords, SpansWords};
use super::rules::{Rule, infer, parse_all};
use crate::processors::matching::Selection;

/// What to drop. Conditions are those of the OpenTelemetry Transformation Language; what one of
/// them holds for is dropped. Known are comparisons, `and`, `or`, `not`, `+ - * /`, paths, `nil`, enums,
/// `IsMatch`, `HasPrefix`, `HasSuffix`, `ContainsValue`, `IsString`, `IsBool`, `IsInt`, `IsDouble`,
/// `IsMap`, `IsList`, `IsRootSpan`, `HasAttrKeyOnDatapoint`, `HasAttrOnDatapoint`, `Len`, `Int`,
/// `Double`, `String`, `ToLowerCase`, `ToUpperCase`, `ConvertCase`, `TraceID`, `SpanID` and
/// `ProfileID`; anything else is an error at start.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What happens when a condition cannot be evaluated: `propagate` refuses the request, `ignore`
    /// writes a warning and goes on with the next condition, `silent` just goes on.
    pub error_mode: ErrorMode,
    /// Conditions about log records, or the older `include` and `exclude`.
    pub logs: LogsWords,
    /// Conditions about spans and their events.
    pub traces: TracesWords,
    /// Conditions about metrics and data points, or the older `include` and `exclude`.
    pub metrics: MetricsWords,
    /// Conditions about profiles.
    pub profiles: ProfilesWords,
    /// The older `include` and `exclude` for spans.
    pub spans: SpansWords,
    /// Conditions about logs whose paths name what they are about, as in `log.body`.
    pub log_conditions: Vec<String>,
    /// Conditions about traces whose paths name what they are about, as in `span.name`.
    pub trace_conditions: Vec<String>,
    /// Conditions about metrics whose paths name what they are about, as in `metric.name`.
    pub metric_conditions: Vec<String>,
    /// Conditions about profiles whose paths name what they are about.
    pub profile_conditions: Vec<String>,
}

/// What happens when a condition cannot be evaluated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ErrorMode {
    #[default]
    Propagate,
    Ignore,
    Silent,
}

/// Conditions about spans and their events.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TracesWords {
    /// Spans to drop.
    pub span: Vec<String>,
    /// Events of spans to drop; the spans stay.
    pub spanevent: Vec<String>,
}

/// Conditions about profiles.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProfilesWords {
    /// Profiles to drop.
    pub profile: Vec<String>,
}

/// The checked configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(super) error_mode: ErrorMode,
    pub(super) rules: Vec<Rule>,
    pub(super) logs: Selection,
    pub(super) spans: Selection,
    pub(super) metrics: Selection,
}

impl Words for Config {
    type Settings = Settings;

    fn validate(self, _gates: &Gates) -> Result<Settings, Faults> {
        let mut faults = Faults::default();
        let mut rules = Vec::new();
        for (path, context, texts) in [
            ("logs.log_record", Context::LogRecord, &self.logs.log_record),
            ("traces.span", Context::Span, &self.traces.span),
            ("traces.spanevent", Context::SpanEvent, &self.traces.spanevent),
            ("metrics.metric", Context::Metric, &self.metrics.metric),
            ("metrics.datapoint", Context::Datapoint, &self.metrics.datapoint),
            ("profiles.profile", Context::Profile, &self.profiles.profile),
        ] {
            rules.extend(parse_all(path, texts, |_| context, &mut faults));
        }
        for (path, contexts, texts) in [
            ("log_conditions", &[Context::LogRecord][..], &self.log_conditions),
            ("trace_conditions", &[Context::Span, Context::SpanEvent], &self.trace_conditions),
            ("metric_conditions", &[Context::Metric, Context::Datapoint], &self.metric_conditions),
            ("profile_conditions", &[Context::Profile], &self.profile_conditions),
        ] {
            rules.extend(parse_all(path, texts, |text| infer(text, contexts), &mut faults));
        }
        let logs = faults.take("logs", self.logs.selection()).unwrap_or_default();
        let spans = faults.take("spans", self.spans.selection()).unwrap_or_default();
        let metrics = faults.take("metrics", self.metrics.selection()).unwrap_or_default();
        for (key, is_mixed) in [
            ("logs", !self.logs.log_record.is_empty() && !logs.is_empty()),
            ("spans", !self.traces.span.is_empty() && !spans.is_empty()),
            ("metrics", self.metrics.has_conditions() && !metrics.is_empty()),
        ] {
            if is_mixed {
                let message = "conditions and `include`/`exclude` cannot be used together";
                faults.add_with_remedy(key, message, "turn `include`/`exclude` into conditions");
            }
        }
        let error_mode = self.error_mode;
        faults.or(|| Settings { error_mode, rules, logs, spans, metrics })
    }
}
