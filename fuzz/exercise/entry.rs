//! What must hold for every stored entry and every name of a stream; the fuzzer and the corpus test
//! share it.

use bytes::Bytes;
use delivery::entry::{Entry, lane_of_stream, stream_name};

/// What can be read is read the same again once it was written; nothing panics.
pub(crate) fn entry(input: &[u8]) {
    let input = Bytes::copy_from_slice(input);
    if let Ok(entry) = Entry::decode(input.clone()) {
        let again = Entry::decode(entry.encode().concat().into());
        let again = again.expect("what was read can be written");
        assert_eq!(again.payload.to_bytes(), entry.payload.to_bytes());
        assert_eq!(again.contributors, entry.contributors);
        assert_eq!(again.metadata, entry.metadata);
        assert_eq!(again.stored_at, entry.stored_at);
        assert_eq!(again.refused, entry.refused);
    }
    if let Ok((signal, metadata, target)) = lane_of_stream(&input) {
        let name = stream_name(signal, &metadata, &target);
        assert_eq!(lane_of_stream(&name), Ok((signal, metadata, target)));
    }
}
