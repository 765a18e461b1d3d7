//! The `trace_parser` operator, and the `trace` block of parsers.

use config::Faults;
use schemars::JsonSchema;
use serde::Deserialize;

use super::route::{field_or, operator_words};
use super::{Transform, Work};
use crate::receivers::file_log::entry::{Entry, Field};

operator_words! {
    /// Reads trace, span and flags of an entry from its fields, in hex.
    pub struct Words {
        /// The trace.
        pub trace_id: Option<FromWords>,
        /// The span.
        pub span_id: Option<FromWords>,
        /// The flags.
        pub trace_flags: Option<FromWords>,
    }
}

/// Reads trace, span and flags of an entry.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TraceWords {
    /// The trace.
    pub trace_id: Option<FromWords>,
    /// The span.
    pub span_id: Option<FromWords>,
    /// The flags.
    pub trace_flags: Option<FromWords>,
}

/// Where something is read.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FromWords {
    /// The field to read; the one of the same name in the body, unless it is written.
    pub parse_from: Option<String>,
}

/// Reads trace, span and flags of an entry.
#[derive(Debug)]
pub(super) struct TraceParser {
    trace_id: Option<Field>,
    span_id: Option<Field>,
    trace_flags: Option<Field>,
}

impl Words {
    pub(super) fn build(self, faults: &mut Faults) -> Option<Work> {
        let (trace_id, span_id, trace_flags) = (self.trace_id, self.span_id, self.trace_flags);
        let parser = faults.take("", TraceWords { trace_id, span_id, trace_flags }.validate())?;
        Some(Work::Transform(Box::new(parser)))
    }
}

impl TraceWords {
    pub(super) fn validate(self) -> Result<TraceParser, Faults> {
        let mut faults = Faults::default();
        if self.trace_id.is_none() && self.span_id.is_none() && self.trace_flags.is_none() {
            let message = "at least one of `trace_id`, `span_id` and `trace_flags` is needed";
            faults.add("", message);
        }
        let mut from = |key: &str, words: Option<FromWords>| {
            let default = Field { root: Field::body().root, keys: vec![key.to_owned()] };
            let path = format!("{key}.parse_from");
            words.and_then(|words| field_or(&path, words.parse_from, default, &mut faults))
        };
        let trace_id = from("trace_id", self.trace_id);
        let span_id = from("span_id", self.span_id);
        let trace_flags = from("trace_flags", self.trace_flags);
        faults.or(|| TraceParser { trace_id, span_id, trace_flags })
    }
}

impl Transform for TraceParser {
    /// What is absent is passed over: not every line belongs to a trace.
    fn apply(&self, entry: &mut Entry) -> Result<(), String> {
        let trace_id = read(self.trace_id.as_ref(), entry)?;
        let span_id = read(self.span_id.as_ref(), entry)?;
        let flags = read::<1>(self.trace_flags.as_ref(), entry)?;
        entry.trace_id = trace_id.or(entry.trace_id);
        entry.span_id = span_id.or(entry.span_id);
        entry.trace_flags = flags.map(|[flags]| flags.into()).or(entry.trace_flags);
        Ok(())
    }
}

fn read<const N: usize>(field: Option<&Field>, entry: &Entry) -> Result<Option<[u8; N]>, String> {
    let Some(field) = field else { return Ok(None) };
    let Some(found) = field.of(entry) else { return Ok(None) };
    let text = found.as_text();
    let text = text.ok_or_else(|| format!("`{field}` is {}, not text", found.kind()))?;
    let text = text.strip_prefix("0x").unwrap_or(text);
    if text.is_empty() {
        return Ok(None);
    }
    let fault = || format!("`{field}` is not {} hex digits", 2 * N);
    if text.len() != 2 * N || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(fault());
    }
    let mut id = [0; N];
    for (at, byte) in id.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).map_err(|_| fault())?;
    }
    Ok(Some(id))
}
