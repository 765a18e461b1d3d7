use super::*;

fn text(encoding: &str, bytes: &[u8]) -> (String, bool) {
    match Encoding::named(encoding).unwrap().decode(bytes, true) {
        Decoded::Text { text, is_repaired } => (text.into_owned(), is_repaired),
        Decoded::Bytes(bytes) => panic!("{bytes:?} are no text"),
    }
}

#[test]
fn encodings_have_the_names_that_upstream_and_iana_know() {
    for (name, expected) in [
        ("utf-8", Encoding::Utf8),
        ("UTF8", Encoding::Utf8),
        ("ascii", Encoding::Utf8),
        ("utf8-raw", Encoding::Utf8Raw),
        ("utf-16", Encoding::Utf16(Endian::Little)),
        ("UTF-16BE", Encoding::Utf16(Endian::Big)),
        ("nop", Encoding::Nop),
        ("big5", Encoding::Other(encoding_rs::BIG5)),
        ("gb18030", Encoding::Other(encoding_rs::GB18030)),
        ("shift_jis", Encoding::Other(encoding_rs::SHIFT_JIS)),
        ("iso-8859-1", Encoding::Other(encoding_rs::WINDOWS_1252)),
    ] {
        assert_eq!(Encoding::named(name), Some(expected), "{name}");
    }
    assert_eq!(Encoding::named("klingon"), None);
}

#[test]
fn what_is_not_valid_is_replaced_and_told() {
    assert_eq!(text("utf-8", b"a\xffb"), ("a\u{fffd}b".to_owned(), true));
    assert_eq!(text("utf-8", "aé".as_bytes()), ("aé".to_owned(), false));
    let raw = Encoding::Utf8Raw.decode(b"a\xff", false);
    assert_eq!(raw, Decoded::Bytes(b"a\xff"));
}

#[test]
fn a_byte_order_mark_at_the_start_says_nothing() {
    assert_eq!(text("utf-8", b"\xef\xbb\xbfa").0, "a");
    assert_eq!(text("utf-16le", b"\xff\xfea\0").0, "a");
    assert_eq!(text("utf-16be", b"\xfe\xff\0a").0, "a");
    let inside = Encoding::Utf8.decode(b"\xef\xbb\xbfa", false);
    assert!(matches!(inside, Decoded::Text { text, .. } if text == "\u{feff}a"));
}

#[test]
fn older_encodings_are_read() {
    assert_eq!(text("big5", b"\xa4\xa4\xa4\xe5"), ("中文".to_owned(), false));
    assert_eq!(text("shift_jis", b"\x93\xfa\x96\x7b"), ("日本".to_owned(), false));
    assert_eq!(text("windows-1252", b"\x80"), ("€".to_owned(), false));
}

#[test]
fn the_beginning_of_a_character_is_seen() {
    for (bytes, expected) in [
        (&b"abc"[..], 0),
        (b"a\xe2\x82", 2),
        (b"a\xe2", 1),
        (b"a\xf0\x9f\x98", 3),
        (b"\xf0\x9f\x98", 3),
        ("a€".as_bytes(), 0),
        (b"a\xff", 0),
        (b"\x82\x82\x82\x82", 0),
        (b"", 0),
    ] {
        assert_eq!(Encoding::Utf8.torn_tail_len(bytes, 0), expected, "{bytes:?}");
    }
}

#[test]
fn a_cut_of_an_older_encoding_falls_behind_ascii() {
    let big5 = Encoding::named("big5").unwrap();
    assert_eq!(big5.cut(b"ab \xa4\xa4\xa4\xe5\xa4\xa4", 0, 6), 3);
    assert_eq!(Encoding::named("latin1").unwrap().cut(b"\xe4\xe4\xe4\xe4", 0, 3), 3);
}
