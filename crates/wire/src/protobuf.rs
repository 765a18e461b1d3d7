//! Protobuf: the wire format itself, read from slices and written to vectors.
//!
//! Cost: a field is read in a few nanoseconds; nothing is allocated or copied.
//! Invariant: reading never passes the end of its slice and always makes progress.
//! See: `scan` for the one pass that checks bytes from outside.

/// The wire type of integers, booleans and enums.
pub const VARINT: u8 = 0;
/// The wire type of eight-byte numbers.
pub const FIXED64: u8 = 1;
/// The wire type of strings, bytes, messages and packed numbers.
pub const LEN: u8 = 2;
/// The wire type of four-byte numbers.
pub const FIXED32: u8 = 5;

const GROUP_START: u8 = 3;
const GROUP_END: u8 = 4;

/// What is wrong with encoded bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Truncated,
    VarintTooLong,
    LengthPastEnd,
    FieldZero,
    FieldTooHigh,
    Group,
    UnknownWireType,
    WrongWireType,
    NotUtf8,
    PackedRemainder,
    TooDeep,
    TooLarge,
}

impl Fault {
    /// In words.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Truncated => "the value is cut off",
            Self::VarintTooLong => "a varint does not fit in 64 bits",
            Self::LengthPastEnd => "a length reaches past the end of its message",
            Self::FieldZero => "field number 0 is not allowed",
            Self::FieldTooHigh => "a field number is above 536870911",
            Self::Group => "groups are not allowed",
            Self::UnknownWireType => "wire types 6 and 7 do not exist",
            Self::WrongWireType => "the wire type does not fit the field",
            Self::NotUtf8 => "a string is not valid UTF-8",
            Self::PackedRemainder => "a packed field ends inside a value",
            Self::TooDeep => "messages nest more than 64 deep",
            Self::TooLarge => "a request may not be larger than 2 GiB",
        }
    }
}

/// The value of one field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'a [u8]),
}

/// One field: its number, its value, and where it stands in the message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field<'a> {
    pub number: u32,
    pub value: Value<'a>,
    /// Offset of its tag.
    pub start: usize,
    /// Offset behind its value.
    pub end: usize,
}

impl<'a> Field<'a> {
    /// The bytes of a length-delimited value.
    #[must_use]
    #[inline]
    pub fn bytes(&self) -> Option<&'a [u8]> {
        match self.value {
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Offset of a length-delimited value.
    #[must_use]
    #[inline]
    pub fn body_start(&self) -> usize {
        self.end - self.bytes().map_or(0, <[u8]>::len)
    }

    /// The text of a string field; empty when it is none.
    #[must_use]
    #[inline]
    pub fn text(&self) -> &'a str {
        self.bytes().and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or("")
    }

    /// The number in a varint or fixed field; zero when it is none.
    #[must_use]
    #[inline]
    pub fn number_value(&self) -> u64 {
        match self.value {
            Value::Varint(value) | Value::Fixed64(value) => value,
            Value::Fixed32(value) => value.into(),
            Value::Bytes(_) => 0,
        }
    }
}

/// Reads the fields of a message, in the order of the bytes; ends at the end or at a fault.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    message: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    /// The fields of an encoded message.
    #[must_use]
    #[inline]
    pub fn of(message: &'a [u8]) -> Self {
        Self { message, at: 0 }
    }

    /// The bytes that were not read yet.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        &self.message[self.at..]
    }

    /// The next field, with its offsets, or what is wrong with it.
    #[inline(always)]
    pub fn next_field(&mut self) -> Option<Result<Field<'a>, Fault>> {
        if self.at >= self.message.len() {
            return None;
        }
        let field = read_field(self.message, self.at);
        self.at = field.as_ref().map_or(self.message.len(), |field| field.end);
        Some(field)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<Field<'a>> {
        self.next_field()?.ok()
    }
}

#[inline(always)]
fn read_field(message: &[u8], start: usize) -> Result<Field<'_>, Fault> {
    let mut at = start;
    let (number, wire_type) = read_tag(message, &mut at)?;
    let value = match wire_type {
        VARINT => Value::Varint(read_varint(message, &mut at)?),
        FIXED64 => Value::Fixed64(u64::from_le_bytes(read_array(message, &mut at)?)),
        FIXED32 => Value::Fixed32(u32::from_le_bytes(read_array(message, &mut at)?)),
        LEN => Value::Bytes(read_bytes(message, &mut at)?),
        GROUP_START | GROUP_END => return Err(Fault::Group),
        _ => return Err(Fault::UnknownWireType),
    };
    Ok(Field { number, value, start, end: at })
}

