//! Write: protobuf into JSON, driven by the schema.
//!
//! Most writers put the values of a field side by side: then a message is written in one walk. Where
//! they do not, values are gathered first, and singular fields that repeat are merged as a decoder would.
//! Invariant: well-formed input gives the JSON of the message that a decoder would have made.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::protobuf::{self, Fields, Value};
use crate::scan::DEPTH_MAX;
use crate::schema::{FIELD_NUMBER_MAX, Field, Kind, Message};

/// Appends a message as JSON.
pub(super) fn write(message: &'static Message, encoded: &[u8], out: &mut Vec<u8>) {
    Writer { out, depth: 0 }.message(message, encoded);
}

struct Writer<'o> {
    out: &'o mut Vec<u8>,
    depth: usize,
}

/// A field of the schema with one of its records.
type Known<'a> = (&'static Field, Value<'a>);

impl Writer<'_> {
    fn message(&mut self, message: &'static Message, encoded: &[u8]) {
        self.out.push(b'{');
        if self.depth <= DEPTH_MAX {
            self.depth += 1;
            if is_orderly(message, encoded) {
                self.orderly(message, encoded);
            } else {
                self.gathered(message, encoded);
            }
            self.depth -= 1;
        }
        self.out.push(b'}');
    }

    /// Writes members as they come.
    fn orderly(&mut self, message: &'static Message, encoded: &[u8]) {
        let mut records = known(message, encoded).peekable();
        let mut is_first = true;
        while let Some((field, value)) = records.next() {
            self.name(field, &mut is_first);
            if !field.is_repeated() {
                self.single(field.kind, value);
                continue;
            }
            self.out.push(b'[');
            self.elements(field, value);
            while let Some((_, value)) = records.next_if(|(next, _)| next.number == field.number) {
                self.elements(field, value);
            }
            self.end_list();
        }
    }

    /// Writes members in the order of the schema, each from all its records.
    fn gathered(&mut self, message: &'static Message, encoded: &[u8]) {
        let mut is_first = true;
        for field in message.fields {
            let of_field = |(other, _): &Known<'_>| other.number == field.number;
            let mut records = known(message, encoded).filter(of_field).peekable();
            if records.peek().is_none() || is_replaced(message, field, encoded) {
                continue;
            }
            self.name(field, &mut is_first);
            if field.is_repeated() {
                self.out.push(b'[');
                records.for_each(|(_, value)| self.elements(field, value));
                self.end_list();
            } else {
                self.merged(message, field, encoded);
            }
        }
    }

    /// Writes a singular field that may have several records: messages merge, else the last one counts.
    fn merged(&mut self, message: &'static Message, field: &'static Field, encoded: &[u8]) {
        let mut whole = Vec::new();
        let mut last = None;
        for (other, value) in known(message, encoded) {
            match value {
                _ if other.number == field.number => {
                    last = Some(value);
                    if let (Kind::Message(_), Value::Bytes(part)) = (field.kind, value) {
                        whole.extend_from_slice(part);
                    }
                }
                // Another member of the same oneof throws away what was there.
                _ if other.oneof().is_some() && other.oneof() == field.oneof() => whole.clear(),
                _ => {}
            }
        }
        match (field.kind, last) {
            (Kind::Message(inner), Some(_)) => self.message(inner, &whole),
            (kind, Some(value)) => self.single(kind, value),
            (_, None) => self.out.extend_from_slice(b"null"),
        }
    }

    fn name(&mut self, field: &Field, is_first: &mut bool) {
        if !std::mem::take(is_first) {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(field.json_name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    /// Writes the values of one record of a repeated field, each with a comma behind it.
    fn elements(&mut self, field: &Field, value: Value<'_>) {
        match value {
            Value::Bytes(packed) if field.kind.is_scalar() => {
                for value in Packed::of(field.kind, packed) {
                    self.single(field.kind, value);
                    self.out.push(b',');
                }
            }
            _ => {
                self.single(field.kind, value);
                self.out.push(b',');
            }
        }
    }

    fn end_list(&mut self) {
        if self.out.last() == Some(&b',') {
            self.out.pop();
        }
        self.out.push(b']');
    }

    fn single(&mut self, kind: Kind, value: Value<'_>) {
        match (kind, value) {
            (Kind::Message(message), Value::Bytes(encoded)) => self.message(message, encoded),
            (Kind::String, Value::Bytes(text)) => self.json(&*String::from_utf8_lossy(text)),
            (Kind::Id(_), Value::Bytes(id)) => self.hex(id),
            (_, Value::Bytes(bytes)) => self.base64(bytes),
            (_, Value::Varint(raw) | Value::Fixed64(raw)) => self.number(kind, raw),
            (_, Value::Fixed32(raw)) => self.number(kind, raw.into()),
        }
    }

    fn number(&mut self, kind: Kind, raw: u64) {
        match kind {
            Kind::Bool => self.json(&(raw != 0)),
            Kind::Int32 | Kind::Index(_) | Kind::Enum(_) => self.json(&(raw as i32)),
            Kind::Uint32 | Kind::Fixed32 => self.json(&(raw as u32)),
            Kind::Sint32 => self.json(&unzigzag(raw as u32)),
            Kind::Int64 | Kind::Sfixed64 => self.quoted(&(raw as i64)),
            Kind::Double => self.double(f64::from_bits(raw)),
            _ => self.quoted(&raw),
        }
    }

    fn double(&mut self, value: f64) {
        if value.is_nan() {
            self.out.extend_from_slice(b"\"NaN\"");
        } else if value.is_infinite() {
            let name: &[u8] = if value < 0.0 { b"\"-Infinity\"" } else { b"\"Infinity\"" };
            self.out.extend_from_slice(name);
        } else {
            self.json(&value);
        }
    }

    /// A 64-bit number goes into a string: JavaScript would round it.
    fn quoted(&mut self, number: &impl serde::Serialize) {
        self.out.push(b'"');
        self.json(number);
        self.out.push(b'"');
    }

    fn json(&mut self, value: &(impl serde::Serialize + ?Sized)) {
        let written = serde_json::to_writer(&mut *self.out, value);
        debug_assert!(written.is_ok(), "a vector takes everything");
    }

    fn hex(&mut self, id: &[u8]) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        self.out.push(b'"');
        for byte in id {
            self.out.push(DIGITS[usize::from(byte >> 4)]);
            self.out.push(DIGITS[usize::from(byte & 15)]);
        }
        self.out.push(b'"');
    }

    fn base64(&mut self, bytes: &[u8]) {
        self.out.push(b'"');
        let start = self.out.len();
        self.out.resize(start + bytes.len().div_ceil(3) * 4, 0);
        let written = STANDARD.encode_slice(bytes, &mut self.out[start..]);
        debug_assert!(written.is_ok(), "room for all groups was made");
        self.out.push(b'"');
    }
}

/// The records of a message that the schema knows, of the wire type that it wants.
fn known<'a>(message: &'static Message, encoded: &'a [u8]) -> impl Iterator<Item = Known<'a>> {
    Fields::of(encoded).filter_map(|record| {
        let field = message.field(record.number)?;
        is_of_kind(field, record.value).then_some((field, record.value))
    })
}

fn is_of_kind(field: &Field, value: Value<'_>) -> bool {
    let wanted = field.kind.wire_type();
    match value {
        Value::Varint(_) => wanted == protobuf::VARINT,
        Value::Fixed64(_) => wanted == protobuf::FIXED64,
        Value::Fixed32(_) => wanted == protobuf::FIXED32,
        Value::Bytes(_) => wanted == protobuf::LEN || field.is_repeated(),
    }
}

/// Whether the records of each field stand side by side, and singular ones and oneofs come once.
fn is_orderly(message: &'static Message, encoded: &[u8]) -> bool {
    const _: () = assert!(FIELD_NUMBER_MAX < u32::BITS);
    let mut seen = 0_u32;
    let mut last = 0;
    let mut has_choice = false;
    for (field, _) in known(message, encoded) {
        let bit = 1 << field.number;
        let goes_on = field.number == last && field.is_repeated();
        if seen & bit != 0 && !goes_on {
            return false;
        }
        if field.oneof().is_some() && std::mem::replace(&mut has_choice, true) {
            return false;
        }
        seen |= bit;
        last = field.number;
    }
    true
}

/// Whether a later member of the same oneof takes the place of `field`.
fn is_replaced(message: &'static Message, field: &Field, encoded: &[u8]) -> bool {
    let Some(oneof) = field.oneof() else { return false };
    let last = known(message, encoded).filter(|(other, _)| other.oneof() == Some(oneof)).last();
    last.is_some_and(|(other, _)| other.number != field.number)
}

/// The values in a packed record.
struct Packed<'a> {
    wire_type: u8,
    rest: &'a [u8],
}

impl<'a> Packed<'a> {
    fn of(kind: Kind, packed: &'a [u8]) -> Self {
        Self { wire_type: kind.wire_type(), rest: packed }
    }
}

impl<'a> Iterator for Packed<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        if self.wire_type == protobuf::VARINT {
            let mut at = 0;
            let value = protobuf::read_varint(self.rest, &mut at).ok()?;
            self.rest = &self.rest[at..];
            return Some(Value::Varint(value));
        }
        if self.wire_type == protobuf::FIXED64 {
            let (value, rest) = self.rest.split_first_chunk::<8>()?;
            self.rest = rest;
            return Some(Value::Fixed64(u64::from_le_bytes(*value)));
        }
        let (value, rest) = self.rest.split_first_chunk::<4>()?;
        self.rest = rest;
        Some(Value::Fixed32(u32::from_le_bytes(*value)))
    }
}

fn unzigzag(raw: u32) -> i32 {
    (raw >> 1).cast_signed() ^ -(raw & 1).cast_signed()
}
