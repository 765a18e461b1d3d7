//! Conversations over HTTP/1.1: it makes no difference how they are cut.

use proptest::prelude::*;
use wire::http1::Fault;

use crate::exercise_http1::listen;

const CONVERSATIONS: [&[u8]; 9] = [
    b"POST /v1/logs HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhelloGET / HTTP/1.0\r\n\r\n",
    b"\r\n\nPOST http://host:80/v1/logs?a=b HTTP/1.1\nHost:x\nContent-Length: 0\nContent-Length: 0\n\n",
    b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: Chunked\r\n\r\n5;a=b\r\nhello\r\n00A \r\n0123456789\r\n0\r\nx: y\r\n\r\nGET / HTTP/1.1\r\nhost: y\r\n\r\n",
    b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: x\r\n folded: y\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 and so on, for longer than a glance \r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\nhello\n0\n\n",
    b"GET / HTTP/1.1\r\nhost: x\r\nx: \xff\x80 obs-text\r\nconnection: a, CLOSE\r\n\r\n\r\n",
];

#[test]
fn it_makes_no_difference_where_a_conversation_is_cut_in_two_or_bit_by_bit() {
    for conversation in CONVERSATIONS {
        let whole = listen([conversation]);
        assert!(whole.fault.is_some() || !whole.requests.is_empty());
        assert_eq!(listen(conversation.chunks(1)), whole);
        for at in 0..conversation.len() {
            let (one, two) = conversation.split_at(at);
            assert_eq!(listen([one, two]), whole, "cut at {at}");
        }
    }
}

#[test]
fn a_head_that_is_too_large_is_so_however_it_is_cut() {
    let large =
        [b"GET / HTTP/1.1\r\nhost: x\r\nx: ".as_slice(), &[b'x'; 2_000], b"\r\n\r\n"].concat();
    let odd = [b"\x16\x03\x01".as_slice(), &[b'x'; 2_000]].concat();
    let endless = vec![b'\n'; 2_000];
    for (bytes, fault) in
        [(large, Fault::TooLarge), (odd, Fault::Malformed), (endless, Fault::TooLarge)]
    {
        for size in [1, 7, 100, 5_000] {
            assert_eq!(listen(bytes.chunks(size)).fault, Some(fault), "{size}");
        }
    }
}

proptest! {
    #[test]
    fn random_pieces_and_changes_make_no_difference(
        conversation in 0..CONVERSATIONS.len(),
        change in proptest::option::of((any::<prop::sample::Index>(), any::<u8>())),
        cuts in prop::collection::vec(1..40_usize, 1..20),
    ) {
        let mut bytes = CONVERSATIONS[conversation].to_vec();
        if let Some((at, byte)) = change {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let mut rest = bytes.as_slice();
        let mut pieces = Vec::new();
        for cut in cuts.into_iter().cycle() {
            let (piece, more) = rest.split_at(cut.min(rest.len()));
            pieces.push(piece);
            rest = more;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(listen(pieces), listen([bytes.as_slice()]));
    }
}
