//! Plain: recognises the form that nearly all attributes have, without a detour through the tables.
//!
//! Invariant: what is recognised, the tables accept, too; what is not may still be valid.

use super::text::is_utf8;
use crate::payload::shape::number;
use crate::protobuf::{FIXED64, LEN, VARINT, read_varint};
use crate::schema;

const KEY: u8 = tag(number(&schema::KEY_VALUE, "key"), LEN);
const VALUE: u8 = tag(number(&schema::KEY_VALUE, "value"), LEN);
const TEXT: u8 = tag(number(&schema::ANY_VALUE, "string_value"), LEN);
const BOOL: u8 = tag(number(&schema::ANY_VALUE, "bool_value"), VARINT);
const INT: u8 = tag(number(&schema::ANY_VALUE, "int_value"), VARINT);
const DOUBLE: u8 = tag(number(&schema::ANY_VALUE, "double_value"), FIXED64);

const fn tag(number: u32, wire_type: u8) -> u8 {
    assert!(number < 16);
    (number as u8) << 3 | wire_type
}

/// Whether it is a key and then a plain value.
#[inline(always)]
pub(super) fn is_attribute(message: &[u8]) -> bool {
    let [KEY, rest @ ..] = message else { return false };
    let Some((key, rest)) = length(rest).and_then(|(len, rest)| rest.split_at_checked(len)) else {
        return false;
    };
    let [VALUE, rest @ ..] = rest else { return false };
    length(rest).is_some_and(|(len, value)| value.len() == len && is_utf8(key) && is_value(value))
}

/// Whether it is a text or a number, and nothing else.
#[inline(always)]
pub(super) fn is_value(message: &[u8]) -> bool {
    match message {
        [TEXT, rest @ ..] => {
            length(rest).is_some_and(|(len, text)| text.len() == len && is_utf8(text))
        }
        [INT | BOOL, number @ ..] => {
            let mut at = 0;
            read_varint(number, &mut at).is_ok() && at == number.len()
        }
        [DOUBLE, number @ ..] => number.len() == 8,
        _ => false,
    }
}

/// A length below 16 KiB, and what follows it.
#[inline(always)]
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    match *bytes {
        [len @ ..0x80, ref rest @ ..] => Some((len.into(), rest)),
        [low, high @ ..0x80, ref rest @ ..] => {
            Some((usize::from(low & 0x7f) | usize::from(high) << 7, rest))
        }
        _ => None,
    }
}
