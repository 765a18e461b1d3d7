use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::profiles::v1development::ExportProfilesServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{
    Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, metric::Data,
};
use opentelemetry_proto::tonic::profiles::v1development::{
    KeyValueAndUnit, Profile, ProfilesDictionary, ResourceProfiles, Sample, ScopeProfiles,
};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, span::Event};
use pipeline::{Answer, Code, Contributor, Envelope, Verdict};
use prost::Message;
use wire::Signal;

use super::FACTORY;
use super::narrow::compose;
use crate::testing::{check_config, deliver, envelope, logs_of, payload, processor, string};

#[test]
fn configuration_is_checked() {
    for (yaml, expected) in [
        ("", &[][..]),
        ("{error_mode: ignore, logs: {log_record: ['IsMatch(body, \".*password.*\")']}}", &[]),
        ("traces: {span: ['attributes[\"http.route\"] == \"/health\"'], spanevent: ['true']}", &[]),
        ("metrics: {metric: ['name == \"m\"'], datapoint: ['value_int == 0']}", &[]),
        ("profiles: {profile: ['attributes[\"a\"] == \"b\"']}", &[]),
        ("log_conditions: ['log.severity_number < SEVERITY_NUMBER_INFO']", &[]),
        ("metric_conditions: ['datapoint.value_int == 0', 'metric.name == \"m\"']", &[]),
        ("logs: {include: {match_type: strict, severity_number: {min: INFO}}}", &[]),
        ("metrics: {exclude: {match_type: regexp, metric_names: [^a]}}", &[]),
        ("spans: {include: {match_type: strict, services: [a]}}", &[]),
        ("logs: {log_record: ['body = \"a\"']}", &["log_record[0]", "at column 6", "     ^"]),
        ("traces: {span: ['true', 'kind == 1 and nme == \"a\"']}", &["span[1]", "`nme`"]),
        ("metric_conditions: ['datapoint.valu == 0']", &["metric_conditions[0]", "datapoint.valu"]),
        ("metrics: {include: {match_type: expr, expressions: [a]}}", &["`expr` is not supported"]),
        (
            "{logs: {log_record: ['true'], include: {match_type: strict, bodies: [a]}}}",
            &["cannot be used together"],
        ),
        ("error_mode: loud", &["loud"]),
        ("logs: {log_records: ['true']}", &["log_records"]),
    ] {
        check_config(&FACTORY, yaml, expected);
    }
}

fn delivered() -> Answer {
    Answer::Delivered { rejected: 0, warning: None }
}

/// Holds that of log records with these bodies, `yaml` lets `expected` through.
async fn check_logs(yaml: &str, bodies: &[&str], expected: &[&str]) {
    let (consumer, capture) = processor(&FACTORY, yaml, Signal::Logs);
    let answer = deliver(consumer.as_ref(), payload(&logs_of(bodies))).await;
    assert_eq!(answer, delivered(), "{yaml}");
    match expected {
        [] => assert!(capture.take().is_empty(), "{yaml}"),
        _ => assert_eq!(capture.only::<ExportLogsServiceRequest>(), logs_of(expected), "{yaml}"),
    }
}

#[tokio::test]
async fn log_records_are_dropped_if_any_condition_holds() {
    let bodies = ["a", "b", "c"];
    for (yaml, expected) in [
        ("logs: {log_record: ['body == \"b\"']}", &["a", "c"][..]),
        ("logs: {log_record: ['body == \"a\"', 'IsMatch(body, \"^c$\")']}", &["b"]),
        ("logs: {log_record: ['body != nil']}", &[]),
        ("logs: {log_record: ['severity_number > 0']}", &["a", "b", "c"]),
        ("log_conditions: ['log.body == \"b\" or log.body == \"c\"']", &["a"]),
        ("logs: {include: {match_type: strict, bodies: [a, c]}}", &["a", "c"]),
        ("logs: {exclude: {match_type: regexp, bodies: ['[bc]']}}", &["a"]),
        ("traces: {span: ['true']}", &["a", "b", "c"]),
    ] {
        check_logs(yaml, &bodies, expected).await;
    }
}

#[tokio::test]
async fn errors_of_conditions_go_by_the_mode() {
    let conditions = "logs: {log_record: ['body[\"k\"] == 1', 'body == \"b\"']}";
    for mode in ["ignore", "silent"] {
        check_logs(&format!("{{error_mode: {mode}, {conditions}}}"), &["a", "b"], &["a"]).await;
    }
    let (consumer, capture) = processor(&FACTORY, &format!("{{{conditions}}}"), Signal::Logs);
    let answer = deliver(consumer.as_ref(), payload(&logs_of(&["a"]))).await;
    let Answer::Refused(status) = answer else { panic!("{answer:?}") };
    assert_eq!(status.code, Code::InvalidArgument);
    assert!(capture.take().is_empty());
}

fn traces(spans: Vec<Span>) -> ExportTraceServiceRequest {
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }
}

#[tokio::test]
async fn spans_and_their_events_are_dropped() {
    let event = |name: &str| Event { name: name.to_owned(), ..Event::default() };
    let span = |name: &str, events: &[&str]| Span {
        name: name.to_owned(),
        events: events.iter().map(|name| event(name)).collect(),
        ..Span::default()
    };
    let sent = traces(vec![span("keep", &["x", "y"]), span("drop", &["x"]), span("also", &["x"])]);
    for yaml in [
        "traces: {span: ['name == \"drop\"'], \
         spanevent: ['name == \"x\" and span.name != \"also\"']}",
        "trace_conditions: ['span.name == \"drop\"', \
         'spanevent.name == \"x\" and span.name == \"keep\"']",
    ] {
        let (consumer, capture) = processor(&FACTORY, yaml, Signal::Traces);
        assert_eq!(deliver(consumer.as_ref(), payload(&sent)).await, delivered());
        let expected = traces(vec![span("keep", &["y"]), span("also", &["x"])]);
        assert_eq!(capture.only::<ExportTraceServiceRequest>(), expected, "{yaml}");
    }
}

