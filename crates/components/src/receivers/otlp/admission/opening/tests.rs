use prost::Message as _;
use runtime::budget::Budget;

use super::*;
use crate::testing::logs_of;

const MIB: usize = 1 << 20;

fn opening(
    budget: &Budget,
    format: Format,
    algorithm: Option<Algorithm>,
    bytes: Vec<u8>,
) -> Opening {
    let wire = Wire { bytes: bytes.into(), algorithm, format, signal: Signal::Logs };
    let (room, most) = (2 * MIB, 2 * MIB);
    let permit = budget.try_take(room * wire.buffers()).unwrap();
    Opening { wire, room, most, permit }
}

fn whole(opened: Result<Opened, Flawed>) -> (Payload, Permit) {
    match opened {
        Ok(Opened::Whole(payload, permit)) => (payload, permit),
        other => panic!("{other:?}"),
    }
}

fn log_of(bytes: usize) -> Vec<u8> {
    logs_of(&[&"x".repeat(bytes)]).encode_to_vec()
}

fn json_of(bytes: usize) -> Vec<u8> {
    let body = "x".repeat(bytes);
    format!(
        r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"body":{{"stringValue":"{body}"}}}}]}}]}}]}}"#
    )
    .into_bytes()
}

fn zstd(plain: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(plain, 1).unwrap()
}

#[test]
fn the_permit_ends_as_large_as_the_payload() {
    let budget = Budget::root("test", 4 * MIB);
    let plain = log_of(100_000);
    let opened = opening(&budget, Format::Protobuf, Some(Algorithm::Zstd), zstd(&plain)).open();
    let (payload, permit) = whole(opened);
    assert_eq!((payload.items(), payload.to_bytes()), (1, Bytes::from(plain.clone())));
    assert_eq!(permit.bytes(), plain.len());
    assert_eq!(budget.bytes_used(), plain.len());
}

#[test]
fn a_body_that_outgrows_its_room_is_opened_anew_if_there_is_more() {
    let budget = Budget::root("test", 4 * MIB);
    for (format, plain) in [(Format::Protobuf, log_of(100_000)), (Format::Json, json_of(100_000))] {
        for algorithm in [None, Some(Algorithm::Zstd)] {
            let body = if algorithm.is_some() { zstd(&plain) } else { plain.clone() };
            let mut first = opening(&budget, format, algorithm, body);
            first.permit.shrink_to(50_000);
            let opened = Opening { room: 50_000, ..first }.open().unwrap();
            let longer = match opened {
                // Bytes that came in protobuf need no other buffer.
                Opened::Whole(..) if (format, algorithm) == (Format::Protobuf, None) => continue,
                Opened::Whole(..) => panic!("{format:?} {algorithm:?}"),
                Opened::Longer(longer) => longer,
            };
            let (payload, permit) = whole(longer.enlarged().unwrap().open());
            assert_eq!(payload.to_bytes(), log_of(100_000));
            assert_eq!(permit.bytes(), payload.bytes_len());
        }
    }
}

#[test]
fn a_body_that_outgrows_the_budget_gives_all_back() {
    let budget = Budget::root("test", 4 * MIB);
    let mut first = opening(&budget, Format::Protobuf, Some(Algorithm::Zstd), zstd(&log_of(MIB)));
    first.permit.shrink_to(50_000);
    let taken = budget.try_take(3 * MIB).unwrap();
    let opened = Opening { room: 50_000, ..first }.open().unwrap();
    let Opened::Longer(longer) = opened else { panic!("{opened:?}") };
    assert!(matches!(longer.enlarged(), Err(Flawed::NoRoom)));
    assert_eq!(budget.bytes_used(), taken.bytes());
}

#[test]
fn a_body_larger_than_the_most_there_is_is_too_large() {
    let budget = Budget::root("test", 4 * MIB);
    let first = opening(&budget, Format::Protobuf, Some(Algorithm::Zstd), zstd(&log_of(3 * MIB)));
    let opened = first.open().unwrap();
    let Opened::Longer(longer) = opened else { panic!("{opened:?}") };
    assert!(matches!(longer.enlarged(), Err(Flawed::TurnedAway(_))));
}

#[test]
fn json_is_charged_for_what_it_becomes() {
    let budget = Budget::root("test", 4 * MIB);
    let opened = opening(&budget, Format::Json, None, json_of(100_000)).open();
    let (payload, permit) = whole(opened);
    assert_eq!(payload.to_bytes(), log_of(100_000));
    assert_eq!((permit.bytes(), budget.bytes_used()), (payload.bytes_len(), permit.bytes()));
}

#[test]
fn only_what_takes_long_is_long() {
    let budget = Budget::root("test", 4 * MIB);
    let is_long = |format, algorithm, room| {
        let opening = opening(&budget, format, algorithm, Vec::new());
        Opening { room, ..opening }.is_long()
    };
    let gzip = Some(Algorithm::Gzip);
    assert!(!is_long(Format::Protobuf, None, MIB));
    assert!(is_long(Format::Protobuf, None, MIB + 1));
    assert!(!is_long(Format::Protobuf, gzip, 500_000));
    assert!(is_long(Format::Protobuf, gzip, 600_000));
    assert!(!is_long(Format::Json, None, 100_000));
    assert!(is_long(Format::Json, None, 200_000));
}
