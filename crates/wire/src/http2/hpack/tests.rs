//! The examples of RFC 7541, appendix C, and what decoders have to refuse.

use bytes::{Bytes, BytesMut};
use http::{HeaderName, HeaderValue};
use proptest::prelude::*;

use super::table::{Found, Table};
use super::{BlockError, Decoder, Encoder, Field, integer};

fn bytes(hex: &str) -> Bytes {
    let digits = hex.replace(' ', "");
    let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(byte).collect::<Vec<_>>().into()
}

fn read(decoder: &mut Decoder, block: Bytes) -> Result<Vec<String>, BlockError> {
    let mut lines = Vec::new();
    decoder.decode(block, |field| {
        let (name, value) = (field.name(), field.value());
        let text = [name, b": ", value].concat();
        lines.push(String::from_utf8(text).unwrap());
    })?;
    Ok(lines)
}

/// Reads blocks one after the other with one decoder.
fn check(blocks: &[(&str, &[&str])]) {
    let mut decoder = Decoder::new();
    for (hex, expected) in blocks {
        assert_eq!(read(&mut decoder, bytes(hex)).unwrap(), *expected, "{hex}");
    }
}

const FIRST: &[&str] =
    &[":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"];
const SECOND: &[&str] = &[
    ":method: GET",
    ":scheme: http",
    ":path: /",
    ":authority: www.example.com",
    "cache-control: no-cache",
];
const THIRD: &[&str] = &[
    ":method: GET",
    ":scheme: https",
    ":path: /index.html",
    ":authority: www.example.com",
    "custom-key: custom-value",
];

#[test]
fn reads_requests_without_huffman() {
    check(&[
        ("828684410f7777772e6578616d706c652e636f6d", FIRST),
        ("828684be58086e6f2d6361636865", SECOND),
        ("828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565", THIRD),
    ]);
}

#[test]
fn reads_requests_with_huffman() {
    check(&[
        ("828684418cf1e3c2e5f23a6ba0ab90f4ff", FIRST),
        ("828684be5886a8eb10649cbf", SECOND),
        ("828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf", THIRD),
    ]);
}

#[test]
fn reads_literals_that_are_not_kept() {
    check(&[
        ("040c2f73616d706c652f70617468", &[":path: /sample/path"]),
        ("100870617373776f726406736563726574", &["password: secret"]),
        ("82", &[":method: GET"]),
    ]);
    let mut decoder = Decoder::new();
    read(&mut decoder, bytes("100870617373776f726406736563726574")).unwrap();
    assert_eq!(read(&mut decoder, bytes("be")), Err(BlockError::Index));
}

#[test]
fn evicts_the_oldest_entries() {
    // A table of 64 bytes has room for one entry of 33 to 64.
    let mut decoder = Decoder::new();
    let block = [bytes("3f21"), bytes("4001610162"), bytes("4001630164")].concat();
    assert_eq!(read(&mut decoder, block.into()).unwrap(), ["a: b", "c: d"]);
    assert_eq!(read(&mut decoder, bytes("be")).unwrap(), ["c: d"]);
    assert_eq!(read(&mut decoder, bytes("bf")), Err(BlockError::Index));
}

#[test]
fn an_entry_larger_than_the_table_empties_it() {
    let mut decoder = Decoder::new();
    let large = [bytes("40 01 61 7f 80 20"), "x".repeat(4223).into()].concat();
    read(&mut decoder, bytes("4001610162")).unwrap();
    assert_eq!(read(&mut decoder, large.into()).unwrap().len(), 1);
    assert_eq!(read(&mut decoder, bytes("be")), Err(BlockError::Index));
}

#[test]
fn refuses_what_is_no_block() {
    for (hex, expected) in [
        ("80", BlockError::Index),
        ("ff00", BlockError::Index),
        ("ffffffffffffff", BlockError::Integer),
        ("ff", BlockError::Truncated),
        ("4005", BlockError::Truncated),
        ("40056162", BlockError::Truncated),
        ("4081fe00", BlockError::Huffman),
        ("3fe21f", BlockError::Resize),
        ("8220", BlockError::LateResize),
    ] {
        assert_eq!(read(&mut Decoder::new(), bytes(hex)), Err(expected), "{hex}");
    }
}

