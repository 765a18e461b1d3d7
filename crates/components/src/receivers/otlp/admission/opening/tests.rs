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
    let permit = budget.try_take(1).unwrap();
    Opening { wire, declared: None, bytes_max: 20 * MIB, permit }
}

fn log_of(bytes: usize) -> Vec<u8> {
    logs_of(&[&"x".repeat(bytes)]).encode_to_vec()
}

fn zstd(plain: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(plain, 1).unwrap()
}

#[test]
fn the_permit_ends_as_large_as_the_payload() {
    let budget = Budget::root("test", 4 * MIB);
    let plain = log_of(100_000);
    let opened = opening(&budget, Format::Protobuf, Some(Algorithm::Zstd), zstd(&plain)).open();
    let (payload, permit) = opened.unwrap();
    assert_eq!((payload.items(), payload.to_bytes()), (1, Bytes::from(plain.clone())));
    assert_eq!(permit.bytes(), plain.len());
    assert_eq!(budget.bytes_used(), plain.len());
}

#[test]
fn a_body_that_outgrows_the_budget_gives_all_back() {
    let budget = Budget::root("test", 50_000);
    let compressed = zstd(&log_of(100_000));
    let opened = opening(&budget, Format::Protobuf, Some(Algorithm::Zstd), compressed).open();
    assert!(matches!(opened, Err(Flawed::NoRoom)));
    assert_eq!(budget.bytes_used(), 0);
}

#[test]
fn json_is_charged_for_what_it_becomes() {
    let budget = Budget::root("test", MIB);
    let text =
        br#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"x"}}]}]}]}"#;
    let (payload, permit) = opening(&budget, Format::Json, None, text.to_vec()).open().unwrap();
    assert_eq!(payload.to_bytes(), log_of(1));
    assert_eq!(permit.bytes(), budget.bytes_used());
}

#[test]
fn only_what_takes_long_is_long() {
    let budget = Budget::root("test", MIB);
    let is_long = |format, algorithm, declared, len| {
        let opening = opening(&budget, format, algorithm, vec![0; len]);
        Opening { declared, ..opening }.is_long()
    };
    let (gzip, zlib) = (Some(Algorithm::Gzip), Some(Algorithm::Zlib));
    assert!(!is_long(Format::Protobuf, None, Some(MIB), MIB));
    assert!(is_long(Format::Protobuf, None, Some(MIB + 1), MIB + 1));
    assert!(!is_long(Format::Protobuf, gzip, Some(500_000), 50_000));
    assert!(is_long(Format::Protobuf, gzip, Some(600_000), 50_000));
    assert!(!is_long(Format::Protobuf, zlib, None, 1_000));
    assert!(is_long(Format::Protobuf, zlib, None, 50_000));
    assert!(is_long(Format::Json, None, Some(200_000), 200_000));
}
