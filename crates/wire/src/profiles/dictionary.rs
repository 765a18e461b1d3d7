//! Dictionary: the tables of one request, as slices.

use crate::protobuf::Fields;
use crate::schema::{Message, PROFILES_DICTIONARY, Table};

/// The entries of each table.
#[derive(Debug, Default)]
pub(super) struct Dictionary<'a> {
    tables: [Vec<&'a [u8]>; Table::ALL.len()],
}

/// The field of the request that holds the dictionary.
pub(super) const DICTIONARY: u32 = 2;

impl<'a> Dictionary<'a> {
    /// The dictionary of a request. Where it is given in parts, decoders join them; so do we.
    pub(super) fn of(request: &'a [u8]) -> Self {
        let mut dictionary = Self::default();
        let parts = Fields::of(request).filter(|record| record.number == DICTIONARY);
        for record in parts.filter_map(|record| record.bytes()).flat_map(Fields::of) {
            if let (Some(table), Some(entry)) = (Table::of_field(record.number), record.bytes()) {
                dictionary.tables[table as usize].push(entry);
            }
        }
        dictionary
    }

    /// The entry that an index means.
    pub(super) fn entry(&self, table: Table, index: i32) -> Option<&'a [u8]> {
        let index = usize::try_from(index).ok()?;
        self.tables[table as usize].get(index).copied()
    }

    pub(super) fn len(&self, table: Table) -> usize {
        self.tables[table as usize].len()
    }
}

/// The message type of a table's entries; strings have none.
pub(super) fn entry_message(table: Table) -> Option<&'static Message> {
    PROFILES_DICTIONARY.field(table.field_number())?.kind.message()
}
