use proptest::prelude::*;

use super::{decode, encode, encoded_len};

fn coded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    encode(text, &mut out);
    out
}

#[test]
fn codes_as_the_examples_of_the_rfc() {
    for (text, expected) in [
        ("www.example.com", "f1e3c2e5f23a6ba0ab90f4ff"),
        ("no-cache", "a8eb10649cbf"),
        ("custom-value", "25a849e95bb8e8b4bf"),
        ("Mon, 21 Oct 2013 20:13:21 GMT", "d07abe941054d444a8200595040b8166e082a62d1bff"),
        ("", ""),
    ] {
        let hex =
            coded(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(hex, expected, "{text}");
    }
}

#[test]
fn padding_that_is_long_or_not_ones_is_refused() {
    // `a` is 00011; then ones, of which there may be seven at most.
    assert_eq!(decode(&[0b0001_1111]).as_deref(), Ok(b"a".as_slice()));
    assert!(decode(&[0b0001_1111, 0xff]).is_err());
    assert!(decode(&[0b0001_1110]).is_err());
    assert!(decode(&[0xff]).is_err());
    // The code for the end of a string.
    assert!(decode(&[0xff, 0xff, 0xff, 0xff]).is_err());
}

proptest! {
    #[test]
    fn what_is_coded_is_read_back(text in prop::collection::vec(any::<u8>(), 0..200)) {
        let coded = coded(&text);
        prop_assert_eq!(coded.len(), encoded_len(&text));
        prop_assert_eq!(decode(&coded), Ok(text));
    }

    #[test]
    fn what_is_read_is_what_would_be_coded(coded_by_peer in prop::collection::vec(any::<u8>(), 0..40)) {
        if let Ok(text) = decode(&coded_by_peer) {
            prop_assert_eq!(coded(&text), coded_by_peer);
        }
    }
}