#[test]
fn malformed_fields_keep_their_place() {
    let mut decoder = Decoder::new();
    let mut fields = Vec::new();
    // A name in upper case, then a good value under a name whose first value was broken.
    decoder.decode(bytes("40 01 41 01 62"), |field| fields.push(field)).unwrap();
    decoder.decode(bytes("40 01 61 01 0a"), |field| fields.push(field)).unwrap();
    decoder.decode(bytes("7e 01 62 c0"), |field| fields.push(field)).unwrap();
    let kinds: Vec<_> = fields.iter().map(|field| matches!(field, Field::Malformed(..))).collect();
    assert_eq!(kinds, [true, true, false, true]);
}

#[test]
fn what_everybody_knows_is_found_where_it_stands() {
    let table = Table::new(0);
    for index in 1..62 {
        let field = table.at(index).unwrap().clone();
        assert_eq!(table.find(&field), Found::Whole(index));
    }
    assert!(table.at(62).is_none());
}

#[test]
fn integers_are_as_in_the_rfc() {
    for (value, prefix_bits, expected) in
        [(10, 5, vec![0x0a]), (1337, 5, vec![0x1f, 0x9a, 0x0a]), (42, 8, vec![0x2a])]
    {
        let mut out = Vec::new();
        integer::encode(value, prefix_bits, 0, &mut out);
        assert_eq!(out, expected);
        assert_eq!(integer::decode(&mut out.as_slice(), prefix_bits), Ok(value));
    }
}

fn header(name: &'static str, value: &str) -> Field {
    Field::Header(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
}

#[test]
fn what_is_sent_again_is_one_byte_and_secrets_are_never_kept() {
    let mut encoder = Encoder::new();
    let mut secret = HeaderValue::from_static("Bearer x");
    secret.set_sensitive(true);
    let secret = Field::Header(http::header::AUTHORIZATION, secret);
    let fields = [header("x-tenant", "blue"), header("grpc-timeout", "5S"), secret];
    let mut blocks = [BytesMut::new(), BytesMut::new()];
    for block in &mut blocks {
        encoder.encode(fields.clone(), block);
    }
    assert_eq!(blocks[1][0], 0x80 | 62);
    // Not indexed, a name of 12; and never to be, by a name of the static table.
    assert_eq!(blocks[1][1], 0x00);
    assert!(blocks[1].windows(2).any(|two| two == [0x1f, 23 - 15]));
    let mut decoder = Decoder::new();
    for block in blocks {
        let lines = read(&mut decoder, block.freeze()).unwrap();
        assert_eq!(lines, ["x-tenant: blue", "grpc-timeout: 5S", "authorization: Bearer x"]);
    }
}

#[test]
fn a_smaller_table_is_told_before_the_next_block() {
    let mut encoder = Encoder::new();
    let mut decoder = Decoder::new();
    let mut send = |encoder: &mut Encoder| {
        let mut block = BytesMut::new();
        encoder.encode([header("x-tenant", "blue")], &mut block);
        let first = block[0];
        assert_eq!(read(&mut decoder, block.freeze()).unwrap(), ["x-tenant: blue"]);
        first
    };
    send(&mut encoder);
    encoder.allow(0);
    encoder.allow(100);
    // Emptied on the way, and 100 allowed from then on.
    assert_eq!(send(&mut encoder), 0x20);
    encoder.allow(1 << 30);
    assert_eq!(send(&mut encoder), 0x3f);
}

fn field() -> impl Strategy<Value = Field> {
    let name = prop::sample::select(vec!["x-one", "te", "content-type", "grpc-timeout", "x-long"]);
    let value = prop_oneof!["[ -~]{0,20}", (200..900_usize).prop_map(|length| "x".repeat(length))];
    let secret = prop::bool::weighted(0.1);
    (name, value, secret).prop_map(|(name, value, is_secret)| {
        let mut value = HeaderValue::from_str(&value).unwrap();
        value.set_sensitive(is_secret);
        Field::Header(HeaderName::from_static(name), value)
    })
}

proptest! {
    #[test]
    fn any_lists_are_read_as_they_were_sent(
        lists in prop::collection::vec(
            (prop::collection::vec(field(), 0..8), prop::option::of(0..5000_usize)),
            1..10,
        ),
    ) {
        let (mut encoder, mut decoder) = (Encoder::new(), Decoder::new());
        for (list, allowed) in lists {
            allowed.into_iter().for_each(|bytes_max| encoder.allow(bytes_max));
            let mut block = BytesMut::new();
            encoder.encode(list.clone(), &mut block);
            let mut read = Vec::new();
            prop_assert_eq!(decoder.decode(block.freeze(), |field| read.push(field)), Ok(()));
            prop_assert_eq!(read, list);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(blocks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 1..5)) {
        let mut decoder = Decoder::new();
        for block in blocks {
            let _ended = decoder.decode(block.into(), drop);
        }
    }
}
