//! AnyValue: the value of an attribute or the body of a log record.
//!
//! Printed as the Collector's `AsString` does: text as it is, lists and maps as JSON, bytes in base64.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::attributes::{Attributes, KeyValue};
use super::message::Message;
use crate::payload::shape::number;
use crate::protobuf::{
    Field, Fields, Value, len_field_len, put_bytes_field, put_fixed64_field, put_varint_field,
    varint_len,
};
use crate::schema;

pub(crate) const TEXT: u32 = number(&schema::ANY_VALUE, "string_value");
pub(crate) const BOOL: u32 = number(&schema::ANY_VALUE, "bool_value");
pub(crate) const INT: u32 = number(&schema::ANY_VALUE, "int_value");
pub(crate) const DOUBLE: u32 = number(&schema::ANY_VALUE, "double_value");
pub(crate) const ARRAY: u32 = number(&schema::ANY_VALUE, "array_value");
pub(crate) const MAP: u32 = number(&schema::ANY_VALUE, "kvlist_value");
pub(crate) const BYTES: u32 = number(&schema::ANY_VALUE, "bytes_value");
pub(crate) const VALUES: u32 = number(&schema::ARRAY_VALUE, "values");
pub(crate) const ENTRIES: u32 = number(&schema::KEY_VALUE_LIST, "values");

/// A value, borrowed from a payload.
#[derive(Clone, Debug)]
pub enum AnyValue<'a> {
    Empty,
    Text(&'a str),
    Bool(bool),
    Int(i64),
    Double(f64),
    Bytes(&'a [u8]),
    Array(Array<'a>),
    Map(Attributes<'a>),
}

/// A value that is no longer part of a payload, kept encoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnedValue(Vec<u8>);

impl OwnedValue {
    /// The value, to be looked at.
    #[must_use]
    pub fn view(&self) -> AnyValue<'_> {
        AnyValue::of(&self.0)
    }
}

/// Goes through the values of a list, in order.
#[derive(Clone, Debug)]
pub struct Array<'a>(Fields<'a>);

impl<'a> AnyValue<'a> {
    /// The value in field `number`. Should a sender repeat it, the last choice counts.
    pub(crate) fn in_field(message: Message<'a>, number: u32) -> Self {
        let parts = message.all(number).filter_map(|part| part.bytes());
        let choices = parts.flat_map(Fields::of).filter(|choice| is_choice(choice.number));
        choices.last().map_or(Self::Empty, |choice| Self::from_choice(&choice))
    }

    pub(crate) fn of(encoded: &'a [u8]) -> Self {
        let choice = Fields::of(encoded).filter(|choice| is_choice(choice.number)).last();
        choice.map_or(Self::Empty, |choice| Self::from_choice(&choice))
    }

    fn from_choice(choice: &Field<'a>) -> Self {
        match (choice.number, choice.value) {
            (TEXT, Value::Bytes(_)) => Self::Text(choice.text()),
            (BOOL, Value::Varint(value)) => Self::Bool(value != 0),
            (INT, Value::Varint(value)) => Self::Int(value as i64),
            (DOUBLE, Value::Fixed64(bits)) => Self::Double(f64::from_bits(bits)),
            (ARRAY, Value::Bytes(list)) => Self::Array(Array(Fields::of(list))),
            (MAP, Value::Bytes(map)) => Self::Map(Attributes::direct(Message::of(map), ENTRIES)),
            (BYTES, Value::Bytes(bytes)) => Self::Bytes(bytes),
            _ => Self::Empty,
        }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A copy that outlives the payload.
    #[must_use]
    pub fn detached(&self) -> OwnedValue {
        let mut encoded = Vec::with_capacity(self.encoded_len());
        self.encode(&mut encoded);
        OwnedValue(encoded)
    }

    /// How many bytes it takes, encoded.
    pub(crate) fn encoded_len(&self) -> usize {
        match self {
            Self::Empty => 0,
            Self::Bool(_) => 2,
            Self::Int(value) => 1 + varint_len(*value as u64),
            Self::Double(_) => 9,
            Self::Text(text) => len_field_len(TEXT, text.len()),
            Self::Bytes(bytes) => len_field_len(BYTES, bytes.len()),
            Self::Array(values) => len_field_len(ARRAY, values.0.rest().len()),
            Self::Map(entries) => len_field_len(MAP, entries.encoded().len()),
        }
    }

    /// Appends it, encoded.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Empty => {}
            Self::Bool(value) => put_varint_field(out, BOOL, (*value).into()),
            Self::Int(value) => put_varint_field(out, INT, *value as u64),
            Self::Double(value) => put_fixed64_field(out, DOUBLE, value.to_bits()),
            Self::Text(text) => put_bytes_field(out, TEXT, text.as_bytes()),
            Self::Bytes(bytes) => put_bytes_field(out, BYTES, bytes),
            Self::Array(values) => put_bytes_field(out, ARRAY, values.0.rest()),
            Self::Map(entries) => put_bytes_field(out, MAP, entries.encoded()),
        }
    }

    /// Writes it as JSON: bytes in base64, doubles that are no numbers as text.
    pub fn write_json(&self, out: &mut impl fmt::Write) -> fmt::Result {
        match self {
            Self::Empty => out.write_str("null"),
            Self::Text(text) => write_json_text(text, out),
            Self::Bytes(bytes) => write_json_text(&STANDARD.encode(bytes), out),
            Self::Bool(value) => write!(out, "{value}"),
            Self::Int(value) => write!(out, "{value}"),
            Self::Double(value) if value.is_finite() => write_double(*value, out),
            Self::Double(value) => write_json_text(&value.to_string(), out),
            Self::Array(values) => write_list(values.clone(), out),
            Self::Map(entries) => write_map(entries.clone(), out),
        }
    }
}

