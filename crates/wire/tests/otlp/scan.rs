//! The scan accepts and counts what the independent library decodes.

use bytes::Bytes;
use proptest::prelude::*;
use prost::Message as _;
use wire::protobuf::put_bytes_field;
use wire::{Payload, Signal, schema};

use crate::random::Random;
use crate::requests::{self, Logs, Metrics, Profiles, Traces};
use crate::scramble::scramble;

pub(crate) fn signals() -> impl Strategy<Value = Signal> {
    proptest::sample::select(Signal::ALL.to_vec())
}

/// A request of `signal` in some encoding.
pub(crate) fn request(signal: Signal, seed: u64, size: usize) -> Bytes {
    let mut random = Random::new(seed);
    let plain = random.request(signal, size);
    if random.is_one_in(4) {
        return plain.into();
    }
    scramble(&mut random, schema::request(signal), &plain).into()
}

fn is_equal_when_decoded(signal: Signal, left: &[u8], right: &[u8]) -> bool {
    match signal {
        Signal::Logs => Logs::decode(left).unwrap() == Logs::decode(right).unwrap(),
        Signal::Traces => Traces::decode(left).unwrap() == Traces::decode(right).unwrap(),
        Signal::Metrics => Metrics::decode(left).unwrap() == Metrics::decode(right).unwrap(),
        Signal::Profiles => Profiles::decode(left).unwrap() == Profiles::decode(right).unwrap(),
    }
}

proptest! {
    #[test]
    fn scrambling_changes_nothing_but_the_encoding(signal in signals(), seed: u64) {
        let mut random = Random::new(seed);
        let plain = random.request(signal, 4);
        let scrambled = scramble(&mut random, schema::request(signal), &plain);
        prop_assert!(is_equal_when_decoded(signal, &plain, &scrambled));
    }

    #[test]
    fn counts_what_a_full_decode_counts(signal in signals(), seed: u64, size in 0usize..8) {
        let encoded = request(signal, seed, size);
        let payload = Payload::parse(signal, encoded.clone()).unwrap();
        prop_assert_eq!(payload.items(), requests::items(signal, &encoded).unwrap().len());
        prop_assert_eq!(payload.to_bytes(), encoded);
    }

    #[test]
    fn accepts_garbage_only_if_the_library_does(signal in signals(), garbage: Vec<u8>) {
        if let Ok(payload) = Payload::parse(signal, garbage.clone().into()) {
            let items = requests::items(signal, &garbage);
            prop_assert_eq!(items.map(|items| items.len()), Ok(payload.items()));
        }
    }

    #[test]
    fn agrees_with_the_library_on_damaged_requests(signal in signals(), seed: u64) {
        let mut bytes = request(signal, seed, 3).to_vec();
        let mut random = Random::new(!seed);
        for _ in 0..=random.below(3) {
            damage(&mut random, &mut bytes);
        }
        let items = requests::items(signal, &bytes);
        match Payload::parse(signal, bytes.into()) {
            Ok(payload) => prop_assert_eq!(items.map(|items| items.len()), Ok(payload.items())),
            Err(malformed) => prop_assert!(items.is_err() || is_stricter(malformed.what)),
        }
    }
}

fn damage(random: &mut Random, bytes: &mut Vec<u8>) {
    if bytes.is_empty() {
        return;
    }
    let at = random.below(bytes.len());
    match random.below(4) {
        0 => bytes[at] = random.next() as u8,
        1 => bytes[at] ^= 1 << random.below(8),
        2 => bytes.truncate(at),
        _ => drop(bytes.remove(at)),
    }
}

/// What is refused although the library does not mind.
fn is_stricter(what: &str) -> bool {
    let refusals = [
        "groups are not allowed",
        "messages nest more than 64 deep",
        "an index points past the end of its dictionary table",
        "the first entry of a dictionary table is not its zero value",
    ];
    refusals.contains(&what)
}

/// A log record whose body and whose one attribute are texts of `length` bytes, the last of which is `last`.
fn with_texts(length: usize, last: u8) -> Vec<u8> {
    let text = [vec![b'a'; length - 1], vec![last]].concat();
    let in_field = |number, inner: &[u8]| {
        let mut field = Vec::new();
        put_bytes_field(&mut field, number, inner);
        field
    };
    let value = in_field(1, &text);
    let attribute = [in_field(1, &text), in_field(2, &value)].concat();
    let record = [in_field(5, &value), in_field(6, &attribute)].concat();
    in_field(1, &in_field(2, &in_field(2, &record)))
}

#[test]
fn texts_of_every_length_are_checked_to_their_last_byte() {
    for length in (1..300).chain([511, 512, 513, 16_000, 16_383, 16_384, 70_000]) {
        let sound = Payload::parse(Signal::Logs, with_texts(length, b'z').into());
        assert_eq!(sound.map(|payload| payload.items()), Ok(1), "{length}");
        for odd in [0x80, 0xc3, 0xff] {
            let broken = Payload::parse(Signal::Logs, with_texts(length, odd).into());
            assert_eq!(broken.unwrap_err().what, "a string is not valid UTF-8", "{length}");
        }
    }
}
