//! Headers: names with values that are never shown.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::value::Secret;

/// Names with secret values, in the order in which they are written.
///
/// Written as a map, or as a list of `name` and `value`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, Secret)>);

impl Headers {
    /// The headers in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Secret)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The value of `name`; case does not matter.
    #[must_use]
    pub fn value_of(&self, name: &str) -> Option<&Secret> {
        self.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn add<E: de::Error>(&mut self, name: String, value: Secret) -> Result<(), E> {
        if self.value_of(&name).is_some() {
            let remedy = "names differ in more than upper and lower case; remove one";
            return Err(E::custom(format_args!(
                "the header `{name}` is written twice\nhelp: {remedy}"
            )));
        }
        self.0.push((name, value));
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(HeadersVisitor)
    }
}

struct HeadersVisitor;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    name: String,
    #[serde(default)]
    value: Secret,
}

impl<'de> Visitor<'de> for HeadersVisitor {
    type Value = Headers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of header names and values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Headers, A::Error> {
        let mut headers = Headers::default();
        while let Some((name, value)) = map.next_entry()? {
            headers.add(name, value)?;
        }
        Ok(headers)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Headers, A::Error> {
        let mut headers = Headers::default();
        while let Some(Header { name, value }) = list.next_element()? {
            headers.add(name, value)?;
        }
        Ok(headers)
    }
}

impl JsonSchema for Headers {
    fn schema_name() -> Cow<'static, str> {
        "Headers".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let secret = generator.subschema_for::<Secret>();
        let header = json_schema!({
            "type": "object",
            "properties": { "name": { "type": "string" }, "value": secret.clone() },
            "required": ["name"],
            "additionalProperties": false,
        });
        json_schema!({
            "description": "Names with values; values are never shown.",
            "anyOf": [
                { "type": "object", "additionalProperties": secret },
                { "type": "array", "items": header },
            ],
        })
    }
}

#[cfg(test)]
mod tests;
