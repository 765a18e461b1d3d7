use super::{Anchor, Identity, Stamp};

fn identity(inode: u64, born: u64, handle: Option<&[u8]>) -> Identity {
    Identity { stamp: Stamp::new(1, inode, born), handle: handle.map(Into::into) }
}

#[test]
fn a_handle_decides_where_both_have_one() {
    let one = identity(7, 0, Some(b"a"));
    assert!(one.is_same(&identity(7, 5, Some(b"a"))), "the time of birth does not matter then");
    assert!(!one.is_same(&identity(7, 0, Some(b"b"))), "the inode was given to another file");
    assert!(one.is_same(&identity(7, 0, None)), "a kernel that tells no handle");
    assert!(!identity(7, 1, None).is_same(&identity(7, 2, None)));
}

#[test]
fn a_device_that_was_renumbered_is_the_same_where_births_are_known() {
    assert_eq!(Stamp::new(1, 7, 3), Stamp::new(2, 7, 3));
    assert_ne!(Stamp::new(1, 7, 0), Stamp::new(2, 7, 0));
}

#[test]
fn an_anchor_holds_for_the_same_bytes_only() {
    let anchor = Anchor::of(20, b"0123456789", 4);
    assert_eq!((anchor.start(), anchor.len), (16, 4));
    assert!(anchor.holds(b"6789") && !anchor.holds(b"6780") && !anchor.holds(b"789"));
    assert!(Anchor::of(0, b"", 4).holds(b""));
    for at in 0..32 {
        let mut bytes = [7; 32];
        let anchor = Anchor::of(32, &bytes, 32);
        bytes[at] ^= 0x80;
        assert!(!anchor.holds(&bytes), "byte {at}");
    }
}

#[test]
fn the_hash_is_the_same_in_every_version() {
    assert_eq!(Anchor::of(3, b"abc", 8).hash, 0x93dc_5d27_b744_86cc);
    assert_eq!(Anchor::of(12, b"hello, world", 64).hash, 0x45df_d489_d85d_c9bf);
}
