use std::fmt::Write as _;

use ::config::section::Words;
use ::config::{Faults, Gates, Section};
use schemars::JsonSchema;
use serde::Deserialize;

use super::*;
use crate::receivers::file_log::entry::{FileKey, Map, Origin, Value};

mod documentation;
mod graph;
mod parsers;
mod random;
mod waiting;

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct OperatorsWords {
    operators: Vec<OperatorWords>,
}

impl Words for OperatorsWords {
    type Settings = Plan;

    fn validate(self, _: &Gates) -> Result<Plan, Faults> {
        Plan::validate("operators", self.operators)
    }
}

/// Reads a list of operators.
fn plan(yaml: &str) -> Result<Plan, String> {
    let indented: String = yaml.lines().fold(String::new(), |mut text, line| {
        writeln!(text, "  {line}").unwrap();
        text
    });
    let section = Section::from_yaml(&format!("operators:\n{indented}"));
    let section = section.map_err(|problems| format!("{problems:?}"))?;
    section
        .read::<OperatorsWords>(&Gates::default())
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

fn chain(yaml: &str) -> Chain {
    Chain::new(std::sync::Arc::new(plan(yaml).unwrap_or_else(|error| panic!("{error}"))))
}

/// An entry written as JSON: a map of its parts.
fn entry(json: &str, range: std::ops::Range<u64>) -> Entry {
    let Ok(Value::Map(mut parts)) = Value::from_json(json, true) else { panic!("{json}") };
    let origin = Origin { file: FileKey(1), range };
    let mut entry = Entry::new(parts.shift_remove("body").unwrap_or_default(), origin);
    let mut map = |key: &str| match parts.shift_remove(key) {
        Some(Value::Map(map)) => map,
        _ => Map::new(),
    };
    entry.attributes = map("attributes");
    entry.resource = map("resource");
    assert!(parts.is_empty(), "unknown parts in {json}");
    entry.observed_time_unix_nano = 1_700_000_000_000_000_000;
    entry
}

/// An entry as JSON; parts that say nothing are left out.
fn json(entry: &Entry) -> String {
    let hex = |bytes: &[u8]| {
        Value::Text(bytes.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        }))
    };
    let time = jiff::Timestamp::from_nanosecond(entry.time_unix_nano.into()).unwrap();
    let mut parts = Map::new();
    let mut put = |key: &str, value: Value, is_there: bool| {
        if is_there {
            parts.insert(key.to_owned(), value);
        }
    };
    put("timestamp", Value::Text(time.to_string()), 0 < entry.time_unix_nano);
    put("severity_number", Value::Int(entry.severity_number.into()), 0 < entry.severity_number);
    let text = &entry.severity_text;
    put("severity_text", Value::Text(text.clone()), !text.is_empty());
    put("body", entry.body.clone(), entry.body != Value::Nil);
    put("attributes", Value::Map(entry.attributes.clone()), !entry.attributes.is_empty());
    put("resource", Value::Map(entry.resource.clone()), !entry.resource.is_empty());
    put("scope", Value::Text(entry.scope_name.clone()), !entry.scope_name.is_empty());
    put("trace_id", hex(&entry.trace_id.unwrap_or_default()), entry.trace_id.is_some());
    put("span_id", hex(&entry.span_id.unwrap_or_default()), entry.span_id.is_some());
    let flags = entry.trace_flags.unwrap_or_default();
    put("trace_flags", Value::Int(flags.into()), entry.trace_flags.is_some());
    Value::Map(parts).to_string()
}

/// What leaves a chain, after all that it holds was let go.
fn run(chain: &mut Chain, entries: &[&str]) -> Vec<Entry> {
    let now = runtime::clock::Clock.now();
    let mut out = Vec::new();
    for (at, text) in (0..).zip(entries) {
        chain.process(entry(text, at * 10..at * 10 + 10), now, &mut out);
    }
    chain.end_of_file(FileKey(1), now, &mut out);
    assert_eq!(chain.held_bytes(), 0, "nothing is held after the end");
    out
}

/// The same as JSON, both sides with keys in one order.
fn check(yaml: &str, entries: &[&str], expected: &[&str]) {
    let found: Vec<String> = run(&mut chain(yaml), entries).iter().map(json).collect();
    let found: Vec<_> = found.iter().map(|text| parsed(text)).collect();
    let expected: Vec<_> = expected.iter().map(|text| parsed(text)).collect();
    assert_eq!(found, expected, "{yaml}");
}

fn parsed(json: &str) -> serde_json::Value {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"))
}

/// What is told about the first entry, which goes on as it is.
fn check_error(yaml: &str, text: &str, expected: &str) {
    let mut chain = chain(yaml);
    let left = run(&mut chain, &[text]);
    let errors: Vec<_> =
        chain.take_reports().into_iter().filter_map(|report| report.first_error).collect();
    assert_eq!(errors, [expected], "{yaml}");
    assert_eq!(left.len(), 1, "errors keep the line");
}

fn check_refused(yaml: &str, expected: &[&str]) {
    let error = plan(yaml).expect_err("it should be refused");
    for part in expected {
        assert!(error.contains(part), "{part:?} in\n{error}");
    }
}