/// Reads a tag: field number and wire type.
#[inline]
pub fn read_tag(message: &[u8], at: &mut usize) -> Result<(u32, u8), Fault> {
    let tag = read_varint(message, at)?;
    let tag = u32::try_from(tag).map_err(|_| Fault::FieldTooHigh)?;
    if tag >> 3 == 0 {
        return Err(Fault::FieldZero);
    }
    Ok((tag >> 3, (tag & 7) as u8))
}

/// Reads a varint of at most ten bytes.
#[inline]
pub fn read_varint(message: &[u8], at: &mut usize) -> Result<u64, Fault> {
    match message.get(*at..) {
        Some(&[byte @ ..0x80, ..]) => {
            *at += 1;
            Ok(byte.into())
        }
        Some(&[low, high @ ..0x80, ..]) => {
            *at += 2;
            Ok(u64::from(low & 0x7f) | u64::from(high) << 7)
        }
        _ => read_long_varint(message, at),
    }
}

#[inline(never)]
fn read_long_varint(message: &[u8], at: &mut usize) -> Result<u64, Fault> {
    let mut value = 0;
    for shift in (0..70).step_by(7) {
        let byte = *message.get(*at).ok_or(Fault::Truncated)?;
        *at += 1;
        // The tenth byte holds the last bit.
        if shift == 63 && 1 < byte {
            return Err(Fault::VarintTooLong);
        }
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(Fault::VarintTooLong)
}

/// Reads a length and as many bytes.
#[inline]
pub fn read_bytes<'a>(message: &'a [u8], at: &mut usize) -> Result<&'a [u8], Fault> {
    let len = read_varint(message, at)?;
    let rest = message.get(*at..).unwrap_or_default();
    let len = usize::try_from(len).map_err(|_| Fault::LengthPastEnd)?;
    let bytes = rest.get(..len).ok_or(Fault::LengthPastEnd)?;
    *at += len;
    Ok(bytes)
}

#[inline]
fn read_array<const N: usize>(message: &[u8], at: &mut usize) -> Result<[u8; N], Fault> {
    let rest = message.get(*at..).unwrap_or_default();
    let array = rest.first_chunk::<N>().ok_or(Fault::Truncated)?;
    *at += N;
    Ok(*array)
}

/// How many bytes `value` takes as a varint.
#[must_use]
#[inline]
pub fn varint_len(value: u64) -> usize {
    let bits = 64 - (value | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

/// How many bytes a length-delimited field takes whose value has `len` bytes.
#[must_use]
#[inline]
pub fn len_field_len(number: u32, len: usize) -> usize {
    varint_len(u64::from(number) << 3) + varint_len(len as u64) + len
}

/// Appends a varint.
#[inline]
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while 0x80 <= value {
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a tag.
#[inline]
pub fn put_tag(out: &mut Vec<u8>, number: u32, wire_type: u8) {
    put_varint(out, u64::from(number) << 3 | u64::from(wire_type));
}

/// Appends the tag and the length of a length-delimited field whose `len` bytes follow.
#[inline]
pub fn put_len_prefix(out: &mut Vec<u8>, number: u32, len: usize) {
    put_tag(out, number, LEN);
    put_varint(out, len as u64);
}

/// Appends a length-delimited field.
#[inline]
pub fn put_bytes_field(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    put_len_prefix(out, number, bytes.len());
    out.extend_from_slice(bytes);
}

/// Appends a varint field.
#[inline]
pub fn put_varint_field(out: &mut Vec<u8>, number: u32, value: u64) {
    put_tag(out, number, VARINT);
    put_varint(out, value);
}

/// Appends an eight-byte field.
#[inline]
pub fn put_fixed64_field(out: &mut Vec<u8>, number: u32, value: u64) {
    put_tag(out, number, FIXED64);
    out.extend_from_slice(&value.to_le_bytes());
}

/// Appends a four-byte field.
#[inline]
pub fn put_fixed32_field(out: &mut Vec<u8>, number: u32, value: u32) {
    put_tag(out, number, FIXED32);
    out.extend_from_slice(&value.to_le_bytes());
}

#[cfg(test)]
mod tests;
