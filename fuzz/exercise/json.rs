//! What must hold for every input of the JSON targets; fuzzers and the corpus test share it.
//!
//! The first byte of an input chooses the signal, the rest is the text or the request.

use wire::{Payload, Signal, json};

fn chosen(input: &[u8]) -> Option<(Signal, &[u8])> {
    let (first, rest) = input.split_first()?;
    Some((Signal::ALL[usize::from(first % 4)], rest))
}

/// Reading refuses, or makes a request of bounded size; written again, it says the same.
pub(crate) fn read(input: &[u8]) {
    let Some((signal, text)) = chosen(input) else { return };
    match json::to_protobuf(signal, text) {
        Ok(encoded) => {
            assert!(encoded.len() <= json::EXPANSION_MAX * text.len());
            let bounded = json::to_protobuf_within(signal, text, encoded.len());
            assert_eq!(bounded.as_ref(), Ok(&Some(encoded.clone())));
            match Payload::parse(signal, encoded.into()) {
                Ok(payload) => settle(&payload),
                // Only an index can be wrong in what is well-formed JSON.
                Err(malformed) => assert_eq!(signal, Signal::Profiles, "{malformed}"),
            }
        }
        Err(error) => assert!(1 <= error.line && error.what.len() <= 200),
    }
}

/// Whatever parses can be written.
pub(crate) fn write(input: &[u8]) {
    let Some((signal, request)) = chosen(input) else { return };
    let Ok(payload) = Payload::parse(signal, request.to_vec().into()) else { return };
    let text = json::from_payload(&payload);
    assert!(!text.contains(&b'\n'));
    // Ids of a wrong length are carried, but not read from JSON.
    if let Ok(encoded) = json::to_protobuf(signal, &text) {
        let again = Payload::parse(signal, encoded.into()).expect("a written request parses");
        assert_eq!(again.items(), payload.items());
        settle(&again);
    }
}

/// What was read from JSON is the same after one more way there and back.
fn settle(payload: &Payload) {
    let signal = payload.signal();
    let text = json::from_payload(payload);
    let encoded = json::to_protobuf(signal, &text).expect("written JSON can be read");
    let again = Payload::parse(signal, encoded.into()).expect("a written request parses");
    assert_eq!(again.items(), payload.items());
    assert_eq!(json::from_payload(&again), text);
}
