//! Matching: the `include` and `exclude` of the `attributes` and `filter` processors.
//!
//! All properties that are set must match; of a list of texts, one must.

mod config;

use regex::Regex;
use wire::Signal;
use wire::edit::Place;
use wire::view::{AnyValue, Attributes, Item};

use super::actions::Scalar;

pub(crate) use config::{AttributeWords, MatchType, MatchWords, RegexpWords, SeverityWords};

/// Which items are meant: all of `include`, none of `exclude`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    pub(crate) include: Vec<Matcher>,
    pub(crate) exclude: Vec<Matcher>,
}

/// The properties that an item must have; empty lists ask for nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Matcher {
    services: Vec<TextMatch>,
    attributes: Vec<AttributeMatch>,
    resources: Vec<AttributeMatch>,
    libraries: Vec<LibraryMatch>,
    span_names: Vec<TextMatch>,
    span_kinds: Vec<TextMatch>,
    log_bodies: Vec<TextMatch>,
    log_severity_texts: Vec<TextMatch>,
    log_severity_number: Option<SeverityMatch>,
    metric_names: Vec<TextMatch>,
}

#[derive(Clone, Debug)]
enum TextMatch {
    Exact(String),
    Pattern(Regex),
}

#[derive(Clone, Debug)]
struct AttributeMatch {
    key: String,
    value: ValueMatch,
}

#[derive(Clone, Debug)]
enum ValueMatch {
    /// Whatever the value is.
    Any,
    Exact(Scalar),
    Pattern(Regex),
}

#[derive(Clone, Debug)]
struct LibraryMatch {
    name: TextMatch,
    version: Option<TextMatch>,
}

#[derive(Clone, Copy, Debug)]
struct SeverityMatch {
    min: i32,
    matches_undefined: bool,
}

const SPAN_KINDS: [&str; 6] = [
    "SPAN_KIND_UNSPECIFIED",
    "SPAN_KIND_INTERNAL",
    "SPAN_KIND_SERVER",
    "SPAN_KIND_CLIENT",
    "SPAN_KIND_PRODUCER",
    "SPAN_KIND_CONSUMER",
];

/// A selection at work on one payload: what was found out about a resource, scope or metric counts
/// for all items in it.
#[derive(Debug)]
pub(crate) struct Selecting<'s> {
    include: Vec<Matching<'s>>,
    exclude: Vec<Matching<'s>>,
}

#[derive(Debug)]
struct Matching<'s> {
    matcher: &'s Matcher,
    /// Whether the resource and the scope match.
    source: Known,
    /// Whether the metric matches.
    metric: Known,
}

/// What was found out under a serial number.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    serial: Option<u64>,
    matches: bool,
}

impl Selection {
    /// Begins with a payload.
    pub(crate) fn start(&self) -> Selecting<'_> {
        Selecting { include: Matching::all(&self.include), exclude: Matching::all(&self.exclude) }
    }

    /// Whether nothing is asked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }

    /// Refuses properties that items of `signal` do not have.
    pub(crate) fn check(&self, signal: Signal) -> Result<(), String> {
        self.include.iter().chain(&self.exclude).try_for_each(|matcher| matcher.check(signal))
    }
}

impl Selecting<'_> {
    /// Whether the item is meant.
    pub(crate) fn takes(&mut self, place: &Place<'_>) -> bool {
        self.include.iter_mut().all(|matching| matching.matches(place))
            && !self.exclude.iter_mut().any(|matching| matching.matches(place))
    }
}

impl<'s> Matching<'s> {
    fn all(matchers: &'s [Matcher]) -> Vec<Self> {
        let matching =
            |matcher| Self { matcher, source: Known::default(), metric: Known::default() };
        matchers.iter().map(matching).collect()
    }

    fn matches(&mut self, place: &Place<'_>) -> bool {
        let matcher = self.matcher;
        let serials = place.serials();
        // A scope has a number of its own in each resource.
        let source = serials.scope.max(serials.resource);
        self.source.or_find(source, || matcher.matches_source(place))
            && self.metric.or_find(serials.holder, || matcher.matches_metric(place))
            && matcher.matches_item(place)
    }
}

impl Known {
    /// What is known under this number, or what `find` finds out.
    fn or_find(&mut self, serial: u64, find: impl FnOnce() -> bool) -> bool {
        if self.serial != Some(serial) {
            *self = Self { serial: Some(serial), matches: find() };
        }
        self.matches
    }
}