fn is_choice(number: u32) -> bool {
    schema::ANY_VALUE.field(number).is_some()
}

impl fmt::Display for AnyValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => Ok(()),
            Self::Text(text) => f.write_str(text),
            Self::Bytes(bytes) => f.write_str(&STANDARD.encode(bytes)),
            Self::Double(value) if !value.is_finite() => write!(f, "{value}"),
            other => other.write_json(f),
        }
    }
}

fn write_list(values: Array<'_>, out: &mut impl fmt::Write) -> fmt::Result {
    out.write_char('[')?;
    for (at, value) in values.enumerate() {
        if 0 < at {
            out.write_char(',')?;
        }
        value.write_json(out)?;
    }
    out.write_char(']')
}

fn write_map(entries: Attributes<'_>, out: &mut impl fmt::Write) -> fmt::Result {
    out.write_char('{')?;
    for (at, entry) in entries.enumerate() {
        if 0 < at {
            out.write_char(',')?;
        }
        write_json_text(entry.key(), out)?;
        out.write_char(':')?;
        KeyValue::value(entry).write_json(out)?;
    }
    out.write_char('}')
}

fn write_json_text(text: &str, out: &mut impl fmt::Write) -> fmt::Result {
    let quoted = serde_json::to_string(text).map_err(|_| fmt::Error)?;
    out.write_str(&quoted)
}

/// Writes a double as JavaScript and Go do: plain, but with an exponent when very large or small.
fn write_double(value: f64, out: &mut impl fmt::Write) -> fmt::Result {
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        let text = format!("{value:e}");
        return match text.split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => {
                write!(out, "{digits}e+{exponent}")
            }
            _ => out.write_str(&text),
        };
    }
    write!(out, "{value}")
}

impl<'a> Iterator for Array<'a> {
    type Item = AnyValue<'a>;

    fn next(&mut self) -> Option<AnyValue<'a>> {
        let field = self.0.find(|field| field.number == VALUES)?;
        Some(AnyValue::of(field.bytes().unwrap_or_default()))
    }
}
