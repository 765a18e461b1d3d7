//! Single rules of the JSON form, each as a text and the JSON that is made of what was read.

use super::*;

/// Reads a log record with these members and writes it again.
fn log_record(members: &str) -> Result<String, JsonError> {
    let wrap = |members: &str| {
        format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{{members}}}]}}]}}]}}"#)
    };
    let request = to_protobuf(Signal::Logs, wrap(members).as_bytes())?;
    let written = String::from_utf8(to_json(Signal::Logs, &request)).unwrap();
    let (before, after) = (wrap(""), wrap(""));
    let edge = before.find("{}").unwrap();
    let inner = &written[edge + 1..written.len() - (after.len() - edge - 1)];
    Ok(inner.to_owned())
}

fn check(members: &str, expected: &str) {
    assert_eq!(log_record(members).as_deref(), Ok(expected), "{members}");
}

#[test]
fn names_come_in_either_spelling() {
    check(r#""severityText":"a","event_name":"b""#, r#""severityText":"a","eventName":"b""#);
    check(r#""dropped_attributes_count":3"#, r#""droppedAttributesCount":3"#);
}

#[test]
fn unknown_names_and_null_are_as_if_absent() {
    check(r#""new":{"a":[1,{"b":"\ud800"}]},"severityText":"x""#, r#""severityText":"x""#);
    check(r#""severityText":null,"attributes":null,"body":null,"flags":null"#, "");
    check(r#""SeverityText":"names are case-sensitive""#, "");
}

#[test]
fn zero_is_not_written_unless_it_means_something() {
    check(r#""severityNumber":0,"severityText":"","flags":0,"traceId":"","attributes":[]"#, "");
    check(r#""body":{"intValue":"0"}"#, r#""body":{"intValue":"0"}"#);
    check(r#""body":{"stringValue":""}"#, r#""body":{"stringValue":""}"#);
    check(r#""body":{"boolValue":false}"#, r#""body":{"boolValue":false}"#);
    check(r#""body":{}"#, r#""body":{}"#);
}

#[test]
fn ids_are_hex_of_either_case() {
    check(
        r#""traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"eee19b7ec3c1b174""#,
        r#""traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174""#,
    );
}

#[test]
fn enums_are_numbers_or_names() {
    check(r#""severityNumber":17"#, r#""severityNumber":17"#);
    check(r#""severityNumber":"SEVERITY_NUMBER_ERROR""#, r#""severityNumber":17"#);
    check(r#""severityNumber":-99"#, r#""severityNumber":-99"#);
}

#[test]
fn large_integers_are_text() {
    check(r#""timeUnixNano":"18446744073709551615""#, r#""timeUnixNano":"18446744073709551615""#);
    check(r#""timeUnixNano":18446744073709551615"#, r#""timeUnixNano":"18446744073709551615""#);
    check(r#""timeUnixNano":1.5e3"#, r#""timeUnixNano":"1500""#);
    check(r#""timeUnixNano":"1e3""#, r#""timeUnixNano":"1000""#);
    check(
        r#""body":{"intValue":-9223372036854775808}"#,
        r#""body":{"intValue":"-9223372036854775808"}"#,
    );
    check(r#""flags":"4294967295""#, r#""flags":4294967295"#);
}

#[test]
fn doubles_keep_every_bit() {
    for (text, expected) in [
        ("0.1", "0.1"),
        ("1", "1.0"),
        ("\"2.5\"", "2.5"),
        ("-0.0", "-0.0"),
        ("4.9e-324", "5e-324"),
        ("1.7976931348623157e308", "1.7976931348623157e+308"),
        ("3.4028234663852885981170418348451692544e38", "3.4028234663852886e+38"),
        ("\"NaN\"", "\"NaN\""),
        ("\"Infinity\"", "\"Infinity\""),
        ("\"-Infinity\"", "\"-Infinity\""),
    ] {
        let body = |number: &str| format!(r#""body":{{"doubleValue":{number}}}"#);
        check(&body(text), &body(expected));
    }
}

#[test]
fn bytes_are_base64_of_either_alphabet() {
    for text in ["+/+/AA==", "-_-_AA==", "+/+/AA", "-_-_AB"] {
        let body = |text: &str| format!(r#""body":{{"bytesValue":"{text}"}}"#);
        check(&body(text), &body("+/+/AA=="));
    }
}

#[test]
fn text_keeps_every_character() {
    let text = r#""severityText":"\u00e9\ud83d\ude00\"\\\/\b\u0000é""#;
    check(text, r#""severityText":"é😀\"\\/\b\u0000é""#);
}

#[test]
fn nested_values_keep_their_shape() {
    let nested = concat!(
        r#""body":{"kvlistValue":{"values":[{"key":"a","value":{"arrayValue":{"values":"#,
        r#"[{"intValue":"1"},{},{"arrayValue":{}}]}}},{"key":"b"}]}}"#
    );
    check(nested, nested);
}

#[test]
fn a_span_and_a_metric_round_trip_as_text() {
    let span = concat!(
        r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":"#,
        r#"{"stringValue":"shop"}}]},"scopeSpans":[{"spans":[{"#,
        r#""traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","#,
        r#""parentSpanId":"eee19b7ec3c1b173","name":"pay","kind":2,"#,
        r#""startTimeUnixNano":"1544712660000000000","status":{"message":"no","code":2}}]}]}]}"#
    );
    let request = to_protobuf(Signal::Traces, span.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(to_json(Signal::Traces, &request)).unwrap(), span);
    let metric = concat!(
        r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","histogram":{"dataPoints":["#,
        r#"{"count":"2","sum":0.0,"bucketCounts":["1","1"],"explicitBounds":[10.0],"max":-1.5}],"#,
        r#""aggregationTemporality":1}},{"exponentialHistogram":{"dataPoints":[{"scale":-3,"#,
        r#""positive":{"offset":-1,"bucketCounts":["0","7"]}}]}}]}]}]}"#
    );
    let request = to_protobuf(Signal::Metrics, metric.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(to_json(Signal::Metrics, &request)).unwrap(), metric);
}

#[test]
fn profiles_write_their_dictionary() {
    let profile = concat!(
        r#"{"resourceProfiles":[{"scopeProfiles":[{"profiles":[{"sampleType":{"typeStrindex":1},"#,
        r#""samples":[{"stackIndex":1,"attributeIndices":[0,2],"values":["-5"]}],"#,
        r#""profileId":"000102030405060708090a0b0c0d0e0f"}]}]}],"#,
        r#""dictionary":{"stringTable":["","cpu"],"stackTable":[{},{"locationIndices":[1]}]}}"#
    );
    let request = to_protobuf(Signal::Profiles, profile.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(to_json(Signal::Profiles, &request)).unwrap(), profile);
}

#[test]
fn records_that_lie_apart_are_one_array() {
    let request = |name: &str| to_protobuf(Signal::Logs, name.as_bytes()).unwrap();
    let entity = br#"{"resourceLogs":[{"resource":{"droppedAttributesCount":1},"schemaUrl":"a"}]}"#;
    let mut apart = request(std::str::from_utf8(entity).unwrap());
    apart.extend_from_slice(&[0xf8, 0x01, 0x01]);
    apart.extend(request(r#"{"resourceLogs":[{"schemaUrl":"b"}]}"#));
    let expected = concat!(
        r#"{"resourceLogs":[{"resource":{"droppedAttributesCount":1},"schemaUrl":"a"},"#,
        r#"{"schemaUrl":"b"}]}"#
    );
    assert_eq!(String::from_utf8(to_json(Signal::Logs, &apart)).unwrap(), expected);
}
