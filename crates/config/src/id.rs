//! Component ids: `type` or `type/name`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer};

/// The id of a component: `otlp`, or `otlp/2`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ComponentId {
    kind: String,
    name: Option<String>,
}

/// The longest type.
const KIND_BYTES_MAX: usize = 63;
/// The longest name.
const NAME_BYTES_MAX: usize = 1024;

/// The text is not a component id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a component id: expected `type` or `type/name`")]
pub struct InvalidId(String);

impl ComponentId {
    /// An id without a name.
    #[must_use]
    pub fn of_kind(kind: &str) -> Self {
        Self { kind: kind.to_owned(), name: None }
    }

    /// The part before the slash.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The part after the slash.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

impl FromStr for ComponentId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidId(text.to_owned());
        let (kind, name) = match text.split_once('/') {
            Some((kind, name)) => (kind.trim(), Some(name.trim())),
            None => (text.trim(), None),
        };
        let kind_is_valid = kind.starts_with(|c: char| c.is_ascii_alphabetic())
            && kind.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && kind.len() <= KIND_BYTES_MAX;
        let name_is_valid = |name: &str| {
            let is_odd = |c: char| c.is_whitespace() || c.is_control();
            !name.is_empty() && name.len() <= NAME_BYTES_MAX && !name.contains(is_odd)
        };
        if !kind_is_valid || !name.is_none_or(name_is_valid) {
            return Err(invalid());
        }
        Ok(Self { kind: kind.to_owned(), name: name.map(str::to_owned) })
    }
}

impl fmt::Display for ComponentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        self.name.iter().try_for_each(|name| write!(f, "/{name}"))
    }
}

impl<'de> Deserialize<'de> for ComponentId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for ComponentId {
    fn schema_name() -> Cow<'static, str> {
        "ComponentId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The id of a component: its type, or `type/name`.",
            "type": "string",
            "pattern": r"^\s*[A-Za-z][A-Za-z0-9_]{0,62}\s*(/\s*\S+\s*)?$",
        })
    }
}

#[cfg(test)]
mod tests;
