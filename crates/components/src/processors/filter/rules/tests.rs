//! What conditions cost when a sender makes everything as dear as it can.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::profiles::v1development::ExportProfilesServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::{
    Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, metric::Data,
};
use opentelemetry_proto::tonic::profiles::v1development::{
    KeyValueAndUnit, Profile, ProfilesDictionary, ResourceProfiles, Sample, ScopeProfiles,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, span::Event};
use prost::Message;
use wire::{Payload, Signal, edit};

use super::super::condition::{Context, EvaluationError};
use super::{Evaluation, parse_all};
use crate::testing::{attribute, string};

/// Of everything there is this much: what looks at one thing for each other is seen at once.
const MANY: usize = 2000;
/// How often each byte of a request may be looked at, for each path of a condition.
const LOOKS_MAX: usize = 4;

fn payload(signal: Signal, request: &impl Message) -> Payload {
    Payload::parse(signal, request.encode_to_vec().into()).unwrap()
}

fn attributes() -> Vec<KeyValue> {
    (0..MANY).map(|at| attribute(&format!("key-{at}"), "value")).collect()
}

fn resource() -> Option<Resource> {
    Some(Resource { attributes: attributes(), ..Resource::default() })
}

fn scope() -> Option<InstrumentationScope> {
    let name = "x".repeat(MANY);
    Some(InstrumentationScope { name, attributes: attributes(), ..Default::default() })
}

fn logs() -> Payload {
    let mut log_records = vec![LogRecord { body: Some(string("a")), ..Default::default() }; MANY];
    log_records[0].attributes = attributes();
    log_records[1].body = Some(string(&"a".repeat(100 * MANY)));
    let scope_logs = vec![ScopeLogs { scope: scope(), log_records, ..Default::default() }];
    let logs = ResourceLogs { resource: resource(), scope_logs, ..Default::default() };
    payload(Signal::Logs, &ExportLogsServiceRequest { resource_logs: vec![logs] })
}

fn traces() -> Payload {
    let name = "x".repeat(MANY);
    let events = vec![Event::default(); MANY];
    let spans = vec![Span { name, attributes: attributes(), events, ..Span::default() }];
    let scope_spans = vec![ScopeSpans { scope: scope(), spans, ..Default::default() }];
    let spans = ResourceSpans { resource: resource(), scope_spans, ..Default::default() };
    payload(Signal::Traces, &ExportTraceServiceRequest { resource_spans: vec![spans] })
}

fn metrics() -> Payload {
    let data = Data::Gauge(Gauge { data_points: vec![NumberDataPoint::default(); MANY] });
    let (name, metadata) = ("x".repeat(MANY), attributes());
    let metrics = vec![Metric { name, metadata, data: Some(data), ..Metric::default() }];
    let scope_metrics = vec![ScopeMetrics { scope: scope(), metrics, ..Default::default() }];
    let metrics = ResourceMetrics { resource: resource(), scope_metrics, ..Default::default() };
    payload(Signal::Metrics, &ExportMetricsServiceRequest { resource_metrics: vec![metrics] })
}

/// Profiles that have `samples` each, and whose one attribute has a value of `bytes`.
fn profiles(profiles: usize, samples: usize, bytes: usize) -> Payload {
    let value = Some(AnyValue { value: Some(any_value::Value::StringValue("y".repeat(bytes))) });
    let large = KeyValueAndUnit { key_strindex: 1, value, unit_strindex: 0 };
    let dictionary = ProfilesDictionary {
        string_table: vec![String::new(), "large".to_owned()],
        attribute_table: vec![KeyValueAndUnit::default(), large],
        ..ProfilesDictionary::default()
    };
    let profile = Profile {
        samples: vec![Sample::default(); samples],
        attribute_indices: vec![1],
        ..Profile::default()
    };
    let scope_profiles =
        vec![ScopeProfiles { profiles: vec![profile; profiles], ..Default::default() }];
    let resource_profiles = vec![ResourceProfiles { scope_profiles, ..Default::default() }];
    let request = ExportProfilesServiceRequest { resource_profiles, dictionary: Some(dictionary) };
    payload(Signal::Profiles, &request)
}

