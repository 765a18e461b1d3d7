//! The `severity_parser` operator, and the `severity` block of parsers.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use config::Faults;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::any::AnyWords;
use super::route::{field, operator_words};
use super::{Transform, Work};
use crate::receivers::file_log::entry::field::Found;
use crate::receivers::file_log::entry::{Entry, Field, Value};

operator_words! {
    /// Reads the severity of an entry from one of its fields.
    pub struct Words {
        /// The field to read. Needed.
        pub parse_from: Option<String>,
        /// What is understood without a mapping: `default` (names, numbers, `warning`, `err`),
        /// `otel` (names and numbers) or `none`.
        pub preset: Preset,
        /// What else stands for which severity: for each severity a value, a list of values, a
        /// range of `min` and `max`, or `2xx` to `5xx`.
        pub mapping: BTreeMap<String, AnyWords>,
        /// Whether the text becomes the short name of the severity, such as `ERROR`.
        pub overwrite_text: bool,
    }
}

/// Reads the severity of an entry.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SeverityWords {
    /// The field to read. Needed.
    pub parse_from: Option<String>,
    /// What is understood without a mapping: `default` (names, numbers, `warning`, `err`), `otel`
    /// (names and numbers) or `none`.
    pub preset: Preset,
    /// What else stands for which severity: for each severity a value, a list of values, a range of
    /// `min` and `max`, or `2xx` to `5xx`.
    pub mapping: BTreeMap<String, AnyWords>,
    /// Whether the text becomes the short name of the severity, such as `ERROR`.
    pub overwrite_text: bool,
}

/// What is understood without a mapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    #[default]
    Default,
    #[serde(alias = "aliases")]
    Otel,
    None,
}

/// Reads the severity of an entry.
#[derive(Debug)]
pub(super) struct SeverityParser {
    from: Field,
    /// By lower-case texts and by numbers.
    names: BTreeMap<String, u8>,
    ranges: Vec<(RangeInclusive<i64>, u8)>,
    overwrites_text: bool,
}

const NAMES: [&str; 6] = ["trace", "debug", "info", "warn", "error", "fatal"];

impl Words {
    pub(super) fn build(self, faults: &mut Faults) -> Option<Work> {
        let words = SeverityWords {
            parse_from: self.parse_from,
            preset: self.preset,
            mapping: self.mapping,
            overwrite_text: self.overwrite_text,
        };
        let parser = faults.take("", words.validate())?;
        Some(Work::Transform(Box::new(parser)))
    }
}

impl SeverityWords {
    pub(super) fn validate(self) -> Result<SeverityParser, Faults> {
        let mut faults = Faults::default();
        let from = field("parse_from", self.parse_from, &mut faults);
        let mut names = self.preset.names();
        let mut ranges = Vec::new();
        for (severity, AnyWords(values)) in self.mapping {
            let path = format!("mapping.{severity}");
            let Some(number) = number_of(&severity) else {
                let remedy = "write one of `trace`, `debug`, `info`, `warn`, `error`, `fatal`, \
                              perhaps with 2 to 4 behind it, or `default`";
                let message = format!("`{severity}` is no severity");
                faults.add_with_remedy(path, message, remedy);
                continue;
            };
            let values = match values {
                Value::List(values) => values,
                value => vec![value],
            };
            for value in values {
                match meaning(&value) {
                    Some(Meaning::Name(name)) => {
                        names.insert(name, number);
                    }
                    Some(Meaning::Range(range)) => ranges.push((range, number)),
                    None => {
                        let message = "a text, a whole number or a range of `min` and `max`";
                        faults.add(path.clone(), format!("{message} is expected"));
                    }
                }
            }
        }
        let Some(from) = from else { return Err(faults) };
        let overwrites_text = self.overwrite_text;
        faults.or(|| SeverityParser { from, names, ranges, overwrites_text })
    }
}

impl Preset {
    fn names(self) -> BTreeMap<String, u8> {
        let mut names = BTreeMap::new();
        if self == Self::None {
            return names;
        }
        for number in 1..=24 {
            names.insert(number.to_string(), number);
            names.insert(name_of(number), number);
        }
        if self == Self::Default {
            for step in 0..4 {
                let suffix = if step == 0 { String::new() } else { (step + 1).to_string() };
                names.insert(format!("warning{suffix}"), 13 + step);
                names.insert(format!("err{suffix}"), 17 + step);
            }
        }
        names
    }
}

impl Transform for SeverityParser {
    fn apply(&self, entry: &mut Entry) -> Result<(), String> {
        let found = self.from.of(entry).ok_or_else(|| format!("there is no `{}`", self.from))?;
        let text = match found {
            Found::Value(Value::Text(text)) => text.clone(),
            Found::Value(Value::Bytes(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
            Found::Value(Value::Int(number)) => number.to_string(),
            Found::Value(Value::Double(number)) if number.fract() == 0.0 => {
                format!("{number:.0}")
            }
            other => return Err(format!("{} is no severity", other.kind())),
        };
        entry.severity_number = self.number(&text);
        entry.severity_text = match entry.severity_number {
            number @ 1.. if self.overwrites_text => name_of(number).to_ascii_uppercase(),
            _ => text,
        };
        Ok(())
    }
}

impl SeverityParser {
    fn number(&self, text: &str) -> u8 {
        let is_lower = !text.bytes().any(|byte| byte.is_ascii_uppercase() || 0x7f < byte);
        let named = match is_lower {
            true => self.names.get(text),
            false => self.names.get(&text.to_lowercase()),
        };
        let ranged = || {
            let number: i64 = text.parse().ok()?;
            self.ranges.iter().rev().find(|(range, _)| range.contains(&number)).map(|found| found.1)
        };
        named.copied().or_else(ranged).unwrap_or(0)
    }
}

enum Meaning {
    Name(String),
    Range(RangeInclusive<i64>),
}

fn meaning(value: &Value) -> Option<Meaning> {
    Some(match value {
        Value::Int(number) => Meaning::Name(number.to_string()),
        Value::Text(text) => match text.strip_suffix("xx").map(str::parse::<i64>) {
            Some(Ok(hundred @ 2..=5)) => Meaning::Range(hundred * 100..=hundred * 100 + 99),
            _ => Meaning::Name(text.to_lowercase()),
        },
        Value::Map(map) if map.len() == 2 => match (map.get("min")?, map.get("max")?) {
            (Value::Int(min), Value::Int(max)) => Meaning::Range(*min.min(max)..=*min.max(max)),
            _ => return None,
        },
        _ => return None,
    })
}

/// `info` for 9, `info2` for 10.
fn name_of(number: u8) -> String {
    let (name, step) = (NAMES[usize::from((number - 1) / 4 % 6)], (number - 1) % 4);
    if step == 0 { name.to_owned() } else { format!("{name}{}", step + 1) }
}

fn number_of(name: &str) -> Option<u8> {
    let lower = name.to_lowercase();
    if lower == "default" {
        return Some(0);
    }
    (1..=24).find(|number| name_of(*number) == lower || number.to_string() == lower)
}
