//! The words of `include` and `exclude`, and their checks.

use config::Faults;
use schemars::JsonSchema;
use serde::Deserialize;
use wire::schema::{Kind, LOG_RECORD};

use super::{
    AttributeMatch, LibraryMatch, Matcher, SPAN_KINDS, SeverityMatch, TextMatch, ValueMatch,
};
use crate::processors::actions::{Scalar, regex};

/// Properties that an item must have. All that are set must match; of a list of texts, one must.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MatchWords {
    /// How texts are compared: `strict` or `regexp`.
    pub match_type: Option<MatchType>,
    /// Accepted for compatibility: patterns are compiled at start.
    pub regexp: Option<RegexpWords>,
    /// Values of the resource attribute `service.name`.
    pub services: Vec<String>,
    /// Attributes of the item, all of them.
    pub attributes: Vec<AttributeWords>,
    /// Attributes of the resource, all of them.
    pub resources: Vec<AttributeWords>,
    /// Instrumentation scopes.
    pub libraries: Vec<LibraryWords>,
    /// Names of spans.
    pub span_names: Vec<String>,
    /// Kinds of spans, such as `SPAN_KIND_SERVER`.
    pub span_kinds: Vec<String>,
    /// Bodies of log records that are texts.
    pub log_bodies: Vec<String>,
    /// Severity texts of log records.
    pub log_severity_texts: Vec<String>,
    /// Severity numbers of log records.
    pub log_severity_number: Option<SeverityWords>,
    /// Names of metrics.
    pub metric_names: Vec<String>,
}

/// How texts are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MatchType {
    Strict,
    Regexp,
    /// Refused: conditions took its place.
    Expr,
}

/// Accepted for compatibility.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RegexpWords {
    /// Accepted for compatibility.
    pub cacheenabled: bool,
    /// Accepted for compatibility.
    pub cachemaxnumentries: u64,
}

/// An attribute that must be there.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AttributeWords {
    /// Its key.
    pub key: String,
    /// Its value; without it, any value will do.
    pub value: Option<Scalar>,
}

/// An instrumentation scope.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LibraryWords {
    /// Its name.
    pub name: String,
    /// Its version; without it, any version will do.
    pub version: Option<String>,
}

/// Severity numbers from a lowest one on.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SeverityWords {
    /// The lowest number, or its name such as `INFO` or `ERROR2`.
    pub min: Option<Scalar>,
    /// Whether records without a severity number match.
    pub match_undefined: bool,
}

impl MatchWords {
    /// Checks and compiles everything.
    pub(crate) fn validate(self) -> Result<Matcher, Faults> {
        let mut faults = Faults::default();
        let is_regexp = match self.match_type {
            Some(MatchType::Strict) => false,
            Some(MatchType::Regexp) => true,
            Some(MatchType::Expr) => {
                let remedy = "write a condition instead, as `filter` takes them";
                faults.add_with_remedy("match_type", "`expr` is not supported", remedy);
                return Err(faults);
            }
            None => {
                faults.add_with_remedy("match_type", "`match_type` is needed", "write `strict`");
                return Err(faults);
            }
        };
        self.check_kinds(is_regexp, &mut faults);
        let mut texts = |key: &str, all: &[String]| texts(key, all, is_regexp, &mut faults);
        let mut matcher = Matcher {
            services: texts("services", &self.services),
            span_names: texts("span_names", &self.span_names),
            span_kinds: texts("span_kinds", &self.span_kinds),
            log_bodies: texts("log_bodies", &self.log_bodies),
            log_severity_texts: texts("log_severity_texts", &self.log_severity_texts),
            metric_names: texts("metric_names", &self.metric_names),
            ..Matcher::default()
        };
        matcher.attributes = attributes("attributes", self.attributes, is_regexp, &mut faults);
        matcher.resources = attributes("resources", self.resources, is_regexp, &mut faults);
        matcher.libraries = libraries(self.libraries, is_regexp, &mut faults);
        let severity = self.log_severity_number.map(SeverityWords::validate);
        let severity = severity.and_then(|checked| faults.take("log_severity_number", checked));
        matcher.log_severity_number = severity;
        if faults.is_empty() && matcher.is_empty() {
            faults.add("", "at least one property must be given");
        }
        faults.or(|| matcher)
    }

