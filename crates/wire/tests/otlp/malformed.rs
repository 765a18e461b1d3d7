//! Malformed requests are refused with the place and the reason.

use bytes::Bytes;
use wire::protobuf::put_bytes_field;
use wire::{Payload, Signal};

use crate::exercise;
use crate::random::Random;
use crate::requests;
use crate::scan::request;

/// `body` inside fields of these numbers, the outermost first.
fn nested(numbers: &[u32], body: &[u8]) -> Vec<u8> {
    numbers.iter().rev().fold(body.to_vec(), |body, number| {
        let mut out = Vec::new();
        put_bytes_field(&mut out, *number, &body);
        out
    })
}

fn check(signal: Signal, encoded: Vec<u8>, expected: &str) {
    let refused = Payload::parse(signal, Bytes::from(encoded)).map(|payload| payload.items());
    assert_eq!(refused.map_err(|malformed| malformed.to_string()), Err(expected.to_owned()));
}

/// In a log record, which begins at byte 6.
fn check_in_record(record: &[u8], expected: &str) {
    check(Signal::Logs, nested(&[1, 2, 2], record), expected);
}

#[test]
fn faults_of_encoding() {
    check(
        Signal::Logs,
        vec![0x0a, 0x05, 0x00],
        "malformed logs request at byte 0 (resource_logs): \
         a length reaches past the end of its message",
    );
    check(
        Signal::Logs,
        vec![0x0a],
        "malformed logs request at byte 0 (resource_logs): the value is cut off",
    );
    check(
        Signal::Traces,
        vec![0x00],
        "malformed traces request at byte 0 (request): field number 0 is not allowed",
    );
    check(
        Signal::Traces,
        vec![0x0b, 0x0c],
        "malformed traces request at byte 0 (resource_spans): groups are not allowed",
    );
    check(
        Signal::Metrics,
        vec![0x16],
        "malformed metrics request at byte 0 (request): wire types 6 and 7 do not exist",
    );
    check(
        Signal::Metrics,
        vec![0x0d, 0, 0, 0, 0],
        "malformed metrics request at byte 0 (resource_metrics): \
         the wire type does not fit the field",
    );
    check(
        Signal::Profiles,
        vec![0xfa, 0xff, 0xff, 0xff, 0x7f, 0x00],
        "malformed profiles request at byte 0 (request): a field number is above 536870911",
    );
}

