use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{Gauge, Metric, NumberDataPoint, Sum, metric::Data};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use prost::Message;

use super::{Condition, Context, EvaluationError, Memory, Subject};
use crate::testing::{attribute, string};

fn value(value: any_value::Value) -> Option<AnyValue> {
    Some(AnyValue { value: Some(value) })
}

fn typed(key: &str, of: any_value::Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: value(of), ..KeyValue::default() }
}

fn record() -> LogRecord {
    let nested = KeyValueList { values: vec![attribute("inner", "deep")] };
    let list = ArrayValue { values: vec![string("a"), string("b")] };
    LogRecord {
        time_unix_nano: 1_700_000_000_000_000_000,
        severity_number: 9,
        severity_text: "INFO".to_owned(),
        body: Some(string("GET /health 200")),
        attributes: vec![
            attribute("http.method", "GET"),
            typed("count", any_value::Value::IntValue(7)),
            typed("ratio", any_value::Value::DoubleValue(0.5)),
            typed("ok", any_value::Value::BoolValue(true)),
            typed("map", any_value::Value::KvlistValue(nested)),
            typed("list", any_value::Value::ArrayValue(list)),
        ],
        trace_id: vec![0xab; 16],
        ..LogRecord::default()
    }
}

fn resource() -> Vec<u8> {
    let attributes = vec![attribute("service.name", "shop")];
    let resource = Some(Resource { attributes, ..Resource::default() });
    ResourceLogs { resource, ..ResourceLogs::default() }.encode_to_vec()
}

fn holds(condition: &Condition, subject: &Subject<'_>) -> Result<bool, EvaluationError> {
    condition.holds(subject, &mut Memory::for_payload(0))
}

/// Holds that `condition` about [`record`] parses and gives `expected`.
fn check(condition: &str, expected: bool) {
    let parsed = Condition::parse(condition, Context::LogRecord);
    let parsed = parsed.unwrap_or_else(|error| panic!("{}", error.describe(condition)));
    let scope = InstrumentationScope { name: "lib".to_owned(), ..Default::default() };
    let scope = ScopeLogs { scope: Some(scope), ..ScopeLogs::default() };
    let subject = Subject {
        resource: &resource(),
        scope: &scope.encode_to_vec(),
        item: &record().encode_to_vec(),
        ..Subject::default()
    };
    assert_eq!(holds(&parsed, &subject), Ok(expected), "{condition}");
}

