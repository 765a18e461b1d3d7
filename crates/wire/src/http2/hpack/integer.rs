//! Integers of HPACK: a prefix of some bits, and seven more with each byte (RFC 7541, section 5.1).

use bytes::{Buf, BufMut};

use super::BlockError;

/// What follows a full prefix, at most: more than any length or index needs.
const BYTES_MAX: usize = 5;

/// Appends `value`, its first bits beside `flags`.
pub(super) fn encode(value: usize, prefix_bits: u32, flags: u8, out: &mut impl BufMut) {
    let full = (1_usize << prefix_bits) - 1;
    if value < full {
        return out.put_u8(flags | value as u8);
    }
    out.put_u8(flags | full as u8);
    let mut rest = value - full;
    while 0x80 <= rest {
        out.put_u8(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.put_u8(rest as u8);
}

/// Takes an integer off `block`.
pub(super) fn decode(block: &mut impl Buf, prefix_bits: u32) -> Result<usize, BlockError> {
    let full = (1_usize << prefix_bits) - 1;
    let mut value = usize::from(block.try_get_u8().map_err(|_| BlockError::Truncated)?) & full;
    if value < full {
        return Ok(value);
    }
    for place in 0..BYTES_MAX {
        let byte = block.try_get_u8().map_err(|_| BlockError::Truncated)?;
        value += usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(BlockError::Integer)
}
