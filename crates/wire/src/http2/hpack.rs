//! HPACK: header lists as blocks of bytes, against tables that both ends keep (RFC 7541).

mod decoder;
mod encoder;
mod field;
mod huffman;
mod integer;
mod table;

pub(super) use decoder::Decoder;
pub(super) use encoder::Encoder;
pub(super) use field::{Field, Pseudo};

/// The size of a dynamic table: what HTTP/2 begins with, in both directions.
const TABLE_BYTES: usize = 4096;

/// Why a header block cannot be read. The tables of both ends differ from here on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BlockError {
    #[error("a header block ends within a field")]
    Truncated,
    #[error("a header block has an integer that is too large")]
    Integer,
    #[error("a header block refers to an entry that does not exist")]
    Index,
    #[error("a header block has a string that is not Huffman-coded")]
    Huffman,
    #[error("a header block makes its table larger than allowed")]
    Resize,
    #[error("a header block changes the size of its table after a field")]
    LateResize,
}

#[cfg(test)]
mod tests;
