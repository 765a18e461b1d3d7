//! Check: whether every index of a request points into its table.
//!
//! Runs after the scan, on bytes that are known to be well-formed.

use super::dictionary::{DICTIONARY, Dictionary, entry_message};
use crate::protobuf::{self, Field as Record, Fields, Value};
use crate::schema::{self, Field, Kind, Message, Table};
use crate::{Malformed, Signal};

const OUT_OF_RANGE: &str = "an index points past the end of its dictionary table";
const NOT_ZERO: &str = "the first entry of a dictionary table is not its zero value";

/// Checks a request's indices and the first entries of its tables.
///
/// Index 0 means "not set", so it may be used even when its table is empty; and a first entry with
/// a value of its own would lose it, since fields that refer to it may be absent.
pub(crate) fn check(request: &[u8]) -> Result<(), Malformed> {
    let dictionary = Dictionary::of(request);
    let mut checker = Checker { dictionary: &dictionary, path: Vec::new() };
    let message = schema::request(Signal::Profiles);
    let found = checker.zero_values(request).and_then(|()| checker.message(message, request, 0));
    found.map_err(|(offset, what)| Malformed {
        signal: Signal::Profiles,
        offset,
        path: checker.path.join("."),
        what,
    })
}

/// A fault's offset in the request, and its description.
type Fault = (usize, &'static str);

struct Checker<'a> {
    dictionary: &'a Dictionary<'a>,
    /// The fields around the current one; kept after a fault.
    path: Vec<&'static str>,
}

impl Checker<'_> {
    /// Checks the first entry of each table.
    fn zero_values(&mut self, request: &[u8]) -> Result<(), Fault> {
        let mut seen = [false; Table::ALL.len()];
        for part in Fields::of(request).filter(|record| record.number == DICTIONARY) {
            for record in Fields::of(part.bytes().unwrap_or_default()) {
                let Some(table) = Table::of_field(record.number) else { continue };
                let is_first = !std::mem::replace(&mut seen[table as usize], true);
                if is_first && !is_zero_entry(table, record.bytes().unwrap_or_default()) {
                    self.path = vec!["dictionary", table_name(table)];
                    return Err((part.body_start() + record.start, NOT_ZERO));
                }
            }
        }
        Ok(())
    }

    fn message(
        &mut self,
        message: &'static Message,
        encoded: &[u8],
        offset: usize,
    ) -> Result<(), Fault> {
        for record in Fields::of(encoded) {
            let Some(field) = message.field(record.number) else { continue };
            self.path.push(field.name);
            self.field(field, record, offset)?;
            self.path.pop();
        }
        Ok(())
    }

    fn field(&mut self, field: &Field, record: Record<'_>, offset: usize) -> Result<(), Fault> {
        match (field.kind, record.value) {
            (Kind::Message(inner), Value::Bytes(content)) => {
                self.message(inner, content, offset + record.body_start())
            }
            (Kind::Index(table), Value::Varint(raw)) => {
                self.index(table, raw, offset + record.start)
            }
            (Kind::Index(table), Value::Bytes(packed)) => {
                let mut at = 0;
                while let Ok(raw) = protobuf::read_varint(packed, &mut at) {
                    self.index(table, raw, offset + record.start)?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn index(&self, table: Table, raw: u64, offset: usize) -> Result<(), Fault> {
        // Decoders keep the lower 32 bits of an int32.
        let index = raw as i32;
        if index == 0 || self.dictionary.entry(table, index).is_some() {
            return Ok(());
        }
        Err((offset, OUT_OF_RANGE))
    }
}

fn table_name(table: Table) -> &'static str {
    schema::PROFILES_DICTIONARY.field(table.field_number()).map_or("", |field| field.name)
}

fn is_zero_entry(table: Table, entry: &[u8]) -> bool {
    entry_message(table).map_or(entry.is_empty(), |message| is_zero(message, entry))
}

/// Whether a decoder would find every field that it knows at its default, however it was written.
fn is_zero(message: &'static Message, encoded: &[u8]) -> bool {
    Fields::of(encoded).all(|record| {
        let Some(field) = message.field(record.number) else { return true };
        match (field.kind, record.value) {
            (Kind::Message(inner), Value::Bytes(content)) => is_zero(inner, content),
            // Ids of zeros are no ids.
            (Kind::Id(_), Value::Bytes(id)) => id.iter().all(|byte| *byte == 0),
            (_, Value::Bytes(content)) => content.is_empty(),
            (_, Value::Varint(raw) | Value::Fixed64(raw)) => raw == 0,
            (_, Value::Fixed32(raw)) => raw == 0,
        }
    })
}
