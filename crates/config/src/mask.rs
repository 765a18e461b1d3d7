//! Mask: secrets are struck out of a tree before it is shown.
//!
//! The JSON schema of a configuration says which values are secret, so that a section is masked
//! exactly even when it cannot be read or no pipeline uses it.
//! Invariant: where the schema says nothing about a value, the value is masked.

use serde_json::{Map, Value};

use crate::id::ComponentId;
use crate::node::{Content, Entry, Node};
use crate::scalar::{Meaning, Scalar};

/// What stands for a secret.
pub const MASK: &str = "[REDACTED]";

/// How many `$ref` and `anyOf` are followed for one value.
const STEPS_MAX: usize = 64;

/// What says which values of a configuration are secret.
#[derive(Debug)]
pub struct Description {
    /// A JSON schema of the whole.
    pub schema: Value,
    /// Where in it the component of a type in a top-level section is described, if it is.
    pub pointer_of: fn(&str, &ComponentId) -> Option<String>,
}

impl Description {
    /// A copy of `node` without the values that are secret as the schema at `pointer` says.
    pub(crate) fn mask(&self, node: &Node, pointer: &str) -> Node {
        let schema = self.schema.pointer(pointer);
        Masker { root: &self.schema }.mask(node, schema.as_slice())
    }
}

/// A copy of `node` in which nothing but keys is shown.
#[must_use]
pub fn all(node: &Node) -> Node {
    Masker { root: &Value::Null }.mask(node, &[])
}

/// A copy of `node` in which no URL shows its password; nothing else in it is secret.
#[must_use]
pub fn urls(node: &Node) -> Node {
    Masker { root: &Value::Null }.mask(node, &[&Value::Bool(true)])
}

struct Masker<'a> {
    /// Where the definitions are.
    root: &'a Value,
}

impl<'a> Masker<'a> {
    fn mask(&self, node: &Node, schemas: &[&'a Value]) -> Node {
        let schemas = self.alternatives(schemas);
        let content = match &node.content {
            Content::Scalar(scalar) => Content::Scalar(mask_scalar(scalar, &schemas)),
            Content::List(items) => {
                let below = gather(&schemas, |schema| vec![schema.get("items")]);
                Content::List(items.iter().map(|item| self.mask(item, &below)).collect())
            }
            Content::Map(entries) => {
                let mask = |entry: &Entry| {
                    let below = gather(&schemas, |schema| vec![property(schema, &entry.key)]);
                    Entry { value: self.mask(&entry.value, &below), ..entry.clone() }
                };
                Content::Map(entries.iter().map(mask).collect())
            }
        };
        Node { position: node.position.clone(), content }
    }

    /// All schemas that may apply, once references and alternatives are followed.
    fn alternatives(&self, schemas: &[&'a Value]) -> Vec<&'a Value> {
        let mut found: Vec<&'a Value> = Vec::new();
        let mut open: Vec<&'a Value> = schemas.to_vec();
        while let Some(schema) = open.pop() {
            if STEPS_MAX <= found.len() {
                return Vec::new();
            }
            if found.iter().any(|known| std::ptr::eq(*known, schema)) {
                continue;
            }
            found.push(schema);
            if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
                open.extend(self.root.pointer(name.trim_start_matches('#')));
            }
            for key in ["anyOf", "oneOf", "allOf"] {
                open.extend(schema.get(key).and_then(Value::as_array).into_iter().flatten());
            }
        }
        found
    }
}

fn gather<'a>(
    schemas: &[&'a Value],
    below: impl Fn(&'a Value) -> Vec<Option<&'a Value>>,
) -> Vec<&'a Value> {
    // A schema that is `true`, or an object without any word on types, allows everything.
    let open = schemas.iter().filter(|schema| is_open(schema)).copied();
    schemas.iter().flat_map(|schema| below(schema)).flatten().chain(open).collect()
}

fn is_open(schema: &Value) -> bool {
    const SILENT: [&str; 3] = ["title", "description", "default"];
    let is_silent = |object: &Map<String, Value>| object.keys().all(|key| SILENT.contains(&&**key));
    schema.as_bool() == Some(true) || schema.as_object().is_some_and(is_silent)
}

fn property<'a>(schema: &'a Value, key: &str) -> Option<&'a Value> {
    let named = schema.get("properties").and_then(|properties| properties.get(key));
    named.or_else(|| schema.get("additionalProperties").filter(|below| below.as_bool().is_none()))
}

fn mask_scalar(scalar: &Scalar, schemas: &[&Value]) -> Scalar {
    let is_secret =
        |schema: &&Value| schema.get("format").and_then(Value::as_str) == Some("password");
    if scalar.is_null() {
        return scalar.clone();
    }
    if schemas.is_empty() || schemas.iter().any(is_secret) {
        return Scalar::quoted(MASK);
    }
    match scalar.meaning() {
        Meaning::Text(text) => match without_password(text) {
            Some(text) => Scalar { text, style: scalar.style },
            None => scalar.clone(),
        },
        _ => scalar.clone(),
    }
}

/// The text with the user and password of a URL struck out, if it has them.
fn without_password(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (_, host) = authority.rsplit_once('@')?;
    Some(format!("{scheme}://{MASK}@{host}{}", &rest[authority.len()..]))
}

#[cfg(test)]
mod tests;
