//! Scramble: other encodings of the same message: order, repeats, unknown fields, unpacked numbers.

use wire::protobuf::{
    Field, Fields, Value, put_bytes_field, put_fixed32_field, put_fixed64_field, put_tag,
    put_varint, put_varint_field, read_varint,
};
use wire::schema::{self, Message, Presence};

use crate::random::Random;

/// Encodes `message` in another way that decodes to the same.
pub(crate) fn scramble(random: &mut Random, kind: &'static Message, message: &[u8]) -> Vec<u8> {
    let mut fields: Vec<(u32, Vec<u8>)> = Vec::new();
    for field in Fields::of(message) {
        let group = order_group(kind, field.number);
        for encoded in encodings(random, kind, &field) {
            fields.push((group, encoded));
        }
    }
    for _ in 0..random.below(2) {
        fields.push((1000, unknown_field(random)));
    }
    mix(random, &mut fields);
    fields.into_iter().flat_map(|(_, encoded)| encoded).collect()
}

/// Fields of one group keep their order: those of one number, or of one oneof.
fn order_group(kind: &Message, number: u32) -> u32 {
    match kind.field(number).map(|field| field.presence) {
        Some(Presence::OneOf(_)) => 2000,
        _ => number,
    }
}

fn mix(random: &mut Random, fields: &mut [(u32, Vec<u8>)]) {
    for _ in 0..fields.len() * 2 {
        let at = random.below(fields.len().max(2) - 1);
        if at + 1 < fields.len() && fields[at].0 != fields[at + 1].0 {
            fields.swap(at, at + 1);
        }
    }
}

fn encodings(random: &mut Random, kind: &'static Message, field: &Field<'_>) -> Vec<Vec<u8>> {
    let known = kind.field(field.number).expect("the generator makes known fields");
    let mut all = Vec::new();
    let singular = known.presence == Presence::Implicit || known.oneof().is_some();
    match field.value {
        Value::Bytes(body) => match known.kind.message() {
            Some(inner) => {
                let body = scramble(random, inner, body);
                let can_split = singular && !is_part_of_a_value(inner);
                let parts = if can_split { halves(random, &body) } else { vec![body] };
                if known.oneof() == Some("data") && random.is_one_in(4) {
                    all.push(other_data(field.number));
                }
                all.extend(parts.iter().map(|part| long_field(random, field.number, part)));
            }
            None if known.is_packed() && random.is_one_in(2) => {
                all.extend(unpacked(known, body));
            }
            None => {
                if singular && random.is_one_in(8) {
                    all.push(long_field(random, field.number, b"gone"));
                }
                all.push(long_field(random, field.number, body));
            }
        },
        value => {
            if singular && known.oneof().is_none() && random.is_one_in(8) {
                all.push(number_field(field.number, other(value)));
            }
            all.push(number_field(field.number, value));
        }
    }
    all
}

/// Views read the last of repeated values; no encoder repeats them.
fn is_part_of_a_value(kind: &Message) -> bool {
    ["AnyValue", "ArrayValue", "KeyValueList"].contains(&kind.name)
}

/// Data of another kind, which the real data replaces.
fn other_data(number: u32) -> Vec<u8> {
    let other = if number == 5 { 11 } else { 5 };
    let mut out = Vec::new();
    put_bytes_field(&mut out, other, &[0x0a, 0x00, 0x0a, 0x00]);
    out
}

/// Protobuf merges a repeated singular message: cut its body between two fields.
fn halves(random: &mut Random, body: &[u8]) -> Vec<Vec<u8>> {
    let ends: Vec<usize> = Fields::of(body).map(|field| field.end).collect();
    if ends.is_empty() || !random.is_one_in(4) {
        return vec![body.to_vec()];
    }
    let at = ends[random.below(ends.len())];
    vec![body[..at].to_vec(), body[at..].to_vec()]
}

/// A length-delimited field, at times with a length of more bytes than needed.
fn long_field(random: &mut Random, number: u32, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    if random.is_one_in(16) && body.len() < 128 {
        put_tag(&mut out, number, 2);
        out.extend([body.len() as u8 | 0x80, 0x80, 0x00]);
        out.extend_from_slice(body);
    } else {
        put_bytes_field(&mut out, number, body);
    }
    out
}

fn number_field(number: u32, value: Value<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    match value {
        Value::Varint(value) => put_varint_field(&mut out, number, value),
        Value::Fixed64(value) => put_fixed64_field(&mut out, number, value),
        Value::Fixed32(value) => put_fixed32_field(&mut out, number, value),
        Value::Bytes(value) => put_bytes_field(&mut out, number, value),
    }
    out
}

fn other(value: Value<'_>) -> Value<'_> {
    match value {
        Value::Varint(value) => Value::Varint(value ^ 1),
        Value::Fixed64(value) => Value::Fixed64(!value),
        Value::Fixed32(value) => Value::Fixed32(!value),
        Value::Bytes(_) => Value::Bytes(b"gone"),
    }
}

fn unpacked(known: &schema::Field, body: &[u8]) -> Vec<Vec<u8>> {
    if known.kind.wire_type() == 1 {
        let value = |chunk: &[u8; 8]| Value::Fixed64(u64::from_le_bytes(*chunk));
        return body
            .as_chunks()
            .0
            .iter()
            .map(|chunk| number_field(known.number, value(chunk)))
            .collect();
    }
    let mut at = 0;
    let mut all = Vec::new();
    while at < body.len() {
        let value = read_varint(body, &mut at).unwrap();
        all.push(number_field(known.number, Value::Varint(value)));
    }
    all
}

fn unknown_field(random: &mut Random) -> Vec<u8> {
    let mut out = Vec::new();
    let number = [17, 31, 32, 100, 536_870_911][random.below(5)];
    match random.below(4) {
        0 => put_varint_field(&mut out, number, random.number()),
        1 => put_fixed64_field(&mut out, number, random.number()),
        2 => put_fixed32_field(&mut out, number, random.number() as u32),
        _ => {
            put_tag(&mut out, number, 2);
            put_varint(&mut out, 3);
            out.extend([0xff, 0xfe, 0xfd]);
        }
    }
    out
}
