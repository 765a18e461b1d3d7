//! The stored inputs of the fuzz target: seeds, and every input that once crashed it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../../../../fuzz/exercise/corpus.rs"]
mod corpus;
#[path = "../../../../fuzz/exercise/entry.rs"]
mod exercise;

use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use delivery::entry::{Entry, Owner, stream_name};
use delivery::{Scope, Target};
use pipeline::{Code, Metadata, SpanContext, Status};
use runtime::random::Random;
use wire::{Payload, Signal};

const TARGET: &str = "stored_entry";

#[test]
fn stored_inputs_are_handled() {
    corpus::each(TARGET, exercise::entry);
}

#[test]
fn stored_inputs_with_changed_bytes_are_handled() {
    let byte = |random: &Random| [random.number() as u8, 0xff, 0x80][random.below(3) as usize];
    corpus::each_changed(TARGET, 20_000, byte, |_, input| exercise::entry(input));
}

/// Items of contributors whose sum no number holds.
#[test]
fn items_beyond_all_numbers_are_refused() {
    let number = [&[0xff; 9][..], &[1]].concat();
    let head = [&[1, 0, 0, 0, 2][..], &number, &[0], &number, &[0]].concat();
    assert!(Entry::decode(Bytes::from(head)).is_err());
}

/// Writes the seeds: `cargo test -p delivery --test corpus -- --ignored write_the_seeds`.
#[test]
#[ignore = "writes into the source tree"]
fn write_the_seeds() {
    std::fs::create_dir_all(corpus::folder(TARGET)).unwrap();
    let pairs = [("tenant", "a"), ("tenant", "b"), ("zone", "1")];
    let metadata = pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let metadata: Metadata = metadata.into_iter().collect();
    let trace = Some(SpanContext { trace_id: [1; 16], span_id: [2; 8], flags: 1 });
    // Two records, each with the text "x".
    let record = [0x12, 5, 0x2a, 3, 0x0a, 1, b'x'];
    let scope = [&[0x12, 14][..], &record, &record].concat();
    let request = Bytes::from([&[0x0a, 16][..], &scope].concat());
    let refusal = Status { http: Some(400), ..Status::new(Code::InvalidArgument, "bad") };
    for (name, refused) in [("entry", None), ("refusal", Some(refusal))] {
        let entry = Entry {
            stored_at: UNIX_EPOCH + Duration::from_millis(1_700_000_000_123),
            metadata: metadata.clone(),
            contributors: vec![Owner { items: 1, trace }, Owner { items: 1, trace: None }],
            payload: Payload::parse(Signal::Logs, request.clone()).unwrap(),
            refused,
        };
        std::fs::write(corpus::folder(TARGET).join(name), entry.encode().concat()).unwrap();
    }
    let target = Target::new(["group", "stream"], [Scope::new("credential")]);
    for (name, target) in [("stream", Target::default()), ("target", target)] {
        let stream = stream_name(Signal::Traces, &metadata, &target);
        std::fs::write(corpus::folder(TARGET).join(name), stream).unwrap();
    }
}
