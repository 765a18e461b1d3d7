//! Detailed: every field of a message, a line each, as the schema of OTLP names it.

use std::fmt::Write as _;
use std::io::{self, Write};

use wire::protobuf::{Field as Encoded, Fields, read_varint};
use wire::schema::{self, Field, Kind, Message, Table};

use crate::calendar::rfc3339;

/// Writes messages of one request.
#[derive(Debug)]
pub(super) struct Printer<'a> {
    /// The strings of the profiles dictionary; empty for other signals.
    pub(super) strings: Vec<&'a str>,
}

impl<'a> Printer<'a> {
    /// Writes all fields of `encoded`, indented by `depth` steps.
    pub(super) fn message(
        &self,
        out: &mut dyn Write,
        message: &Message,
        encoded: &'a [u8],
        depth: usize,
    ) -> io::Result<()> {
        for field in message.fields {
            let found = Fields::of(encoded).filter(|one| one.number == field.number);
            let found: Vec<Encoded<'a>> = found.collect();
            if !found.is_empty() {
                self.field(out, field, &found, depth)?;
            }
        }
        for unknown in Fields::of(encoded).filter(|one| message.field(one.number).is_none()) {
            let bytes = unknown.end - unknown.start;
            writeln!(out, "{:1$}unknown field {2}: {bytes} bytes", "", 2 * depth, unknown.number)?;
        }
        Ok(())
    }

    fn field(
        &self,
        out: &mut dyn Write,
        field: &Field,
        found: &[Encoded<'a>],
        depth: usize,
    ) -> io::Result<()> {
        let indent = 2 * depth;
        let mut bodies = found.iter().filter_map(|one| one.bytes());
        match field.kind {
            Kind::Message(inner) if is(inner, &schema::KEY_VALUE) => {
                writeln!(out, "{:indent$}{}", "", field.name)?;
                for pair in bodies {
                    let (key, value) = self.pair(pair);
                    writeln!(out, "{:indent$}  {key}: {value}", "")?;
                }
                Ok(())
            }
            Kind::Message(inner) if field.is_repeated() => {
                for (index, body) in bodies.enumerate() {
                    writeln!(out, "{:indent$}{} #{index}", "", field.name)?;
                    self.message(out, inner, body, depth + 1)?;
                }
                Ok(())
            }
            Kind::Message(inner) if is(inner, &schema::ANY_VALUE) => {
                let value = bodies.next_back().map_or_else(String::new, |body| self.any(body));
                writeln!(out, "{:indent$}{}: {value}", "", field.name)
            }
            Kind::Message(inner) => {
                writeln!(out, "{:indent$}{}", "", field.name)?;
                bodies.next_back().map_or(Ok(()), |body| self.message(out, inner, body, depth + 1))
            }
            _ => writeln!(out, "{:indent$}{}: {}", "", field.name, self.scalars(field, found)),
        }
    }

    fn scalars(&self, field: &Field, found: &[Encoded<'a>]) -> String {
        if !field.is_repeated() {
            return found.last().map_or_else(String::new, |one| self.scalar(field, *one));
        }
        let values = found.iter().flat_map(|one| match one.bytes() {
            Some(packed) if field.is_packed() => {
                unpacked(field.kind, packed).map(|raw| self.number(field, raw)).collect()
            }
            _ => vec![self.scalar(field, *one)],
        });
        format!("[{}]", values.collect::<Vec<_>>().join(", "))
    }

    fn scalar(&self, field: &Field, encoded: Encoded<'a>) -> String {
        match field.kind {
            Kind::String => format!("{:?}", encoded.text()),
            Kind::Bytes | Kind::Id(_) => hex(encoded.bytes().unwrap_or_default()),
            _ => self.number(field, encoded.number_value()),
        }
    }

    fn number(&self, field: &Field, raw: u64) -> String {
        match field.kind {
            Kind::Bool => (raw != 0).to_string(),
            Kind::Double => format!("{:?}", f64::from_bits(raw)),
            Kind::Int32 => (raw as i32).to_string(),
            Kind::Int64 | Kind::Sfixed64 => raw.cast_signed().to_string(),
            Kind::Sint32 => ((raw >> 1).cast_signed() ^ -(raw & 1).cast_signed()).to_string(),
            Kind::Enum(kinds) => {
                let name = kinds.values.iter().find(|(number, _)| *number == raw as i32);
                name.map_or_else(|| (raw as i32).to_string(), |(_, name)| (*name).to_owned())
            }
            Kind::Index(Table::Strings) => format!("{raw} {:?}", self.string(raw)),
            _ if field.name.ends_with("time_unix_nano") => rfc3339(raw),
            _ => raw.to_string(),
        }
    }

    fn string(&self, index: u64) -> &'a str {
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        self.strings.get(index).copied().unwrap_or_default()
    }

    /// The key and the value of a `KeyValue`.
    pub(super) fn pair(&self, pair: &'a [u8]) -> (&'a str, String) {
        let mut key = "";
        let mut value = String::new();
        for field in Fields::of(pair) {
            match field.number {
                1 => key = field.text(),
                2 => value = self.any(field.bytes().unwrap_or_default()),
                3 => key = self.string(field.number_value()),
                _ => {}
            }
        }
        (key, value)
    }

    /// An `AnyValue` in one line.
    pub(super) fn any(&self, any: &'a [u8]) -> String {
        let Some(field) = Fields::of(any).last() else { return "(empty)".to_owned() };
        let members =
            || Fields::of(field.bytes().unwrap_or_default()).filter_map(|member| member.bytes());
        match field.number {
            1 => format!("{:?}", field.text()),
            2 => (field.number_value() != 0).to_string(),
            3 => field.number_value().cast_signed().to_string(),
            4 => format!("{:?}", f64::from_bits(field.number_value())),
            5 => {
                let values: Vec<String> = members().map(|value| self.any(value)).collect();
                format!("[{}]", values.join(", "))
            }
            6 => {
                let pairs = members().map(|pair| self.pair(pair));
                let pairs: Vec<String> =
                    pairs.map(|(key, value)| format!("{key}: {value}")).collect();
                format!("{{{}}}", pairs.join(", "))
            }
            7 => hex(field.bytes().unwrap_or_default()),
            8 => format!("{:?}", self.string(field.number_value())),
            _ => "(unknown)".to_owned(),
        }
    }
}

fn is(message: &Message, other: &'static Message) -> bool {
    std::ptr::eq(message, other)
}

/// The raw numbers of a packed field.
fn unpacked(kind: Kind, packed: &[u8]) -> impl Iterator<Item = u64> {
    let mut at = 0;
    std::iter::from_fn(move || match kind.wire_type() {
        wire::protobuf::FIXED64 => {
            let bytes = packed.get(at..)?.first_chunk::<8>()?;
            at += 8;
            Some(u64::from_le_bytes(*bytes))
        }
        wire::protobuf::FIXED32 => {
            let bytes = packed.get(at..)?.first_chunk::<4>()?;
            at += 4;
            Some(u32::from_le_bytes(*bytes).into())
        }
        _ => read_varint(packed, &mut at).ok(),
    })
}

/// Lower-case hex digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}
