//! Render: a tree becomes YAML or JSON again.
//!
//! Invariant: what is rendered parses to an equal tree; other YAML libraries read the same from it.

use serde_json::{Map, Number, Value};

use crate::node::{Content, Entry, Node};
use crate::scalar::{Meaning, Scalar, resolve};

/// The tree as YAML, in blocks.
#[must_use]
pub fn yaml(node: &Node) -> String {
    let mut text = String::new();
    match &node.content {
        Content::Map(entries) if !entries.is_empty() => write_map(&mut text, entries, 0),
        Content::List(items) if !items.is_empty() => write_list(&mut text, items, 0),
        content => {
            text.push_str(&inline(content));
            text.push('\n');
        }
    }
    text
}

/// The tree as JSON; numbers that JSON cannot hold become text.
#[must_use]
pub fn json(node: &Node) -> Value {
    match &node.content {
        Content::List(items) => Value::Array(items.iter().map(json).collect()),
        Content::Map(entries) => {
            let pairs = entries.iter().map(|entry| (entry.key.clone(), json(&entry.value)));
            Value::Object(pairs.collect::<Map<_, _>>())
        }
        Content::Scalar(scalar) => {
            match scalar.meaning() {
                Meaning::Null => Value::Null,
                Meaning::Bool(value) => Value::Bool(value),
                Meaning::Integer(value) => Number::from_i128(value)
                    .map_or_else(|| scalar.text.clone().into(), Value::Number),
                Meaning::Float(value) => Number::from_f64(value)
                    .map_or_else(|| scalar.text.clone().into(), Value::Number),
                Meaning::Text(text) => Value::String(text.to_owned()),
            }
        }
    }
}

fn write_map(text: &mut String, entries: &[Entry], indent: usize) {
    for (number, entry) in entries.iter().enumerate() {
        // The first key may follow the dash of a list item.
        if number != 0 || text.is_empty() || text.ends_with('\n') {
            text.push_str(&" ".repeat(indent));
        }
        text.push_str(&scalar(&Scalar::quoted(entry.key.as_str())));
        text.push(':');
        match &entry.value.content {
            Content::Map(below) if !below.is_empty() => {
                text.push('\n');
                write_map(text, below, indent + 2);
            }
            Content::List(items) if !items.is_empty() => {
                text.push('\n');
                write_list(text, items, indent + 2);
            }
            content => write_inline(text, content),
        }
    }
}

fn write_list(text: &mut String, items: &[Node], indent: usize) {
    for (number, item) in items.iter().enumerate() {
        if number != 0 || text.is_empty() || text.ends_with('\n') {
            text.push_str(&" ".repeat(indent));
        }
        text.push('-');
        match &item.content {
            Content::Map(entries) if !entries.is_empty() => {
                text.push(' ');
                write_map(text, entries, indent + 2);
            }
            Content::List(items) if !items.is_empty() => {
                text.push(' ');
                write_list(text, items, indent + 2);
            }
            content => write_inline(text, content),
        }
    }
}

fn write_inline(text: &mut String, content: &Content) {
    text.push(' ');
    text.push_str(&inline(content));
    text.push('\n');
}

/// A single value, or an empty collection.
fn inline(content: &Content) -> String {
    match content {
        Content::Scalar(value) => scalar(value),
        Content::List(_) => "[]".to_owned(),
        Content::Map(_) => "{}".to_owned(),
    }
}

fn scalar(scalar: &Scalar) -> String {
    let text = &scalar.text;
    match scalar.meaning() {
        Meaning::Null => "null".to_owned(),
        Meaning::Bool(_) | Meaning::Integer(_) | Meaning::Float(_) => text.clone(),
        Meaning::Text(_) if needs_quotes(scalar) => quoted(text),
        Meaning::Text(_) => text.clone(),
    }
}

/// Words that other libraries take as truth values.
const TRUTHS: [&str; 8] = ["y", "n", "yes", "no", "on", "off", "true", "false"];

fn needs_quotes(scalar: &Scalar) -> bool {
    let text = scalar.text.as_str();
    let is_plain_letter = |c: char| {
        c.is_alphanumeric()
            || matches!(
                c,
                '_' | '.' | '/' | '-' | '+' | ':' | ' ' | '$' | '@' | ';' | '(' | ')' | '=' | '~'
            )
    };
    let starts_well = text.starts_with(|c: char| c.is_alphabetic() || matches!(c, '/' | '_' | '$'));
    // Plain text that starts like a number or a date was plain when it was read.
    let is_well = starts_well
        && text.chars().all(is_plain_letter)
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !TRUTHS.contains(&text.to_ascii_lowercase().as_str());
    !is_well || !matches!(resolve(text), Meaning::Text(_)) || text.contains("  ")
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                quoted.push_str(&format!("\\U{:08x}", u32::from(c)));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests;