#[test]
fn faults_in_a_record() {
    check_in_record(
        &[0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02],
        "malformed logs request at byte 6 \
         (resource_logs.scope_logs.log_records.severity_number): \
         a varint does not fit in 64 bits",
    );
    check_in_record(
        &[0x10, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
        "malformed logs request at byte 6 \
         (resource_logs.scope_logs.log_records.severity_number): \
         a varint does not fit in 64 bits",
    );
    check_in_record(
        &[0x10, 0x09, 0x09, 0x01],
        "malformed logs request at byte 8 (resource_logs.scope_logs.log_records.time_unix_nano): \
         the value is cut off",
    );
    check_in_record(
        &[0x1a, 0x02, 0xc3, 0x28],
        "malformed logs request at byte 6 (resource_logs.scope_logs.log_records.severity_text): \
         a string is not valid UTF-8",
    );
    check_in_record(
        &[0x32, 0x04, 0x0a, 0x02, 0xff, 0xff],
        "malformed logs request at byte 8 (resource_logs.scope_logs.log_records.attributes.key): \
         a string is not valid UTF-8",
    );
    check_in_record(
        &[0x32, 0x07, 0x0a, 0x00, 0x12, 0x03, 0x0a, 0x01, 0x80],
        "malformed logs request at byte 12 \
         (resource_logs.scope_logs.log_records.attributes.value.string_value): \
         a string is not valid UTF-8",
    );
}

#[test]
fn faults_in_packed_numbers() {
    let point = |field: &[u8]| nested(&[1, 2, 2, 9, 1], field);
    let path = "resource_metrics.scope_metrics.metrics.histogram.data_points";
    check(
        Signal::Metrics,
        point(&[0x32, 0x03, 1, 2, 3]),
        &format!(
            "malformed metrics request at byte 10 ({path}.bucket_counts): \
             a packed field ends inside a value"
        ),
    );
    check(
        Signal::Profiles,
        nested(&[1, 2, 2, 2, 4], &[0x80]),
        "malformed profiles request at byte 8 \
         (resource_profiles.scope_profiles.profiles.samples.values): \
         a packed field ends inside a value",
    );
}

#[test]
fn nesting_is_bounded() {
    // A request is 3 deep at its records; a list and a value in it are 2 more.
    let numbers = |lists: usize| [vec![1, 2, 2, 5], [5, 1].repeat(lists)].concat();
    let deep = |lists: usize| Bytes::from(nested(&numbers(lists), &[]));
    assert_eq!(Payload::parse(Signal::Logs, deep(30)).unwrap().items(), 1);
    let refused = Payload::parse(Signal::Logs, deep(31)).unwrap_err();
    assert_eq!(refused.what, "messages nest more than 64 deep");
    assert_eq!(refused.path.matches("array_value").count(), 31);
    let bomb = Payload::parse(Signal::Logs, deep(20_000)).unwrap_err();
    assert_eq!(bomb.what, "messages nest more than 64 deep");
    // Plain attributes are as deep as others.
    let attributes = |lists: usize| {
        let numbers = [vec![1, 2, 2, 6, 2], [6, 1, 2].repeat(lists)].concat();
        let plain = [0x0a, 0x01, b'k', 0x12, 0x02, 0x10, 0x01];
        Bytes::from(nested(&[&numbers[..], &[6, 1][..]].concat(), &plain))
    };
    assert!(Payload::parse(Signal::Logs, attributes(18)).is_ok());
    assert!(Payload::parse(Signal::Logs, attributes(19)).is_err());
}

#[test]
fn plain_and_odd_attributes_are_one() {
    let attributes: [&[u8]; 6] = [
        &[0x0a, 0x01, b'k', 0x12, 0x03, 0x0a, 0x01, b'v'],
        &[0x12, 0x03, 0x0a, 0x01, b'v', 0x0a, 0x01, b'k'],
        &[0x0a, 0x01, b'k', 0x12, 0x81, 0x00, 0x08],
        &[0x0a, 0x01, b'k', 0x12, 0x02, 0x18, 0x80],
        &[0x0a, 0x01, b'k', 0x12, 0x08, 0x21, 0, 0, 0, 0, 0, 0, 0],
        &[0x0a, 0x81, 0x00, b'k'],
    ];
    for attribute in attributes {
        let encoded = nested(&[1, 2, 2, 6], attribute);
        let decoded = requests::items(Signal::Logs, &encoded);
        let parsed = Payload::parse(Signal::Logs, encoded.into());
        assert_eq!(parsed.is_ok(), decoded.is_ok(), "{attribute:?}");
    }
}

/// Cuts of every length: none panics, and none is taken for more than it holds.
#[test]
fn truncated_requests_end_in_errors_or_shorter_requests() {
    for signal in Signal::ALL {
        let whole = request(signal, 3, 3);
        for len in 0..whole.len() {
            let cut = whole.slice(..len);
            let decoded = requests::items(signal, &cut).map(|items| items.len()).ok();
            let parsed = Payload::parse(signal, cut).map(|payload| payload.items()).ok();
            assert!(parsed.is_none() || parsed == decoded, "{signal} cut at {len}");
        }
    }
}

/// Random damage, and everything that can be done with what is still accepted.
#[test]
fn damaged_requests_never_panic() {
    const SEED: u64 = 20_260_101;
    println!("seed {SEED}");
    let mut random = Random::new(SEED);
    for round in 0..400 {
        let signal = Signal::ALL[round % 4];
        let mut bytes = request(signal, random.next(), 3).to_vec();
        for _ in 0..random.below(4) {
            if let Some(at) = (!bytes.is_empty()).then(|| random.below(bytes.len())) {
                bytes[at] = random.next() as u8;
            }
        }
        let choice = random.next() as u8 & 0xfc | signal as u8;
        let input = [&[choice][..], &bytes].concat();
        exercise::parse(&input);
        exercise::cut_merge(&input);
        exercise::edit(&input);
    }
}
