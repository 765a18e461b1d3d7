//! Encoder: fields become header blocks (RFC 7541, section 6).
//!
//! What is the same with each request is added to the table, so that it is one byte from then on;
//! what differs, or is secret, is not. Bounds: the table, by what the peer allows and by our own.

use bytes::{BufMut, BytesMut};
use http::{HeaderName, header};

use super::field::{Field, Pseudo};
use super::table::{Found, Table};
use super::{TABLE_BYTES, huffman, integer};

/// Values longer than this are not worth a place in the table.
const INDEXED_BYTES_MAX: usize = 256;

/// The encoding half of one connection.
#[derive(Debug)]
pub(in crate::http2) struct Encoder {
    table: Table,
    /// The smallest size that the table has to have had before the next block, and its new size.
    resize: Option<(usize, usize)>,
}

impl Encoder {
    pub(in crate::http2) fn new() -> Self {
        Self { table: Table::new(TABLE_BYTES), resize: None }
    }

    /// The peer allows a table of so many bytes.
    pub(in crate::http2) fn allow(&mut self, bytes_max: usize) {
        let bytes_max = bytes_max.min(TABLE_BYTES);
        let least = self.resize.map_or(bytes_max, |(least, _)| least.min(bytes_max));
        if self.resize.is_some() || bytes_max != self.table.bytes_max() {
            self.resize = Some((least, bytes_max));
        }
    }

    /// Appends a block of these fields.
    pub(in crate::http2) fn encode(
        &mut self,
        fields: impl IntoIterator<Item = Field>,
        out: &mut BytesMut,
    ) {
        if let Some((least, bytes_max)) = self.resize.take() {
            for bytes in [least, bytes_max] {
                self.table.resize(bytes);
                integer::encode(bytes, 5, 0x20, out);
            }
        }
        for field in fields {
            self.field(field, out);
        }
    }

    fn field(&mut self, field: Field, out: &mut BytesMut) {
        let keeping = Keeping::of(&field);
        let found = self.table.find(&field);
        if let (Found::Whole(index), false) = (found, keeping == Keeping::Secret) {
            return integer::encode(index, 7, 0x80, out);
        }
        let (flags, prefix_bits) = match keeping {
            Keeping::Indexed => (0x40, 6),
            Keeping::Passing => (0, 4),
            Keeping::Secret => (0x10, 4),
        };
        match found {
            Found::Whole(index) | Found::Name(index) => {
                integer::encode(index, prefix_bits, flags, out);
            }
            Found::Nothing => {
                out.put_u8(flags);
                string(field.name(), out);
            }
        }
        string(field.value(), out);
        if keeping == Keeping::Indexed {
            self.table.add(field);
        }
    }
}

/// Whether a field is added to tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keeping {
    Indexed,
    Passing,
    /// Neither here nor by anybody on the way.
    Secret,
}

/// Headers that differ from one request to the next.
const PASSING: [HeaderName; 9] = [
    HeaderName::from_static("grpc-timeout"),
    HeaderName::from_static("grpc-message"),
    HeaderName::from_static("grpc-status-details-bin"),
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
    header::CONTENT_LENGTH,
    header::DATE,
    header::LOCATION,
    header::RETRY_AFTER,
];

impl Keeping {
    fn of(field: &Field) -> Self {
        match field {
            Field::Header(_, value) if value.is_sensitive() => Self::Secret,
            Field::Header(name, _) if PASSING.contains(name) => Self::Passing,
            Field::Pseudo(Pseudo::Path, value) | Field::Header(_, value)
                if INDEXED_BYTES_MAX < value.len() =>
            {
                Self::Passing
            }
            Field::Malformed(..) => Self::Passing,
            Field::Pseudo(..) | Field::Header(..) => Self::Indexed,
        }
    }
}

/// Appends a string, coded if that is shorter.
fn string(text: &[u8], out: &mut BytesMut) {
    let coded = huffman::encoded_len(text);
    if coded < text.len() {
        integer::encode(coded, 7, 0x80, out);
        huffman::encode(text, out);
    } else {
        integer::encode(text.len(), 7, 0, out);
        out.put_slice(text);
    }
}
