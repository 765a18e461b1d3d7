use super::*;

/// ASCII of every length that is treated differently, with one letter of another kind at every place.
#[test]
fn agrees_with_the_standard_library_wherever_the_odd_byte_is() {
    for length in (0..140).chain([255, 511, 512, 513, 700]) {
        let ascii = vec![b'a'; length];
        assert!(is_utf8(&ascii), "{length}");
        for at in 0..length {
            for odd in ["\u{e9}".as_bytes(), &[0x80], &[0xff], &[0xc3]] {
                let mut text = ascii.clone();
                let until = (at + odd.len()).min(length);
                text[at..until].copy_from_slice(&odd[..until - at]);
                assert_eq!(is_utf8(&text), str::from_utf8(&text).is_ok(), "{at} of {length}");
            }
        }
    }
}
