//! Hostile and mistaken texts: each is refused, at the right place and for the right reason.

use super::*;

/// Where and why a text of log records is refused.
fn check(text: &str, path: &str, what: &str) {
    let error = to_protobuf(Signal::Logs, text.as_bytes()).unwrap_err();
    assert_eq!(error.path, path, "{text}: {error}");
    assert!(error.what.contains(what), "{text}: {error}");
    assert!(1 <= error.line, "{text}: {error}");
}

fn check_record(members: &str, path: &str, what: &str) {
    let record = "resourceLogs[0].scopeLogs[0].logRecords[0]";
    let text =
        format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{{members}}}]}}]}}]}}"#);
    check(&text, &format!("{record}.{path}"), what);
}

#[test]
fn broken_syntax() {
    for text in ["", " ", "{", "}", "{]", "nul", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}"] {
        check(text, "", "");
    }
    check("{} {}", "", "trailing");
    check("\u{feff}{}", "", "expected value");
    check(r#"{"resourceLogs":[{"#, "resourceLogs[0]", "EOF");
    check(r#"{"resourceLogs":[{},]}"#, "resourceLogs[1]", "trailing comma");
    check("{\"a\":\"\u{1}\"}", "", "control character");
}

#[test]
fn wrong_types() {
    for text in ["[]", "null", "1", "\"{}\"", "true"] {
        check(text, "", "expected an object");
    }
    check(r#"{"resourceLogs":{}}"#, "resourceLogs", "expected an array");
    check(r#"{"resourceLogs":[null]}"#, "resourceLogs[0]", "expected an object");
    check_record(r#""severityText":1"#, "severityText", "expected a string");
    check_record(r#""body":"text""#, "body", "expected an object");
    check_record(r#""body":{"boolValue":"true"}"#, "body.boolValue", "true or false");
    check_record(r#""attributes":[{"key":null},{"key":[]}]"#, "attributes[1].key", "a string");
}

#[test]
fn numbers_that_do_not_fit() {
    for number in ["-1", "18446744073709551616", "1.5", "\"\"", "\" 1\"", "\"0x1\"", "\"1e\""] {
        let member = format!(r#""timeUnixNano":{number}"#);
        check_record(&member, "timeUnixNano", "unsigned 64-bit");
    }
    check_record(r#""flags":4294967296"#, "flags", "unsigned 32-bit");
    check_record(r#""body":{"intValue":9223372036854775808}"#, "body.intValue", "64-bit integer");
    check_record(r#""severityNumber":"LOUD""#, "severityNumber", "enum");
    check_record(r#""severityNumber":2147483648"#, "severityNumber", "enum");
    check_record(r#""body":{"doubleValue":1e400}"#, "body.doubleValue", "out of range");
    for text in ["1e400", "inf", "nan", "infinity", "+1", "", "1x", "0x10"] {
        let member = format!(r#""body":{{"doubleValue":"{text}"}}"#);
        check_record(&member, "body.doubleValue", "Infinity");
    }
    check_record(r#""body":{"doubleValue":NaN}"#, "body.doubleValue", "expected");
}

#[test]
fn ids_of_the_wrong_length_or_alphabet() {
    let long = "0".repeat(34);
    for text in ["00", "5b8efff798038103d269b633813fc60", "5b8efff798038103d269b633813fc60g", &long]
    {
        check_record(&format!(r#""traceId":"{text}""#), "traceId", "32 hex digits");
    }
    check_record(r#""spanId":"5b8efff798038103d269b633813fc60c""#, "spanId", "16 hex digits");
    check_record(r#""spanId":"éééééééé""#, "spanId", "16 hex digits");
}

#[test]
fn bytes_that_are_not_base64() {
    for text in ["A", "AA=A", "A A=", "é", "AAAA="] {
        check_record(&format!(r#""body":{{"bytesValue":"{text}"}}"#), "body.bytesValue", "base64");
    }
}

#[test]
fn names_given_twice() {
    check_record(r#""flags":1,"flags":2"#, "flags", "twice");
    check_record(r#""eventName":"a","event_name":null"#, "eventName", "twice");
    check_record(r#""body":{"intValue":1,"boolValue":true}"#, "body.boolValue", "same choice");
}

#[test]
fn text_that_is_not_unicode() {
    check_record(r#""severityText":"\ud800""#, "severityText", "hex escape");
    check_record(r#""severityText":"\udc00\ud800""#, "severityText", "surrogate");
    let error = to_protobuf(Signal::Logs, b"{\n \"a\":\"\xff\"}").unwrap_err();
    assert_eq!((error.line, error.column), (2, 7));
    assert_eq!(error.to_string(), "cannot read JSON at line 2, column 7: the text is not UTF-8");
}

#[test]
fn nesting_bombs() {
    let array = |depth: usize| {
        let (open, close) = (r#"{"arrayValue":{"values":["#.repeat(depth), "]}}".repeat(depth));
        format!(
            r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"body":{open}{close}}}]}}]}}]}}"#
        )
    };
    // Four messages lead to the body, each array adds two.
    assert!(to_protobuf(Signal::Logs, array(30).as_bytes()).is_ok());
    let error = to_protobuf(Signal::Logs, array(31).as_bytes()).unwrap_err();
    assert_eq!(error.what, "messages nest more than 64 deep");
    assert!(to_protobuf(Signal::Logs, array(100_000).as_bytes()).is_err());
    let unknown = format!(r#"{{"x":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(to_protobuf(Signal::Logs, unknown.as_bytes()), Ok(Vec::new()));
    assert!(to_protobuf(Signal::Logs, "[".repeat(100_000).as_bytes()).is_err());
    assert!(to_protobuf(Signal::Logs, "{\"x\":".repeat(100_000).as_bytes()).is_err());
}

#[test]
fn errors_stay_short() {
    let long = format!(r#"{{"resourceLogs":"{}"}}"#, "é".repeat(100_000));
    let error = to_protobuf(Signal::Logs, long.as_bytes()).unwrap_err();
    assert!(error.to_string().len() < 300, "{error}");
}

#[test]
fn places_are_line_and_column() {
    let text = "{\n  \"resourceLogs\": [\n    {\"schemaUrl\": 7}\n  ]\n}";
    let error = to_protobuf(Signal::Logs, text.as_bytes()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot read JSON at line 3, column 19 (resourceLogs[0].schemaUrl): expected a string"
    );
}
