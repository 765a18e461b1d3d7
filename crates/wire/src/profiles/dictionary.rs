//! Dictionary: the tables of one request, as slices.

use bytes::Bytes;

use crate::protobuf::Fields;
use crate::rope::{Rope, Writer};
use crate::schema::{Message, PROFILES_DICTIONARY, Table};

/// The entries of each table.
#[derive(Debug, Default)]
pub(super) struct Dictionary<'a> {
    tables: [Vec<&'a [u8]>; Table::ALL.len()],
    /// Fields that the schema does not know, with their tags.
    pub(super) unknown: Vec<&'a [u8]>,
}

/// The field of the request that holds the dictionary.
pub(super) const DICTIONARY: u32 = 2;

impl<'a> Dictionary<'a> {
    /// The dictionary of a request. Where it is given in parts, decoders join them; so do we.
    pub(super) fn of(request: &'a [u8]) -> Self {
        let mut dictionary = Self::default();
        let parts = Fields::of(request).filter(|record| record.number == DICTIONARY);
        for part in parts.filter_map(|record| record.bytes()) {
            for record in Fields::of(part) {
                match (Table::of_field(record.number), record.bytes()) {
                    (Some(table), Some(entry)) => dictionary.tables[table as usize].push(entry),
                    _ => dictionary.unknown.push(&part[record.start..record.end]),
                }
            }
        }
        dictionary
    }

    /// The entry that an index means.
    pub(super) fn entry(&self, table: Table, index: i32) -> Option<&'a [u8]> {
        let index = usize::try_from(index).ok()?;
        self.tables[table as usize].get(index).copied()
    }
}

/// The message type of a table's entries; strings have none.
pub(super) fn entry_message(table: Table) -> Option<&'static Message> {
    PROFILES_DICTIONARY.field(table.field_number())?.kind.message()
}

/// A request without its dictionary, and the dictionary without the rest, both as slices.
pub(super) fn apart(request: &Bytes) -> (Rope, Rope) {
    let (mut profiles, mut dictionary) = (Writer::default(), Writer::default());
    for record in Fields::of(request) {
        let writer = if record.number == DICTIONARY { &mut dictionary } else { &mut profiles };
        writer.begin_field();
        writer.share_part(request, record.start..record.end);
    }
    (profiles.finish(), dictionary.finish())
}
