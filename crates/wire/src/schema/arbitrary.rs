//! Arbitrary: random well-formed messages of any type, for the tests of what works on encoded bytes.
//!
//! Fields come in any order, singular ones may repeat, packed ones come packed, bare and in pieces,
//! unknown fields lie between. The same seed gives the same bytes.

use super::{Enumeration, Field, Kind, Message};
use crate::protobuf;

/// A small generator of numbers.
#[derive(Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}

/// How a random message may look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Every field once and in the order of its number, as most encoders write.
    pub(crate) is_canonical: bool,
    /// Indices are below this, so that a dictionary of as many entries can hold them.
    pub(crate) index_limit: usize,
    pub(crate) depth_max: usize,
}

/// An encoded message.
pub(crate) fn message(message: &'static Message, shape: Shape, random: &mut Random) -> Vec<u8> {
    let mut out = Vec::new();
    if shape.depth_max == 0 {
        return out;
    }
    if shape.is_canonical {
        canonical(message, shape, random, &mut out);
    } else {
        for _ in 0..random.below(2 * message.fields.len() + 1) {
            let field = &message.fields[random.below(message.fields.len())];
            record(field, shape, random, &mut out);
            if random.below(10) == 0 {
                protobuf::put_bytes_field(&mut out, 900, b"unknown");
            }
        }
    }
    out
}

fn canonical(message: &'static Message, shape: Shape, random: &mut Random, out: &mut Vec<u8>) {
    let mut fields: Vec<&Field> = message.fields.iter().filter(|_| random.below(3) != 0).collect();
    fields.sort_by_key(|field| field.number);
    let mut has_choice = false;
    for field in fields {
        if field.oneof().is_some() && std::mem::replace(&mut has_choice, true) {
            continue;
        }
        let times = if field.is_repeated() && !field.is_packed() { random.below(4) } else { 1 };
        (0..times).for_each(|_| record(field, shape, random, out));
    }
}

fn record(field: &Field, shape: Shape, random: &mut Random, out: &mut Vec<u8>) {
    if field.is_packed() && (shape.is_canonical || random.below(3) != 0) {
        let mut packed = Vec::new();
        for _ in 0..random.below(5) {
            let raw = number(field.kind, shape, random);
            put_bare(field.kind, raw, &mut packed);
        }
        return protobuf::put_bytes_field(out, field.number, &packed);
    }
    match field.kind {
        Kind::Message(inner) => {
            let shape = Shape { depth_max: shape.depth_max - 1, ..shape };
            protobuf::put_bytes_field(out, field.number, &message(inner, shape, random));
        }
        Kind::String => protobuf::put_bytes_field(out, field.number, text(random).as_bytes()),
        Kind::Bytes => protobuf::put_bytes_field(out, field.number, &bytes(random, None)),
        Kind::Id(len) => {
            let len = if random.below(4) == 0 { 0 } else { len };
            protobuf::put_bytes_field(out, field.number, &bytes(random, Some(len)));
        }
        kind => {
            protobuf::put_tag(out, field.number, kind.wire_type());
            put_bare(kind, number(kind, shape, random), out);
        }
    }
}

fn put_bare(kind: Kind, raw: u64, out: &mut Vec<u8>) {
    match kind.wire_type() {
        protobuf::FIXED64 => out.extend_from_slice(&raw.to_le_bytes()),
        protobuf::FIXED32 => out.extend_from_slice(&(raw as u32).to_le_bytes()),
        _ => protobuf::put_varint(out, raw),
    }
}

fn number(kind: Kind, shape: Shape, random: &mut Random) -> u64 {
    let any = random.next() >> random.below(64);
    match kind {
        Kind::Bool => any & 1,
        Kind::Index(_) => random.below(shape.index_limit) as u64,
        Kind::Enum(Enumeration { values, .. }) => values[random.below(values.len())].0 as u64,
        Kind::Int32 => i64::from(any as i32) as u64,
        Kind::Uint32 | Kind::Sint32 | Kind::Fixed32 => any & u64::from(u32::MAX),
        Kind::Double => double(random).to_bits(),
        _ => any,
    }
}

fn double(random: &mut Random) -> f64 {
    match random.below(8) {
        0 => 0.0,
        1 => f64::NAN,
        2 => f64::INFINITY,
        3 => f64::NEG_INFINITY,
        4 => random.below(1000) as f64,
        _ => Some(f64::from_bits(random.next())).filter(|value| !value.is_nan()).unwrap_or(-1.5),
    }
}

fn text(random: &mut Random) -> String {
    const PIECES: [&str; 8] =
        ["a", "service.name", "\"", "\\", "\n\u{1}", "é", "\u{1f600}", "</x>"];
    (0..random.below(6)).map(|_| PIECES[random.below(PIECES.len())]).collect()
}

fn bytes(random: &mut Random, len: Option<usize>) -> Vec<u8> {
    let len = len.unwrap_or_else(|| random.below(9));
    (0..len).map(|_| random.next() as u8).collect()
}
