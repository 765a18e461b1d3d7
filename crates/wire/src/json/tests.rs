use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::profiles::v1development::ExportProfilesServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use proptest::prelude::*;
use prost::Message as _;

use super::*;
use crate::schema::arbitrary::{self, Random, Shape};

mod errors;
mod examples;
mod oracle;

const TIDY: Shape = Shape { is_canonical: true, index_limit: 8, depth_max: 9 };
const UNTIDY: Shape = Shape { is_canonical: false, index_limit: 8, depth_max: 9 };

/// What an independent decoder makes of a request, encoded again: NaN would differ from itself.
fn decoded(signal: Signal, request: &[u8]) -> Vec<u8> {
    match signal {
        Signal::Logs => ExportLogsServiceRequest::decode(request).unwrap().encode_to_vec(),
        Signal::Traces => ExportTraceServiceRequest::decode(request).unwrap().encode_to_vec(),
        Signal::Metrics => ExportMetricsServiceRequest::decode(request).unwrap().encode_to_vec(),
        Signal::Profiles => ExportProfilesServiceRequest::decode(request).unwrap().encode_to_vec(),
    }
}

fn request(signal: Signal, shape: Shape, seed: u64) -> Vec<u8> {
    arbitrary::message(schema::request(signal), shape, &mut Random(seed))
}

fn to_json(signal: Signal, request: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    write::write(schema::request(signal), request, &mut out);
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_written_reads_back_the_same(seed: u64) {
        for signal in Signal::ALL {
            for shape in [TIDY, UNTIDY] {
                let original = request(signal, shape, seed);
                let text = to_json(signal, &original);
                let back = to_protobuf(signal, &text).unwrap();
                prop_assert_eq!(decoded(signal, &back), decoded(signal, &original));
                prop_assert!(back.len() <= EXPANSION_MAX * text.len());
                prop_assert!(text.len() <= 2 + 16 * original.len());
            }
        }
    }

    #[test]
    fn damaged_text_is_refused_or_read_and_never_panics(seed: u64) {
        let mut random = Random(seed);
        for signal in Signal::ALL {
            let mut text = to_json(signal, &request(signal, TIDY, seed));
            for _ in 0..=random.below(3) {
                damage(&mut text, &mut random);
            }
            match to_protobuf(signal, &text) {
                Ok(request) => drop(decoded(signal, &request)),
                Err(error) => prop_assert!(!error.what.is_empty() && error.what.len() <= 200),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn damaged_bytes_still_make_a_document(seed: u64) {
        let mut random = Random(seed);
        for signal in Signal::ALL {
            let mut bytes = request(signal, UNTIDY, seed);
            bytes.push(0);
            for _ in 0..=random.below(3) {
                damage(&mut bytes, &mut random);
            }
            let text = to_json(signal, &bytes);
            prop_assert!(serde_json::from_slice::<serde_json::Value>(&text).is_ok());
        }
    }
}

fn damage(text: &mut Vec<u8>, random: &mut Random) {
    const PIECES: [&[u8]; 12] =
        [b"{", b"}", b"[", b"]", b"\"", b",", b":", b"null", b"-1", b"1e400", b"\\ud800", b"\xff"];
    let at = random.below(text.len());
    match random.below(4) {
        0 => text.truncate(at.max(1)),
        1 => text[at] ^= 1 << random.below(8),
        2 => {
            let end = (at + random.below(20)).min(text.len());
            text.splice(at..end, []);
            text.push(b' ');
        }
        _ => {
            let piece = PIECES[random.below(PIECES.len())];
            text.splice(at..at, piece.iter().copied());
        }
    }
}

#[test]
fn stops_at_the_bound() {
    let zeros = vec!["0"; 10_000].join(",");
    let text = format!(
        r#"{{"resourceProfiles":[{{"scopeProfiles":[{{"profiles":[{{"samples":[{{"timestampsUnixNano":[{zeros}]}}]}}]}}]}}]}}"#
    );
    let within = |bytes_max| to_protobuf_within(Signal::Profiles, text.as_bytes(), bytes_max);
    assert_eq!(within(text.len()), Ok(None));
    let whole = within(EXPANSION_MAX * text.len()).unwrap().unwrap();
    assert!(3 * text.len() < whole.len());
    assert_eq!(within(whole.len() - 1), Ok(None));
    assert_eq!(within(whole.len()), Ok(Some(whole)));
    assert!(to_protobuf_within(Signal::Logs, b"{", 0).is_err());
}

#[test]
fn writes_one_line() {
    for signal in Signal::ALL {
        let text = to_json(signal, &request(signal, UNTIDY, 7));
        assert!(!text.contains(&b'\n'));
    }
}

#[test]
fn a_payload_of_several_segments_is_one_document() {
    let text = br#"{"resourceLogs":[{"schemaUrl":"a"}]}"#;
    let request = to_protobuf(Signal::Logs, text).unwrap();
    let payload = Payload::parse(Signal::Logs, [request.clone(), request].concat().into()).unwrap();
    let expected = r#"{"resourceLogs":[{"schemaUrl":"a"},{"schemaUrl":"a"}]}"#;
    assert_eq!(String::from_utf8(from_payload(&payload)).unwrap(), expected);
}