/// How many bytes are looked at to evaluate `condition`, and the first error.
fn work(condition: &str, context: Context, payload: &Payload) -> (usize, Option<EvaluationError>) {
    let mut faults = config::Faults::default();
    let rules = parse_all("", &[condition.to_owned()], |_| context, &mut faults);
    assert!(faults.is_empty(), "{condition}");
    let mut evaluation = Evaluation::new(&rules, payload);
    match context {
        Context::SpanEvent => {
            let _kept = edit::retain_span_events(payload, |place, event| {
                !evaluation.drops_event(place, event.encoded())
            });
        }
        Context::Metric => {
            let _kept = edit::retain_metrics(payload, |place| !evaluation.drops(place));
        }
        _ => {
            let _kept = edit::retain_items(payload, |place| !evaluation.drops(place));
        }
    }
    (evaluation.work(), evaluation.into_error())
}

fn check(condition: &str, context: Context, payload: &Payload) {
    let (work, error) = work(condition, context, payload);
    assert_eq!(error, None, "{condition}");
    let paths = condition.matches('"').count().max(2);
    let work_max = paths * LOOKS_MAX * payload.bytes_len();
    assert!(work <= work_max, "{condition}: {work} of {work_max}");
}

#[test]
fn conditions_about_records_look_at_each_byte_a_bounded_number_of_times() {
    let logs = logs();
    for condition in [
        r#"resource.attributes["key-1999"] == "x""#,
        r#"resource.attributes["key-1999"] == attributes["key-1999"]"#,
        r#"attributes["key-1999"] == "x" or resource.attributes["absent"] == "x""#,
        r#"IsMatch(resource.attributes["key-1999"], "x+y") and body == "a""#,
        r#"IsMatch(scope.name, "(x+x+)+y")"#,
        r#"instrumentation_scope.attributes["absent"] != nil"#,
        r#"ToUpperCase(scope.name) == body"#,
        r#"Len(resource.attributes) == 1 and Len(attributes) == 1"#,
        r#"ContainsValue([scope.name, resource.attributes["a"]], body)"#,
        r#"not (scope.name == "x" or IsMatch(resource.attributes["key-7"], "y"))"#,
        r#"IsMatch(body, "(a*)*b") or HasSuffix(body, "b")"#,
        r#"String(Len(scope.name)) == body"#,
    ] {
        check(condition, Context::LogRecord, &logs);
    }
}

#[test]
fn conditions_about_points_and_events_look_at_their_metric_and_span_once() {
    let metrics = metrics();
    for condition in [
        r#"IsMatch(metric.name, "(x+x+)+y")"#,
        r#"metric.metadata["key-1999"] == "x" and value_int == 0"#,
        r#"metric.type == METRIC_DATA_TYPE_SUM and attributes["a"] == "b""#,
        r#"metric.name == attributes["a"] or value_double > 1 or flags == 1"#,
    ] {
        check(condition, Context::Datapoint, &metrics);
    }
    check(r#"HasAttrOnDatapoint("a", "b")"#, Context::Metric, &metrics);
    let traces = traces();
    for condition in [
        r#"span.attributes["key-1999"] == "x""#,
        r#"IsMatch(span.name, "x+y") or resource.attributes["absent"] == spanevent.name"#,
    ] {
        check(condition, Context::SpanEvent, &traces);
    }
}

#[test]
fn conditions_about_profiles_look_at_a_profile_once_for_all_its_samples() {
    check(r#"attributes["large"] == "x""#, Context::Profile, &profiles(1, MANY, 10));
    check(r#"attributes["absent"] == "x""#, Context::Profile, &profiles(MANY, 1, 10));
}

#[test]
fn profiles_that_share_one_large_value_are_not_read_without_end() {
    let payload = profiles(MANY, 1, 1 << 16);
    let (work, error) = work(r#"IsMatch(attributes["large"], "x")"#, Context::Profile, &payload);
    assert_eq!(error, Some(EvaluationError::TooCostly));
    assert!(work < 600 * payload.bytes_len() + (32 << 20), "{work}");
}
