//! Any: a value that is written in the configuration.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use crate::receivers::file_log::entry::Value;

/// Any value: a text, a number, a truth value, a list or a map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AnyWords(pub Value);

impl<'de> Deserialize<'de> for AnyWords {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self)
    }
}

impl JsonSchema for AnyWords {
    fn schema_name() -> Cow<'static, str> {
        "AnyValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "Any value." })
    }
}
