//! Apply: does actions to a list of attributes.
//!
//! Cost: each action looks its key up in the list; only what changes is encoded anew.

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};
use pipeline::Context;
use wire::edit::AttributeList;
use wire::view::{AnyValue, OwnedValue};

use super::config::{Action, ConvertedType, Keys, Source, When};

/// Between several values of one metadata key.
const VALUES_SEPARATOR: &str = ";";

impl Action {
    /// Does the action, on behalf of the client that `context` tells about.
    pub(crate) fn apply(&self, list: &mut AttributeList<'_>, context: &Context) {
        match self {
            Self::Set { key, when, source: Source::Value(value) } => {
                when.set(list, key, &value.view());
            }
            Self::Set { key, when, source } => {
                if let Some(value) = source.value(list, context) {
                    when.set(list, key, &value.view());
                }
            }
            Self::Delete(keys) => {
                list.retain(|attribute| !keys.contain(attribute.key()));
            }
            Self::Hash(keys) => list.replace_values(|attribute| {
                let is_meant = keys.contain(attribute.key());
                is_meant.then(|| AnyValue::Text(&hash(&attribute.value())).detached())
            }),
            Self::Extract { key, pattern } => extract(list, key, pattern),
            Self::Convert { key, to } => {
                if let Some(converted) = list.get(key).and_then(|value| convert(&value, *to)) {
                    list.update(key, &converted.view());
                }
            }
        }
    }
}

impl When {
    fn set(self, list: &mut AttributeList<'_>, key: &str, value: &AnyValue<'_>) {
        match self {
            Self::Absent => {
                list.insert(key, value);
            }
            Self::Present => {
                list.update(key, value);
            }
            Self::Always => list.upsert(key, value),
        }
    }
}

impl Source {
    fn value(&self, list: &AttributeList<'_>, context: &Context) -> Option<OwnedValue> {
        let text = |text: &str| AnyValue::Text(text).detached();
        match self {
            Self::Value(value) => Some(value.view().detached()),
            Self::Attribute(key) => list.get(key).map(|value| value.detached()),
            Self::Metadata(key) => joined(context.metadata.values(key)).as_deref().map(text),
            Self::Identity(key) => joined(context.identity.values(key)).as_deref().map(text),
            Self::PeerAddress => context.peer.as_deref().map(text),
        }
    }
}

impl Keys {
    fn contain(&self, key: &str) -> bool {
        self.key.as_deref() == Some(key)
            || self.pattern.as_ref().is_some_and(|pattern| pattern.is_match(key))
    }
}

fn joined(values: &[String]) -> Option<String> {
    (!values.is_empty()).then(|| values.join(VALUES_SEPARATOR))
}

fn extract(list: &mut AttributeList<'_>, key: &str, pattern: &regex::Regex) {
    let Some(AnyValue::Text(text)) = list.get(key) else { return };
    let Some(captures) = pattern.captures(text) else { return };
    let names = pattern.capture_names().flatten();
    let found: Vec<(&str, String)> = names
        .map(|name| (name, captures.name(name).map_or("", |found| found.as_str()).to_owned()))
        .collect();
    for (name, value) in found {
        list.upsert(name, &AnyValue::Text(&value));
    }
}

/// SHA-256 of the value in hex; empty for values that are neither text nor numbers.
fn hash(value: &AnyValue<'_>) -> String {
    let bytes = match value {
        AnyValue::Text(text) => text.as_bytes().to_vec(),
        AnyValue::Bool(value) => vec![u8::from(*value)],
        AnyValue::Int(value) => value.to_le_bytes().to_vec(),
        AnyValue::Double(value) => value.to_bits().to_le_bytes().to_vec(),
        _ => Vec::new(),
    };
    if bytes.is_empty() {
        return String::new();
    }
    digest(&SHA256, &bytes).as_ref().iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}

/// The value as another type; nothing when it has no such form.
fn convert(value: &AnyValue<'_>, to: ConvertedType) -> Option<OwnedValue> {
    let converted = match (to, value) {
        (ConvertedType::String, AnyValue::Text(_)) => return None,
        (ConvertedType::String, value) => {
            return Some(AnyValue::Text(&value.to_string()).detached());
        }
        (ConvertedType::Int, AnyValue::Double(value)) => AnyValue::Int(*value as i64),
        (ConvertedType::Int, AnyValue::Bool(value)) => AnyValue::Int((*value).into()),
        (ConvertedType::Int, AnyValue::Text(text)) => AnyValue::Int(text.parse().ok()?),
        (ConvertedType::Double, AnyValue::Int(value)) => AnyValue::Double(*value as f64),
        (ConvertedType::Double, AnyValue::Bool(value)) => {
            AnyValue::Double(if *value { 1.0 } else { 0.0 })
        }
        (ConvertedType::Double, AnyValue::Text(text)) => AnyValue::Double(text.parse().ok()?),
        _ => return None,
    };
    Some(converted.detached())
}
