//! Legacy: the `include` and `exclude` that came before conditions.

use config::Faults;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::processors::matching::{
    AttributeWords, MatchType, MatchWords, RegexpWords, Selection, SeverityWords,
};

/// Conditions about log records, or the older `include` and `exclude`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogsWords {
    /// Log records to drop.
    pub log_record: Vec<String>,
    /// Log records that do not match are dropped.
    pub include: Option<LogMatchWords>,
    /// Log records that match are dropped.
    pub exclude: Option<LogMatchWords>,
}

/// Conditions about metrics and data points, or the older `include` and `exclude`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MetricsWords {
    /// Metrics to drop.
    pub metric: Vec<String>,
    /// Data points to drop.
    pub datapoint: Vec<String>,
    /// Metrics that do not match are dropped.
    pub include: Option<MetricMatchWords>,
    /// Metrics that match are dropped.
    pub exclude: Option<MetricMatchWords>,
}

/// The older `include` and `exclude` for spans.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SpansWords {
    /// Spans that do not match are dropped.
    pub include: Option<MatchWords>,
    /// Spans that match are dropped.
    pub exclude: Option<MatchWords>,
}

/// Properties of log records; all that are set must match.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogMatchWords {
    /// How texts are compared: `strict` or `regexp`.
    pub match_type: Option<MatchType>,
    /// Attributes of the resource, all of them.
    pub resource_attributes: Vec<AttributeWords>,
    /// Attributes of the log record, all of them.
    pub record_attributes: Vec<AttributeWords>,
    /// Severity texts.
    pub severity_texts: Vec<String>,
    /// Severity numbers.
    pub severity_number: Option<SeverityWords>,
    /// Bodies that are texts.
    pub bodies: Vec<String>,
}

/// Properties of metrics.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MetricMatchWords {
    /// How texts are compared: `strict` or `regexp`.
    pub match_type: Option<MatchType>,
    /// Accepted for compatibility: patterns are compiled at start.
    pub regexp: Option<RegexpWords>,
    /// Names of metrics.
    pub metric_names: Vec<String>,
    /// Refused: `expr` is not supported.
    pub expressions: Vec<String>,
    /// Attributes of the resource, all of them.
    pub resource_attributes: Vec<AttributeWords>,
}

impl LogsWords {
    pub(super) fn selection(&self) -> Result<Selection, Faults> {
        selection(&self.include, &self.exclude, |words| vec![words.translated()])
    }
}

impl MetricsWords {
    pub(super) fn selection(&self) -> Result<Selection, Faults> {
        selection(&self.include, &self.exclude, MetricMatchWords::translated)
    }

    pub(super) fn has_conditions(&self) -> bool {
        !self.metric.is_empty() || !self.datapoint.is_empty()
    }
}

impl SpansWords {
    pub(super) fn selection(&self) -> Result<Selection, Faults> {
        selection(&self.include, &self.exclude, |words| vec![words])
    }
}

impl LogMatchWords {
    fn translated(self) -> MatchWords {
        MatchWords {
            match_type: self.match_type,
            resources: self.resource_attributes,
            attributes: self.record_attributes,
            log_severity_texts: self.severity_texts,
            log_severity_number: self.severity_number,
            log_bodies: self.bodies,
            ..MatchWords::default()
        }
    }
}

impl MetricMatchWords {
    /// Resources and metrics are matched one after the other: either is enough to exclude.
    fn translated(self) -> Vec<MatchWords> {
        let match_type = match self.expressions.is_empty() {
            true => self.match_type,
            false => Some(MatchType::Expr),
        };
        let (has_resources, has_names) =
            (!self.resource_attributes.is_empty(), !self.metric_names.is_empty());
        let resources = self.resource_attributes;
        let resources = MatchWords { match_type, resources, ..MatchWords::default() };
        let metric_names = self.metric_names;
        let names = MatchWords { match_type, metric_names, ..MatchWords::default() };
        match (has_resources, has_names) {
            (true, true) => vec![resources, names],
            (true, false) => vec![resources],
            (false, _) => vec![names],
        }
    }
}

fn selection<W: Clone>(
    include: &Option<W>,
    exclude: &Option<W>,
    translated: impl Fn(W) -> Vec<MatchWords>,
) -> Result<Selection, Faults> {
    let mut faults = Faults::default();
    let mut matchers = |key: &str, words: &Option<W>| {
        let words = words.clone().map_or_else(Vec::new, &translated);
        let matchers = words.into_iter().filter_map(|words| faults.take(key, words.validate()));
        matchers.collect::<Vec<_>>()
    };
    let selection =
        Selection { include: matchers("include", include), exclude: matchers("exclude", exclude) };
    faults.or(|| selection)
}
