//! Reindex: builds one request with one dictionary out of several.
//!
//! The tables refer to each other without circles (stacks to locations to functions to strings...),
//! so an entry is complete, and can be compared, before it gets its place.

use std::borrow::Cow;
use std::collections::HashMap;

use super::dictionary::{DICTIONARY, Dictionary, entry_message};
use crate::Signal;
use crate::nest;
use crate::protobuf::{self, Field as Record, Fields, Value};
use crate::schema::{self, Field, Kind, Message, Table};

/// The request in the making.
#[derive(Debug)]
pub(super) struct Merged<'a> {
    out: Vec<u8>,
    tables: [Interned<'a>; Table::ALL.len()],
    /// Fields of the dictionaries that the schema does not know.
    unknown: Vec<u8>,
}

/// A table in the making.
#[derive(Debug)]
struct Interned<'a> {
    /// Its entries, each with tag and length.
    records: Vec<u8>,
    places: HashMap<Cow<'a, [u8]>, i32>,
}

/// Translates the indices of one request.
struct Translation<'a, 'm> {
    dictionary: &'m Dictionary<'a>,
    /// The new index of each old one that was met.
    places: HashMap<(Table, i32), i32>,
    tables: &'m mut [Interned<'a>; Table::ALL.len()],
}

impl<'a> Merged<'a> {
    pub(super) fn new() -> Self {
        Self { out: Vec::new(), tables: Table::ALL.map(Interned::new), unknown: Vec::new() }
    }

    /// Appends a request, whose indices point into this dictionary.
    pub(super) fn add(&mut self, request: &[u8], dictionary: &Dictionary<'a>) {
        let tables = &mut self.tables;
        let mut translation = Translation { dictionary, places: HashMap::new(), tables };
        let message = schema::request(Signal::Profiles);
        for record in Fields::of(request).filter(|record| record.number != DICTIONARY) {
            translation.record(message, record, request, &mut self.out);
        }
        self.unknown.extend(dictionary.unknown.iter().copied().flatten());
    }

    /// The request with its dictionary.
    pub(super) fn finish(self) -> Vec<u8> {
        let Self { mut out, tables, unknown } = self;
        let len = tables.iter().map(|table| table.records.len()).sum::<usize>() + unknown.len();
        protobuf::put_len_prefix(&mut out, DICTIONARY, len);
        for table in &tables {
            out.extend_from_slice(&table.records);
        }
        out.extend_from_slice(&unknown);
        out
    }
}

impl<'a> Interned<'a> {
    /// A table with its zero value at index 0.
    fn new(table: Table) -> Self {
        let mut interned = Self { records: Vec::new(), places: HashMap::new() };
        interned.place(table, Cow::Borrowed(&[]));
        interned
    }

    /// The index of an entry; the same for equal ones.
    fn place(&mut self, table: Table, entry: Cow<'a, [u8]>) -> i32 {
        if let Some(place) = self.places.get(&entry) {
            return *place;
        }
        // Requests are shorter than 2 GiB, so their entries can be counted.
        let place = self.places.len() as i32;
        protobuf::put_bytes_field(&mut self.records, table.field_number(), &entry);
        self.places.insert(entry, place);
        place
    }
}

impl<'a> Translation<'a, '_> {
    /// Copies a message with its indices translated.
    fn message(&mut self, message: &'static Message, encoded: &[u8], out: &mut Vec<u8>) {
        for record in Fields::of(encoded) {
            self.record(message, record, encoded, out);
        }
    }

    fn record(
        &mut self,
        message: &'static Message,
        record: Record<'_>,
        encoded: &[u8],
        out: &mut Vec<u8>,
    ) {
        match (message.field(record.number), record.value) {
            (Some(Field { kind: Kind::Message(inner), .. }), Value::Bytes(content)) => {
                let opened = nest::open(out, record.number);
                self.message(inner, content, out);
                nest::close(out, opened);
            }
            (Some(Field { kind: Kind::Index(table), .. }), Value::Varint(raw)) => {
                let place = self.translate(*table, raw);
                protobuf::put_varint_field(out, record.number, place);
            }
            (Some(Field { kind: Kind::Index(table), .. }), Value::Bytes(packed)) => {
                let opened = nest::open(out, record.number);
                let mut at = 0;
                while let Ok(raw) = protobuf::read_varint(packed, &mut at) {
                    protobuf::put_varint(out, self.translate(*table, raw));
                }
                nest::close(out, opened);
            }
            _ => out.extend_from_slice(&encoded[record.start..record.end]),
        }
    }

    /// The new index for an old one, as a varint holds it.
    fn translate(&mut self, table: Table, raw: u64) -> u64 {
        // Decoders keep the lower 32 bits of an int32.
        u64::from(self.place(table, raw as i32).unsigned_abs())
    }

    fn place(&mut self, table: Table, index: i32) -> i32 {
        // Index 0 is the zero value in every dictionary, even in one without entries.
        let Some(entry) = self.dictionary.entry(table, index).filter(|_| index != 0) else {
            return 0;
        };
        if let Some(place) = self.places.get(&(table, index)) {
            return *place;
        }
        let translated = match entry_message(table) {
            None => Cow::Borrowed(entry),
            Some(message) => {
                let mut out = Vec::with_capacity(entry.len() + 8);
                self.message(message, entry, &mut out);
                Cow::Owned(out)
            }
        };
        let place = self.tables[table as usize].place(table, translated);
        self.places.insert((table, index), place);
        place
    }
}