    fn check_kinds(&self, is_regexp: bool, faults: &mut Faults) {
        for (index, kind) in self.span_kinds.iter().enumerate() {
            if !is_regexp && !SPAN_KINDS.contains(&kind.as_str()) {
                let remedy = format!("one of {}", SPAN_KINDS.join(", "));
                let message = format!("`{kind}` is not a kind of span");
                faults.add_with_remedy(format!("span_kinds[{index}]"), message, remedy);
            }
        }
    }
}

impl Matcher {
    fn is_empty(&self) -> bool {
        let lists = [
            &self.services,
            &self.span_names,
            &self.span_kinds,
            &self.log_bodies,
            &self.log_severity_texts,
            &self.metric_names,
        ];
        lists.iter().all(|list| list.is_empty())
            && self.attributes.is_empty()
            && self.resources.is_empty()
            && self.libraries.is_empty()
            && self.log_severity_number.is_none()
    }
}

impl SeverityWords {
    fn validate(self) -> Result<SeverityMatch, Faults> {
        let mut faults = Faults::default();
        let min = match self.min {
            Some(Scalar::Int(number)) => i32::try_from(number).ok(),
            Some(Scalar::Text(name)) => severity_of(&name),
            _ => None,
        };
        let matches_undefined = self.match_undefined;
        match min.filter(|min| (1..=24).contains(min)) {
            Some(min) => Ok(SeverityMatch { min, matches_undefined }),
            None => {
                let message = "`min` must be a severity such as `INFO`, or a number from 1 to 24";
                faults.add("min", message);
                Err(faults)
            }
        }
    }
}

fn severity_of(name: &str) -> Option<i32> {
    match LOG_RECORD.field_named("severity_number")?.kind {
        Kind::Enum(names) => names.number(&format!("SEVERITY_NUMBER_{name}")),
        _ => None,
    }
}

fn texts(key: &str, all: &[String], is_regexp: bool, faults: &mut Faults) -> Vec<TextMatch> {
    let all = all.iter().enumerate();
    all.filter_map(|(index, text)| {
        text_match(&format!("{key}[{index}]"), text.clone(), is_regexp, faults)
    })
    .collect()
}

fn text_match(path: &str, text: String, is_regexp: bool, faults: &mut Faults) -> Option<TextMatch> {
    match is_regexp {
        true => regex(path, &text, faults).map(TextMatch::Pattern),
        false => Some(TextMatch::Exact(text)),
    }
}

fn attributes(
    key: &str,
    all: Vec<AttributeWords>,
    is_regexp: bool,
    faults: &mut Faults,
) -> Vec<AttributeMatch> {
    let mut matches = Vec::with_capacity(all.len());
    for (index, words) in all.into_iter().enumerate() {
        if words.key.is_empty() {
            faults.add(format!("{key}[{index}].key"), "`key` is needed");
        }
        let value = match words.value {
            None => ValueMatch::Any,
            Some(Scalar::Text(text)) if is_regexp => {
                match regex(&format!("{key}[{index}].value"), &text, faults) {
                    Some(pattern) => ValueMatch::Pattern(pattern),
                    None => continue,
                }
            }
            Some(_) if is_regexp => {
                let message = "with `regexp`, the value must be a text";
                faults.add(format!("{key}[{index}].value"), message);
                continue;
            }
            Some(value) => ValueMatch::Exact(value),
        };
        matches.push(AttributeMatch { key: words.key, value });
    }
    matches
}

fn libraries(all: Vec<LibraryWords>, is_regexp: bool, faults: &mut Faults) -> Vec<LibraryMatch> {
    let mut matches = Vec::with_capacity(all.len());
    for (index, words) in all.into_iter().enumerate() {
        let path = format!("libraries[{index}]");
        let name = text_match(&format!("{path}.name"), words.name, is_regexp, faults);
        let version = words
            .version
            .and_then(|text| text_match(&format!("{path}.version"), text, is_regexp, faults));
        matches.extend(name.map(|name| LibraryMatch { name, version }));
    }
    matches
}
