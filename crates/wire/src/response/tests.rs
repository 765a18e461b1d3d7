use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsPartialSuccess, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use opentelemetry_proto::tonic::collector::profiles::v1development::ExportProfilesServiceResponse;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;

use super::*;

const FORMATS: [Format; 2] = [Format::Protobuf, Format::Json];

fn partial(rejected: u64, message: &str) -> PartialSuccess {
    PartialSuccess { rejected, message: message.to_owned() }
}

#[test]
fn every_signal_and_format_round_trips() {
    for signal in Signal::ALL {
        for format in FORMATS {
            for (rejected, message) in [(0, ""), (0, "slow"), (7, ""), (9, "\"bad\"\n")] {
                let encoded = encode(signal, rejected, message, format);
                let read = decode(signal, &encoded, format).unwrap();
                assert_eq!(read, partial(rejected, message), "{signal} {format:?}");
                assert_eq!(read.is_full(), rejected == 0 && message.is_empty());
            }
        }
    }
}

#[test]
fn writes_what_prost_reads() {
    let bytes = |signal| encode(signal, 3, "three", Format::Protobuf);
    let logs = ExportLogsServiceResponse::decode(bytes(Signal::Logs)).unwrap();
    assert_eq!(logs.partial_success.unwrap().rejected_log_records, 3);
    let traces = ExportTraceServiceResponse::decode(bytes(Signal::Traces)).unwrap();
    assert_eq!(traces.partial_success.unwrap().rejected_spans, 3);
    let metrics = ExportMetricsServiceResponse::decode(bytes(Signal::Metrics)).unwrap();
    assert_eq!(metrics.partial_success.unwrap().rejected_data_points, 3);
    let profiles = ExportProfilesServiceResponse::decode(bytes(Signal::Profiles)).unwrap();
    let profiles = profiles.partial_success.unwrap();
    assert_eq!((profiles.rejected_profiles, profiles.error_message.as_str()), (3, "three"));
}

#[test]
fn full_success_is_as_short_as_can_be() {
    assert_eq!(encode(Signal::Logs, 0, "", Format::Protobuf), "");
    assert_eq!(encode(Signal::Logs, 0, "", Format::Json), "{}");
}

#[test]
fn names_the_rejected_items_of_each_signal() {
    let names = ["rejectedLogRecords", "rejectedSpans", "rejectedDataPoints", "rejectedProfiles"];
    for (signal, name) in Signal::ALL.into_iter().zip(names) {
        let expected = format!(r#"{{"partialSuccess":{{"{name}":"5","errorMessage":"e"}}}}"#);
        assert_eq!(encode(signal, 5, "e", Format::Json), expected);
    }
}

#[test]
fn reads_json_of_other_writers() {
    let check = |text: &str, expected: PartialSuccess| {
        let read = decode(Signal::Traces, text.as_bytes(), Format::Json);
        assert_eq!(read, Ok(expected), "{text}");
    };
    check(" {} ", partial(0, ""));
    check(r#"{"partialSuccess":null}"#, partial(0, ""));
    check(r#"{"partialSuccess":{},"unknown":{"a":[1]}}"#, partial(0, ""));
    check(r#"{"partial_success":{"rejected_spans":2,"error_message":"x"}}"#, partial(2, "x"));
    check(r#"{"partialSuccess":{"rejectedSpans":"-1","errorMessage":null}}"#, partial(0, ""));
}

#[test]
fn a_negative_count_reads_as_zero() {
    let theirs = ExportLogsServiceResponse {
        partial_success: Some(ExportLogsPartialSuccess {
            rejected_log_records: -5,
            error_message: "odd".into(),
        }),
    };
    let read = decode(Signal::Logs, &theirs.encode_to_vec(), Format::Protobuf);
    assert_eq!(read, Ok(partial(0, "odd")));
}

#[test]
fn refuses_what_is_no_response() {
    let is_malformed = |encoded: &[u8], format| {
        let read = decode(Signal::Logs, encoded, format);
        assert!(matches!(read, Err(ResponseError::Malformed(_))), "{encoded:?} {read:?}");
    };
    for encoded in [&b"<html>"[..], b"\x0a", b"\x0a\x02\x08", b"\x0b"] {
        is_malformed(encoded, Format::Protobuf);
    }
    let partials = [r#"1"#, r#"{"rejectedLogRecords":1.5}"#, r#"{"errorMessage":[]}"#];
    for text in partials.map(|partial| format!(r#"{{"partialSuccess":{partial}}}"#)) {
        is_malformed(text.as_bytes(), Format::Json);
    }
    for text in ["", "[]", "<html>", "{}{}"] {
        is_malformed(text.as_bytes(), Format::Json);
    }
    for format in FORMATS {
        let large = vec![b' '; BYTES_MAX + 1];
        assert_eq!(decode(Signal::Logs, &large, format), Err(ResponseError::TooLarge));
    }
}

#[test]
fn cuts_long_messages() {
    for format in FORMATS {
        let encoded = encode(Signal::Logs, 1, &"x".repeat(1 << 20), format);
        assert!(encoded.len() < 5_000);
        assert!(decode(Signal::Logs, &encoded, format).is_ok());
    }
}