#[test]
fn compares_fields_with_literals() {
    for (condition, expected) in [
        (r#"attributes["http.method"] == "GET""#, true),
        (r#"log.attributes["http.method"] != "GET""#, false),
        (r#"resource.attributes["service.name"] == "shop""#, true),
        (r#"instrumentation_scope.name == "lib" and scope.version == """#, true),
        ("severity_number < SEVERITY_NUMBER_WARN", true),
        ("severity_number >= SEVERITY_NUMBER_INFO2", false),
        (r#"severity_text == "INFO""#, true),
        ("time_unix_nano > 1600000000000000000", true),
        (r#"attributes["count"] == 7.0"#, true),
        (r#"attributes["ratio"] < 1"#, true),
        (r#"attributes["ok"] == true"#, true),
        (r#"attributes["count"] == "7""#, false),
        (r#"attributes["count"] != "7""#, true),
        (r#"attributes["absent"] == nil"#, true),
        (r#"attributes["absent"] != nil"#, false),
        (r#"nil != attributes["ok"]"#, true),
        (r#"attributes["map"]["inner"] == "deep""#, true),
        (r#"trace_id.string == "abababababababababababababababab""#, true),
        ("trace_id == TraceID(0xabababababababababababababababab)", true),
        ("trace_id == 0xabababababababababababababababab", true),
        ("span_id == SpanID(0x0000000000000000)", true),
        ("span_id == nil", false),
        (r#"body == "GET /health 200""#, true),
        (r#"body.string == "GET /health 200""#, true),
        ("dropped_attributes_count == 0", true),
    ] {
        check(condition, expected);
    }
}

#[test]
fn joins_conditions_by_precedence() {
    for (condition, expected) in [
        ("true or false and false", true),
        ("(true or false) and false", false),
        ("not false and true", true),
        ("not (true and false)", true),
        ("false or not true", false),
        (r#"IsMatch(body, "^GET") and not IsMatch(body, "500$")"#, true),
    ] {
        check(condition, expected);
    }
}

#[test]
fn functions_answer_about_one_value() {
    for (condition, expected) in [
        (r#"IsMatch(body, "health")"#, true),
        (r#"IsMatch(attributes["count"], "^7$")"#, true),
        (r#"IsMatch(attributes["map"], "\"inner\":\"d")"#, true),
        (r#"IsMatch(attributes["absent"], ".*")"#, false),
        (r#"IsMatch(severity_text, "\\bINFO\\b")"#, true),
        (r#"HasPrefix(body, "GET")"#, true),
        (r#"HasSuffix(body, "GET")"#, false),
        (r#"IsString(body) and IsInt(attributes["count"])"#, true),
        (r#"IsMap(attributes["map"]) and not IsList(body)"#, true),
        (r#"IsMatch(body, "^GET") == true and IsInt(body) != true"#, true),
        (r#"IsMatch(body, "^GET") == false"#, false),
        (r#"ContainsValue(["GET", "POST"], attributes["http.method"])"#, true),
        (r#"not ContainsValue(["PUT"], attributes["http.method"])"#, true),
        (r#"ContainsValue(attributes["list"], "b")"#, true),
        (r#"ContainsValue(attributes["list"], 1)"#, false),
        (r#"ContainsValue([resource.attributes["service.name"], 1], "shop")"#, true),
    ] {
        check(condition, expected);
    }
}

#[test]
fn functions_make_values_of_values() {
    for (condition, expected) in [
        ("Len(body) == 15", true),
        ("Len(attributes) == 6 and Len(resource.attributes) == 1", true),
        (r#"Len(attributes["map"]) == 1 and Len(attributes["list"]) > 1"#, true),
        (r#"Int(attributes["number"]) == nil and Int("12") == 12"#, true),
        (r#"Int(attributes["ratio"]) == 0 and Double("1.5") == 1.5"#, true),
        (r#"String(attributes["count"]) == "7""#, true),
        (r#"ToLowerCase(attributes["http.method"]) == "get""#, true),
        (r#"ConvertCase(severity_text, "lower") == "info""#, true),
        (r#"ToUpperCase(resource.attributes["service.name"]) == "SHOP""#, true),
        (r#"IsMatch(ToLowerCase(body), "get")"#, true),
        ("IsMap(attributes)", true),
        (r#"IsMatch(attributes, "http\\.method")"#, true),
    ] {
        check(condition, expected);
    }
    for condition in ["Len(severity_number) == 1", r#"ToLowerCase(attributes["count"]) == "7""#] {
        let condition = Condition::parse(condition, Context::LogRecord).unwrap();
        let item = record().encode_to_vec();
        let outcome = holds(&condition, &Subject { item: &item, ..Subject::default() });
        assert!(matches!(outcome, Err(EvaluationError::Argument { .. })), "{outcome:?}");
    }
}

#[test]
fn reckons_with_numbers() {
    for (condition, expected) in [
        ("1 + 2 * 3 == 7", true),
        ("(1 + 2) * 3 == 9", true),
        ("((1 + 2) * 3) == 9 and true", true),
        ("7 / 2 == 3 and 7 / 2.0 == 3.5", true),
        ("10 - 3 - 2 == 5", true),
        (r#"attributes["count"] * 2 > 13 and (attributes["ratio"] + 1) < 2"#, true),
    ] {
        check(condition, expected);
    }
    let end = Span { start_time_unix_nano: 5, end_time_unix_nano: 2_000_005, ..Span::default() };
    let end = end.encode_to_vec();
    let subject = Subject { item: &end, ..Subject::default() };
    for condition in [
        "end_time_unix_nano - start_time_unix_nano > 1000000",
        "(end_time_unix_nano - start_time_unix_nano) == 2000000 and IsRootSpan()",
    ] {
        let condition = Condition::parse(condition, Context::Span).unwrap();
        assert_eq!(holds(&condition, &subject), Ok(true));
    }
    let condition = Condition::parse("kind / kind == 1", Context::Span).unwrap();
    assert_eq!(holds(&condition, &subject), Err(EvaluationError::DivisionByZero));
    let condition = Condition::parse(r#"attributes["a"] + 1 == 1"#, Context::Span).unwrap();
    let outcome = holds(&condition, &subject);
    assert_eq!(outcome, Err(EvaluationError::NoNumber { found: "nil" }));
}

#[test]
fn says_where_a_condition_is_wrong() {
    for (condition, column, message) in [
        ("", 1, "a value or a path is expected"),
        (r#"attributes["a" == 1"#, 16, "`]` is expected"),
        (r#"attributes["a"] = 1"#, 17, "a comparison such as `==` is expected"),
        ("attributes == nil", 1, "needs a key"),
        ("attributes[0] == nil", 1, "are strings"),
        ("severity == 1", 1, "`severity` is not a path of LogRecord"),
        ("span.name == \"a\"", 1, "`span.name` is not a path"),
        ("severity_number == \"INFO\"", 1, "a number is compared with a string"),
        ("severity_number == SEVERITY_NUMBER_LOUD", 20, "is not the name of an enum"),
        ("severity_number < nil", 1, "neither less nor greater"),
        ("(true", 6, "`)` is expected"),
        ("true true", 6, "`and`, `or` or the end is expected"),
        (r#"IsMatch(body, "(")"#, 15, "not a regular expression"),
        (r#"IsMatch(body)"#, 13, "`,` is expected"),
        (r#"IsMatch(body, "\d")"#, 16, "a backslash is written"),
        (r#"name + "a" == 1"#, 1, "`name` is not a path"),
        (r#"severity_text + 1 == 1"#, 1, "only numbers"),
        (r#"IsMatch(body, "a") < true"#, 20, "`==` or `!=` is expected"),
        (r#"IsMatch(body, "a") == body"#, 23, "`true` or `false` is expected"),
        (r#"ContainsValue([1 2], body)"#, 18, "`,` is expected"),
        (r#"ConvertCase(body, "title") == "A""#, 19, "`lower` or `upper` is expected"),
        ("IsRootSpan()", 1, "only in conditions about spans"),
        ("Len(attributes) == \"a\"", 1, "a number is compared with a string"),
        (r#"Uppercase(body) == "A""#, 1, "there is no function `Uppercase`"),
        (r#"HasAttrKeyOnDatapoint("a")"#, 1, "only in conditions about metrics"),
        ("body == \"a", 9, "the string does not end"),
        ("body ~ 1", 6, "cannot contain `~`"),
        ("body == 99999999999999999999", 9, "is not a 64-bit number"),
    ] {
        let error = Condition::parse(condition, Context::LogRecord).unwrap_err();
        let described = error.describe(condition);
        assert!(described.contains(message), "{condition}: {described}");
        assert_eq!(error.offset + 1, column, "{condition}: {described}");
    }
}

#[test]
fn shows_the_place_with_a_caret() {
    let condition = "true and\n  é == 1";
    let error = Condition::parse(condition, Context::LogRecord).unwrap_err();
    let described = error.describe(condition);
    assert!(described.ends_with("at column 3\n    é == 1\n    ^"), "{described}");
}

#[test]
fn deep_nesting_is_refused() {
    let condition = format!("{}true{}", "(".repeat(1000), ")".repeat(1000));
    let error = Condition::parse(&condition, Context::LogRecord).unwrap_err();
    assert_eq!(error.message, "parentheses nest too deep");
}

#[test]
fn looking_into_a_value_without_keys_is_an_error() {
    let condition = Condition::parse(r#"body["a"] == 1"#, Context::LogRecord).unwrap();
    let item = record().encode_to_vec();
    let subject = Subject { item: &item, ..Subject::default() };
    assert!(holds(&condition, &subject).is_err());
}

#[test]
fn reads_spans_and_their_events() {
    let span = Span {
        name: "checkout".to_owned(),
        kind: 2,
        status: Some(Status { code: 2, message: "broken".to_owned() }),
        ..Span::default()
    };
    let span = span.encode_to_vec();
    for condition in [
        r#"name == "checkout" and span.kind == SPAN_KIND_SERVER"#,
        r#"status.code == STATUS_CODE_ERROR and status.message == "broken""#,
        r#"kind.string == "Server" and kind.deprecated_string == "SPAN_KIND_SERVER""#,
        r#"parent_span_id != SpanID(0x0000000000000001) and trace_state == """#,
    ] {
        let parsed = Condition::parse(condition, Context::Span).unwrap();
        let subject = Subject { item: &span, ..Subject::default() };
        assert_eq!(holds(&parsed, &subject), Ok(true), "{condition}");
    }
    let condition = r#"spanevent.name == "" and span.name == "checkout""#;
    let condition = Condition::parse(condition, Context::SpanEvent).unwrap();
    assert_eq!(holds(&condition, &Subject { parent: &span, ..Subject::default() }), Ok(true));
}

#[test]
fn reads_metrics_and_their_points() {
    let attributes = vec![attribute("host", "a")];
    let point =
        NumberDataPoint { attributes, value: Some(Number::AsInt(-3)), ..Default::default() };
    let sum =
        Sum { data_points: vec![point.clone()], aggregation_temporality: 2, is_monotonic: true };
    let metric = Metric { name: "m".to_owned(), data: Some(Data::Sum(sum)), ..Metric::default() };
    let (metric, point) = (metric.encode_to_vec(), point.encode_to_vec());
    for (condition, expected) in [
        ("type == METRIC_DATA_TYPE_SUM and is_monotonic == true", true),
        ("aggregation_temporality == AGGREGATION_TEMPORALITY_CUMULATIVE", true),
        (r#"HasAttrKeyOnDatapoint("host")"#, true),
        (r#"HasAttrOnDatapoint("host", "b")"#, false),
        (r#"metric.name == "m" and unit == """#, true),
    ] {
        let parsed = Condition::parse(condition, Context::Metric).unwrap();
        let subject = Subject { item: &metric, ..Subject::default() };
        assert_eq!(holds(&parsed, &subject), Ok(expected), "{condition}");
    }
    let condition = r#"metric.name == "m" and value_int == -3 and attributes["host"] == "a""#;
    let condition = Condition::parse(condition, Context::Datapoint).unwrap();
    let subject = Subject { parent: &metric, item: &point, ..Subject::default() };
    assert_eq!(holds(&condition, &subject), Ok(true));

    let condition = Condition::parse("is_monotonic == nil and count == nil", Context::Datapoint);
    assert!(condition.is_err(), "a field of the metric needs its prefix");
    let gauge = Metric { data: Some(Data::Gauge(Gauge::default())), ..Metric::default() };
    let condition = Condition::parse("is_monotonic == nil", Context::Metric).unwrap();
    let gauge = gauge.encode_to_vec();
    assert_eq!(holds(&condition, &Subject { item: &gauge, ..Subject::default() }), Ok(true));
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,40}") {
        if let Err(error) = Condition::parse(&text, Context::LogRecord) {
            error.describe(&text);
        }
    }

    #[test]
    fn no_sequence_of_words_panics(
        words in proptest::collection::vec(
            proptest::sample::select(vec![
                "(", ")", "[", "]", ".", ",", "==", "<", "and", "or", "not", "nil", "true", "body",
                "attributes", "\"a\"", "\"\\", "1", "-", "1.5e", "0x0", "IsMatch", "SpanID", "é", "Len", "ContainsValue", "+", "*",
            ]),
            0..12,
        )
    ) {
        let text = words.join(" ");
        if let Err(error) = Condition::parse(&text, Context::LogRecord) {
            error.describe(&text);
        }
    }
}