impl Matcher {
    /// The resource and the scope.
    fn matches_source(&self, place: &Place<'_>) -> bool {
        let resource = place.resource().attributes();
        let has_service = self.services.is_empty()
            || match resource.get("service.name") {
                Some(AnyValue::Text(name)) => is_any(&self.services, name),
                _ => false,
            };
        let is_from_library = self.libraries.is_empty()
            || place.scope().is_some_and(|scope| {
                let matches = |library: &LibraryMatch| {
                    let version = library.version.as_ref();
                    library.name.matches(scope.name())
                        && version.is_none_or(|version| version.matches(scope.version()))
                };
                self.libraries.iter().any(matches)
            });
        has_service && is_from_library && has_all(&self.resources, &resource)
    }

    fn matches_metric(&self, place: &Place<'_>) -> bool {
        is_any_or_unset(&self.metric_names, place.metric().map(|metric| metric.name()))
    }

    fn matches_item(&self, place: &Place<'_>) -> bool {
        let Some(item) = place.item() else { return true };
        has_all(&self.attributes, &item.attributes())
            && match item {
                Item::LogRecord(record) => {
                    let body = record.body();
                    is_any_or_unset(&self.log_bodies, body.as_text())
                        && is_any_or_unset(&self.log_severity_texts, Some(record.severity_text()))
                        && self
                            .log_severity_number
                            .is_none_or(|severity| severity.matches(record.severity_number()))
                }
                Item::Span(span) => {
                    let kind = usize::try_from(span.kind()).unwrap_or(0);
                    let kind = SPAN_KINDS.get(kind).copied();
                    is_any_or_unset(&self.span_names, Some(span.name()))
                        && is_any_or_unset(&self.span_kinds, kind)
                }
                Item::Point(_) | Item::Sample(_) => true,
            }
    }

    fn check(&self, signal: Signal) -> Result<(), String> {
        let logs = self.log_bodies.len() + self.log_severity_texts.len();
        for (key, is_set, of) in [
            ("span_names", !self.span_names.is_empty(), Signal::Traces),
            ("span_kinds", !self.span_kinds.is_empty(), Signal::Traces),
            ("metric_names", !self.metric_names.is_empty(), Signal::Metrics),
            ("log_bodies and log_severity_texts", 0 < logs, Signal::Logs),
            ("log_severity_number", self.log_severity_number.is_some(), Signal::Logs),
        ] {
            if is_set && of != signal {
                return Err(format!("`{key}` in `include` or `exclude` matches no {signal}"));
            }
        }
        Ok(())
    }
}

impl TextMatch {
    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == text,
            Self::Pattern(pattern) => pattern.is_match(text),
        }
    }
}

impl AttributeMatch {
    fn matches(&self, attributes: &Attributes<'_>) -> bool {
        let Some(value) = attributes.get(&self.key) else { return false };
        match (&self.value, &value) {
            (ValueMatch::Any, _) => true,
            (ValueMatch::Exact(Scalar::Text(exact)), AnyValue::Text(text)) => exact == text,
            (ValueMatch::Exact(Scalar::Bool(exact)), AnyValue::Bool(value)) => exact == value,
            (ValueMatch::Exact(Scalar::Int(exact)), AnyValue::Int(value)) => exact == value,
            (ValueMatch::Exact(Scalar::Double(exact)), AnyValue::Double(value)) => exact == value,
            (ValueMatch::Exact(_), _) => false,
            (
                ValueMatch::Pattern(pattern),
                AnyValue::Text(_) | AnyValue::Bool(_) | AnyValue::Int(_) | AnyValue::Double(_),
            ) => pattern.is_match(&value.to_string()),
            (ValueMatch::Pattern(_), _) => false,
        }
    }
}

impl SeverityMatch {
    fn matches(self, number: i32) -> bool {
        if number == 0 { self.matches_undefined } else { self.min <= number }
    }
}

fn is_any(texts: &[TextMatch], text: &str) -> bool {
    texts.iter().any(|one| one.matches(text))
}

fn is_any_or_unset(texts: &[TextMatch], text: Option<&str>) -> bool {
    texts.is_empty() || text.is_some_and(|text| is_any(texts, text))
}

fn has_all(expected: &[AttributeMatch], attributes: &Attributes<'_>) -> bool {
    expected.iter().all(|one| one.matches(attributes))
}

#[cfg(test)]
mod tests;
