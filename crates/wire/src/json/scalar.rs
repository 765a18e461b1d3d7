//! Scalar: one JSON number, text or boolean as the value of a protobuf field.

use std::fmt;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::{Error, Visitor};

use crate::protobuf;
use crate::schema::{Field, Kind};

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Zero means absent and is left out.
    Implicit,
    /// Zero is a value too.
    Explicit,
    /// Inside a packed record, without a tag.
    Packed,
}

/// A value that is no message.
pub(super) struct Scalar<'d> {
    pub(super) field: &'static Field,
    pub(super) form: Form,
    pub(super) out: &'d mut Vec<u8>,
}

/// A JSON number, before it is known what it should be.
#[derive(Clone, Copy)]
enum Number {
    Integer(i128),
    Float(f64),
}

impl Visitor<'_> for Scalar<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(expected(self.field.kind))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        match self.field.kind {
            Kind::Bool => self.put_number(value.into()),
            kind => return Err(E::custom(expected(kind))),
        }
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.visit_number(Number::Integer(value.into()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.visit_number(Number::Integer(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.visit_number(Number::Float(value))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        let fails = || E::custom(expected(self.field.kind));
        match self.field.kind {
            Kind::String => self.put_bytes(text.as_bytes()),
            Kind::Bytes => {
                let bytes = from_base64(text).ok_or_else(fails)?;
                self.put_bytes(&bytes);
            }
            Kind::Id(len) => {
                let mut id = [0; ID_BYTES_MAX];
                let id = from_hex(text, &mut id[..len]).ok_or_else(fails)?;
                self.put_bytes(id);
            }
            Kind::Enum(enumeration) => {
                let number = enumeration.number(text).ok_or_else(fails)?;
                self.put_number(i64::from(number) as u64);
            }
            Kind::Double if let Some(value) = named_float(text) => self.put_number(value.to_bits()),
            Kind::Bool | Kind::Message(_) => return Err(fails()),
            _ => return self.visit_number(number_in(text).ok_or_else(fails)?),
        }
        Ok(())
    }
}

impl Scalar<'_> {
    fn visit_number<E: Error>(self, number: Number) -> Result<(), E> {
        let kind = self.field.kind;
        let raw = wire_value(kind, number).ok_or_else(|| E::custom(expected(kind)))?;
        self.put_number(raw);
        Ok(())
    }

    fn put_number(self, raw: u64) {
        if raw == 0 && self.form == Form::Implicit {
            return;
        }
        let wire_type = self.field.kind.wire_type();
        if self.form != Form::Packed {
            protobuf::put_tag(self.out, self.field.number, wire_type);
        }
        match wire_type {
            protobuf::FIXED64 => self.out.extend_from_slice(&raw.to_le_bytes()),
            protobuf::FIXED32 => self.out.extend_from_slice(&(raw as u32).to_le_bytes()),
            _ => protobuf::put_varint(self.out, raw),
        }
    }

    fn put_bytes(self, bytes: &[u8]) {
        if !bytes.is_empty() || self.form != Form::Implicit {
            protobuf::put_bytes_field(self.out, self.field.number, bytes);
        }
    }
}

/// What a field takes, in words.
const fn expected(kind: Kind) -> &'static str {
    match kind {
        Kind::Bool => "expected true or false",
        Kind::Int32 | Kind::Sint32 | Kind::Index(_) => "expected a 32-bit integer",
        Kind::Uint32 | Kind::Fixed32 => "expected an unsigned 32-bit integer",
        Kind::Int64 | Kind::Sfixed64 => "expected a 64-bit integer",
        Kind::Uint64 | Kind::Fixed64 => "expected an unsigned 64-bit integer",
        Kind::Double => "expected a number, \"NaN\", \"Infinity\" or \"-Infinity\"",
        Kind::String => "expected a string",
        Kind::Bytes => "expected a string in base64",
        Kind::Id(8) => "expected 16 hex digits, or none",
        Kind::Id(_) => "expected 32 hex digits, or none",
        Kind::Enum(_) => "expected the number or the name of an enum value",
        Kind::Message(_) => "expected an object",
    }
}

/// The value as it stands on the wire, or nothing when it does not fit the kind.
fn wire_value(kind: Kind, number: Number) -> Option<u64> {
    if let Kind::Double = kind {
        return Some(match number {
            Number::Integer(value) => (value as f64).to_bits(),
            Number::Float(value) => value.to_bits(),
        });
    }
    let integer = integer(number)?;
    match kind {
        Kind::Int32 | Kind::Index(_) | Kind::Enum(_) => {
            i32::try_from(integer).ok().map(|value| i64::from(value) as u64)
        }
        Kind::Sint32 => i32::try_from(integer).ok().map(zigzag),
        Kind::Uint32 | Kind::Fixed32 => u32::try_from(integer).ok().map(u64::from),
        Kind::Int64 | Kind::Sfixed64 => i64::try_from(integer).ok().map(|value| value as u64),
        Kind::Uint64 | Kind::Fixed64 => u64::try_from(integer).ok(),
        _ => None,
    }
}

/// A whole number, however it is written: `1e3` is one too.
fn integer(number: Number) -> Option<i128> {
    // Beyond this no kind has values, and below it the conversion is exact.
    const LIMIT: f64 = 18_446_744_073_709_551_616.0;
    match number {
        Number::Integer(value) => Some(value),
        Number::Float(value) if value.fract() == 0.0 && value.abs() < LIMIT => Some(value as i128),
        Number::Float(_) => None,
    }
}

fn zigzag(value: i32) -> u64 {
    u64::from(((value << 1) ^ (value >> 31)).cast_unsigned())
}

/// A JSON number in a string.
fn number_in(text: &str) -> Option<Number> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !digits.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    if let Ok(integer) = text.parse() {
        return Some(Number::Integer(integer));
    }
    let are_allowed = |byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-');
    let value: f64 = text.parse().ok().filter(|_| digits.bytes().all(are_allowed))?;
    value.is_finite().then_some(Number::Float(value))
}

fn named_float(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

const ID_BYTES_MAX: usize = 16;

/// Fills `id` from hex digits; an empty text is an empty id.
fn from_hex<'a>(text: &str, id: &'a mut [u8]) -> Option<&'a [u8]> {
    if text.is_empty() {
        return Some(&[]);
    }
    if text.len() != id.len() * 2 {
        return None;
    }
    for (byte, pair) in id.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
    }
    Some(id)
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

/// Padding may be missing and the last bits unused, as with other parsers.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Bytes in base64, in the standard or in the URL-safe alphabet.
fn from_base64(text: &str) -> Option<Vec<u8>> {
    if text.contains(['-', '_']) {
        return BASE64.decode(text.replace('-', "+").replace('_', "/")).ok();
    }
    BASE64.decode(text).ok()
}
