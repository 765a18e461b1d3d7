use bytes::Bytes;
use proptest::prelude::*;

use super::{ALIGNMENT, Frame, Kind, NoFrame, Salt, decode, header, padded};

const SALT: Salt = Salt { journal: 7, segment: 3 };

fn encoded(offset: u32, head: &[u8], body: &[Bytes]) -> Vec<u8> {
    let header = header(SALT, offset, (Kind::Data, 11), head, body);
    let mut bytes = header.encoded().to_vec();
    bytes.extend(head);
    body.iter().for_each(|part| bytes.extend(part));
    bytes
}

proptest! {
    #[test]
    fn comes_back_whole(head in proptest::collection::vec(any::<u8>(), 0..30), body: Vec<Vec<u8>>, rest: Vec<u8>) {
        let parts: Vec<Bytes> = body.iter().cloned().map(Bytes::from).collect();
        let mut bytes = encoded(64, &head, &parts);
        prop_assert!(bytes.len() <= padded(bytes.len() - 16) && padded(bytes.len() - 16).is_multiple_of(ALIGNMENT));
        bytes.extend(rest);
        let frame = decode(SALT, 64, &bytes).unwrap();
        let Frame { kind, synced, head: found, body: contents, .. } = frame;
        prop_assert_eq!((kind, synced, found, contents.to_vec()), (Kind::Data, 11, &head[..], body.concat()));
    }

    #[test]
    fn any_turned_bit_is_found(body: Vec<u8>, bit: prop::sample::Index) {
        let mut bytes = encoded(64, b"head", &[Bytes::from(body)]);
        let bit = bit.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(decode(SALT, 64, &bytes), Err(NoFrame::Broken));
    }

    #[test]
    fn arbitrary_bytes_are_no_frame(bytes: Vec<u8>) {
        prop_assert!(decode(SALT, 64, &bytes).is_err());
    }
}

#[test]
fn a_frame_of_another_place_is_none() {
    let bytes = encoded(64, b"", &[Bytes::from_static(b"body")]);
    assert!(decode(SALT, 64, &bytes).is_ok());
    assert_eq!(decode(SALT, 72, &bytes), Err(NoFrame::Broken));
    assert_eq!(decode(Salt { segment: 4, ..SALT }, 64, &bytes), Err(NoFrame::Broken));
    assert_eq!(decode(Salt { journal: 8, ..SALT }, 64, &bytes), Err(NoFrame::Broken));
}

#[test]
fn what_was_never_written_is_blank() {
    assert_eq!(decode(SALT, 64, &[0; 100]), Err(NoFrame::Blank));
    assert_eq!(decode(SALT, 64, &[]), Err(NoFrame::Blank));
}
