//! Decoder: header blocks become fields (RFC 7541, section 6).
//!
//! Bounds: the table by what we allowed the peer; what becomes of a long list is the caller's choice,
//! who is told of one field after the other.

use bytes::{Buf, Bytes};

use super::field::Field;
use super::huffman;
use super::table::Table;
use super::{BlockError, TABLE_BYTES, integer};

/// The decoding half of one connection.
#[derive(Debug)]
pub(in crate::http2) struct Decoder {
    table: Table,
}

impl Decoder {
    pub(in crate::http2) fn new() -> Self {
        Self { table: Table::new(TABLE_BYTES) }
    }

    /// Reads a whole block, and tells about each field.
    pub(in crate::http2) fn decode(
        &mut self,
        mut block: Bytes,
        mut tell: impl FnMut(Field),
    ) -> Result<(), BlockError> {
        let mut may_resize = true;
        while let Some(first) = block.first().copied() {
            match first {
                0x80.. => tell(self.indexed(&mut block)?),
                0x40..0x80 => {
                    let field = self.literal(&mut block, 6)?;
                    self.table.add(field.clone());
                    tell(field);
                }
                0x20..0x40 if may_resize => {
                    self.resize(&mut block)?;
                    continue;
                }
                0x20..0x40 => return Err(BlockError::LateResize),
                // Not indexed, or never to be: the difference is for those who pass it on.
                0..0x20 => tell(self.literal(&mut block, 4)?),
            }
            may_resize = false;
        }
        Ok(())
    }

    fn indexed(&self, block: &mut Bytes) -> Result<Field, BlockError> {
        let index = integer::decode(block, 7)?;
        self.table.at(index).cloned().ok_or(BlockError::Index)
    }

    fn literal(&self, block: &mut Bytes, prefix_bits: u32) -> Result<Field, BlockError> {
        match integer::decode(block, prefix_bits)? {
            0 => {
                let name = string(block)?;
                Ok(Field::new(name, string(block)?))
            }
            index => {
                let named = self.table.at(index).ok_or(BlockError::Index)?;
                Ok(named.with_value(string(block)?))
            }
        }
    }

    fn resize(&mut self, block: &mut Bytes) -> Result<(), BlockError> {
        let bytes_max = integer::decode(block, 5)?;
        if TABLE_BYTES < bytes_max {
            return Err(BlockError::Resize);
        }
        self.table.resize(bytes_max);
        Ok(())
    }
}

/// Takes a string off `block`. It is copied, so that a table entry does not keep its block alive.
fn string(block: &mut Bytes) -> Result<Bytes, BlockError> {
    let is_coded = block.first().is_some_and(|first| first & 0x80 != 0);
    let length = integer::decode(block, 7)?;
    let text = block.get(..length).ok_or(BlockError::Truncated)?;
    let text = if is_coded {
        huffman::decode(text).map_err(|_| BlockError::Huffman)?.into()
    } else {
        Bytes::copy_from_slice(text)
    };
    block.advance(length);
    Ok(text)
}
