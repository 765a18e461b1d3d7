use proptest::prelude::*;

use super::{BYTES_MAX, put, take};

proptest! {
    #[test]
    fn comes_back_and_leaves_the_rest(value: u64, shift in 0..64, rest: Vec<u8>) {
        let value = value >> shift;
        let mut bytes = Vec::new();
        put(&mut bytes, value);
        prop_assert!(bytes.len() <= BYTES_MAX);
        bytes.extend(&rest);
        let mut left = bytes.as_slice();
        prop_assert_eq!(take(&mut left), Some(value));
        prop_assert_eq!(left, rest);
    }
}

#[test]
fn refuses_what_ends_early_or_is_too_long() {
    for bytes in
        [&[][..], &[0x80], &[0xff; 11], &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]]
    {
        assert_eq!(take(&mut &*bytes), None, "{bytes:?}");
    }
}
