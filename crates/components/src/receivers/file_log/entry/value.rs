//! Value: what a body or an attribute can be.

use std::fmt;

use indexmap::IndexMap;
use wire::logs::ValueWriter;

/// Values by name, in the order in which they came.
pub type Map = IndexMap<String, Value>;

/// What a body or an attribute can be.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    #[default]
    Nil,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(String),
    Bytes(Vec<u8>),
    List(Vec<Value>),
    Map(Map),
}

impl Value {
    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The map, if it is one.
    #[must_use]
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// What kind of value it is, for messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Bool(_) => "a truth value",
            Self::Int(_) | Self::Double(_) => "a number",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }

    /// Makes it a map, if it is none, and gives access to that.
    pub(crate) fn to_map_mut(&mut self) -> &mut Map {
        if !matches!(self, Self::Map(_)) {
            *self = Self::Map(Map::new());
        }
        match self {
            Self::Map(map) => map,
            _ => unreachable!("it was made a map just now"),
        }
    }

    /// Memory that it takes, roughly.
    #[must_use]
    pub fn bytes_len(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Nil | Self::Bool(_) | Self::Int(_) | Self::Double(_) => 0,
                Self::Text(text) => text.len(),
                Self::Bytes(bytes) => bytes.len(),
                Self::List(list) => list.iter().map(Self::bytes_len).sum(),
                Self::Map(map) => map_bytes_len(map),
            }
    }

    /// Writes it as OTLP; what nests too deep is written as JSON.
    pub(crate) fn encode(&self, writer: ValueWriter<'_>) {
        match self {
            Self::Nil => {}
            Self::Bool(value) => writer.bool(*value),
            Self::Int(value) => writer.int(*value),
            Self::Double(value) => writer.double(*value),
            Self::Text(text) => writer.text(text),
            Self::Bytes(bytes) => writer.bytes(bytes),
            Self::List(_) | Self::Map(_) if writer.is_deepest() => writer.text(&self.to_string()),
            Self::List(values) => writer.list(|list| {
                values.iter().for_each(|value| list.value(|writer| value.encode(writer)));
            }),
            Self::Map(entries) => writer.map(|map| {
                let mut write = |(key, value): (&String, &Self)| {
                    map.entry(key, |writer| value.encode(writer));
                };
                entries.iter().for_each(&mut write);
            }),
        }
    }
}

pub(crate) fn map_bytes_len(map: &Map) -> usize {
    map.iter().map(|(key, value)| 32 + key.len() + value.bytes_len()).sum()
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// Text as it is, all else as JSON.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            other => {
                let json = serde_json::to_string(other).map_err(|_| fmt::Error)?;
                f.write_str(&json)
            }
        }
    }
}