#[tokio::test]
async fn metrics_and_data_points_are_dropped() {
    let metric = |name: &str, values: &[i64]| {
        let point = |value: &i64| NumberDataPoint {
            value: Some(Number::AsInt(*value)),
            ..NumberDataPoint::default()
        };
        let gauge = Gauge { data_points: values.iter().map(point).collect() };
        Metric { name: name.to_owned(), data: Some(Data::Gauge(gauge)), ..Metric::default() }
    };
    let request = |metrics| {
        let scope_metrics = vec![ScopeMetrics { metrics, ..ScopeMetrics::default() }];
        let resource_metrics = vec![ResourceMetrics { scope_metrics, ..Default::default() }];
        ExportMetricsServiceRequest { resource_metrics }
    };
    let sent = request(vec![metric("a", &[0, 1]), metric("b", &[1, 2]), metric("c", &[0])]);
    for (yaml, expected) in [
        (
            "metrics: {metric: ['name == \"b\"'], datapoint: ['value_int == 0']}",
            request(vec![metric("a", &[1])]),
        ),
        (
            "metric_conditions: ['metric.name == \"a\" and datapoint.value_int == 1']",
            request(vec![metric("a", &[0]), metric("b", &[1, 2]), metric("c", &[0])]),
        ),
        (
            "metrics: {include: {match_type: strict, metric_names: [b]}}",
            request(vec![metric("b", &[1, 2])]),
        ),
    ] {
        let (consumer, capture) = processor(&FACTORY, yaml, Signal::Metrics);
        assert_eq!(deliver(consumer.as_ref(), payload(&sent)).await, delivered());
        assert_eq!(capture.only::<ExportMetricsServiceRequest>(), expected, "{yaml}");
    }
}

#[tokio::test]
async fn profiles_are_dropped_by_attributes_of_the_dictionary() {
    let texts = ["", "host", "a", "b"].map(str::to_owned);
    let attribute = |value| KeyValueAndUnit {
        key_strindex: 1,
        value: Some(string(value)),
        ..KeyValueAndUnit::default()
    };
    let dictionary = ProfilesDictionary {
        string_table: texts.to_vec(),
        attribute_table: vec![KeyValueAndUnit::default(), attribute("a"), attribute("b")],
        stack_table: vec![Default::default()],
        ..ProfilesDictionary::default()
    };
    let profile = |id: u8, attribute| Profile {
        profile_id: vec![id; 16],
        samples: vec![Sample { values: vec![1], ..Sample::default() }; 2],
        attribute_indices: vec![attribute],
        ..Profile::default()
    };
    let scope_profiles = vec![ScopeProfiles {
        profiles: vec![profile(1, 1), profile(2, 2)],
        ..ScopeProfiles::default()
    }];
    let resource_profiles = vec![ResourceProfiles { scope_profiles, ..Default::default() }];
    let sent = ExportProfilesServiceRequest { resource_profiles, dictionary: Some(dictionary) };
    for (yaml, expected) in [
        ("profiles: {profile: ['attributes[\"host\"] == \"a\"']}", &[2][..]),
        ("profile_conditions: ['profile.attributes[\"host\"] != nil']", &[]),
        ("profiles: {profile: ['attributes[\"other\"] != nil']}", &[1, 2]),
    ] {
        let (consumer, capture) = processor(&FACTORY, yaml, Signal::Profiles);
        assert_eq!(deliver(consumer.as_ref(), payload(&sent)).await, delivered());
        let ids: Vec<u8> = capture
            .take()
            .iter()
            .map(|payload| ExportProfilesServiceRequest::decode(payload.to_bytes()).unwrap())
            .flat_map(|request| request.resource_profiles)
            .flat_map(|resource| resource.scope_profiles)
            .flat_map(|scope| scope.profiles)
            .map(|profile| profile.profile_id[0])
            .collect();
        assert_eq!(ids, expected, "{yaml}");
    }
}

#[test]
fn kept_ranges_compose() {
    assert_eq!(compose(&[0..4, 6..9], &[1..5, 6..7]), [1..4, 6..7, 8..9]);
    assert!(compose(&[2..5, 7..8], &[]).is_empty());
}

#[tokio::test]
async fn every_caller_of_a_merged_envelope_is_answered() {
    let yaml = "logs: {log_record: ['body == \"x\"']}";
    let (consumer, capture) = processor(&FACTORY, yaml, Signal::Logs);
    let (merged, first) = envelope(payload(&logs_of(&["x", "x"])), Default::default());
    let (other, second) = envelope(payload(&logs_of(&["a", "x", "b"])), Default::default());
    let mut contributors: Vec<Contributor> = merged.contributors;
    contributors.extend(other.contributors);
    let payload = payload(&logs_of(&["x", "x", "a", "x", "b"]));
    let envelope = Envelope { payload, context: merged.context, contributors };
    pipeline::consume(consumer.as_ref(), envelope);
    assert_eq!(first.wait().await.unwrap().parts, [(0..2, Verdict::Delivered)]);
    let kept = [(0..1, Verdict::Delivered), (2..3, Verdict::Delivered)];
    assert_eq!(second.wait().await.unwrap().parts, kept);
    assert_eq!(capture.only::<ExportLogsServiceRequest>(), logs_of(&["a", "b"]));
}
