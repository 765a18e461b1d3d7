use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, any_value::Value};
use opentelemetry_proto::tonic::metrics::v1::{
    Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Summary, SummaryDataPoint,
    metric::Data,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use pipeline::Blueprint;
use pipeline::Outlet;
use wire::Signal;

use super::FACTORY;
use crate::testing::{
    attribute, check_config, deliver, environment, logs_of, parse, payload, processor,
};

const ACTION: &str = "actions: [{key: seen, value: 'yes', action: insert}]";

#[test]
fn configuration_is_checked() {
    for (properties, expected) in [
        ("{match_type: strict, services: [a]}", &[][..]),
        ("{match_type: regexp, span_names: ['^a'], regexp: {cacheenabled: true}}", &[]),
        ("{match_type: strict, attributes: [{key: a, value: 1}, {key: b}]}", &[]),
        ("{match_type: strict, libraries: [{name: a, version: '1'}]}", &[]),
        ("{match_type: strict, log_severity_number: {min: INFO}}", &[]),
        ("{match_type: strict, span_kinds: [SPAN_KIND_SERVER]}", &[]),
        ("{services: [a]}", &["`match_type` is needed"]),
        ("{match_type: expr, services: [a]}", &["`expr` is not supported"]),
        ("{match_type: strict}", &["at least one property"]),
        ("{match_type: regexp, services: ['(']}", &["services[0]", "not a regular expression"]),
        ("{match_type: regexp, attributes: [{key: a, value: 1}]}", &["must be a text"]),
        ("{match_type: strict, attributes: [{value: 1}]}", &["`key` is needed"]),
        ("{match_type: strict, log_severity_number: {min: LOUD}}", &["must be a severity"]),
        ("{match_type: strict, span_kinds: [server]}", &["is not a kind of span"]),
        ("{match_type: strict, service: [a]}", &["service"]),
    ] {
        check_config(&FACTORY, &format!("{{{ACTION}, include: {properties}}}"), expected);
        check_config(&FACTORY, &format!("{{{ACTION}, exclude: {properties}}}"), expected);
    }
}

#[test]
fn properties_of_another_signal_are_refused_at_start() {
    let yaml = format!("{{{ACTION}, include: {{match_type: strict, span_names: [a]}}}}");
    let Ok(Blueprint::Processor(blueprint)) = parse(&FACTORY, &yaml) else { panic!("{yaml}") };
    let build =
        |signal| blueprint.build(environment("attributes", Some(signal)), Outlet::unconnected());
    assert!(build(Signal::Logs).unwrap_err().to_string().contains("`span_names`"));
    assert!(build(Signal::Traces).is_ok());
}

/// The bodies of the records of [`logs`] that `properties` include, and that they do not exclude.
async fn selected(properties: &str) -> Vec<String> {
    let marked = |key: &'static str| async move {
        let yaml = format!("{{{ACTION}, {key}: {properties}}}");
        let (consumer, capture) = processor(&FACTORY, &yaml, Signal::Logs);
        deliver(consumer.as_ref(), payload(&logs())).await;
        let got: ExportLogsServiceRequest = capture.only();
        let records = &got.resource_logs[0].scope_logs[0].log_records;
        let marks: Vec<bool> = records
            .iter()
            .map(|record| record.attributes.iter().any(|attribute| attribute.key == "seen"))
            .collect();
        marks
    };
    let included = marked("include").await;
    let changed: Vec<bool> = marked("exclude").await.iter().map(|is_marked| !is_marked).collect();
    assert_eq!(included, changed, "exclude is the opposite: {properties}");
    let bodies = ["one", "two", "three"].into_iter().zip(included);
    bodies.filter(|(_, is_included)| *is_included).map(|(body, _)| body.to_owned()).collect()
}

fn logs() -> ExportLogsServiceRequest {
    let mut logs = logs_of(&["one", "two", "three"]);
    let group = &mut logs.resource_logs[0];
    let attributes = vec![attribute("service.name", "shop"), attribute("host", "h1")];
    group.resource = Some(Resource { attributes, ..Resource::default() });
    let scope = &mut group.scope_logs[0];
    let version = "1.2".to_owned();
    let library = InstrumentationScope { name: "lib".to_owned(), version, ..Default::default() };
    scope.scope = Some(library);
    for (number, record) in (0i32..).zip(&mut scope.log_records) {
        record.severity_number = 8 * number;
        record.severity_text = ["", "DEBUG4", "WARN4"][usize::try_from(number).unwrap()].to_owned();
        let value = Some(AnyValue { value: Some(Value::IntValue(number.into())) });
        let mut count = attribute("count", "");
        count.value = value;
        record.attributes = vec![count];
    }
    logs
}

#[tokio::test]
async fn properties_select_log_records() {
    let all = &["one", "two", "three"][..];
    for (properties, expected) in [
        ("{match_type: strict, services: [other, shop]}", all),
        ("{match_type: regexp, services: ['^sh']}", all),
        ("{match_type: strict, services: [sho]}", &[]),
        ("{match_type: strict, resources: [{key: host, value: h1}]}", all),
        ("{match_type: strict, libraries: [{name: lib}]}", all),
        ("{match_type: strict, libraries: [{name: lib, version: '2'}]}", &[]),
        ("{match_type: strict, attributes: [{key: count, value: 1}]}", &["two"]),
        ("{match_type: strict, attributes: [{key: count, value: '1'}]}", &[]),
        ("{match_type: regexp, attributes: [{key: count, value: '[12]'}]}", &["two", "three"]),
        ("{match_type: strict, attributes: [{key: count}]}", all),
        ("{match_type: strict, log_bodies: [three, one]}", &["one", "three"]),
        ("{match_type: regexp, log_bodies: ['^t']}", &["two", "three"]),
        ("{match_type: strict, log_severity_texts: [WARN4]}", &["three"]),
        ("{match_type: strict, log_severity_number: {min: INFO}}", &["three"]),
        (
            "{match_type: strict, log_severity_number: {min: 9, match_undefined: true}}",
            &["one", "three"],
        ),
        ("{match_type: strict, services: [shop], log_bodies: [one]}", &["one"]),
        ("{match_type: strict, services: [other], log_bodies: [one]}", &[]),
    ] {
        assert_eq!(selected(properties).await, expected, "{properties}");
    }
}

#[tokio::test]
async fn spans_and_points_of_every_kind_are_changed() {
    let span = |name: &str, attributes| Span {
        name: name.to_owned(),
        kind: 2,
        attributes,
        ..Span::default()
    };
    let traces = |spans| {
        let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
        let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
        ExportTraceServiceRequest { resource_spans }
    };
    let yaml = format!(
        "{{{ACTION}, include: {{match_type: strict, span_names: [a], \
         span_kinds: [SPAN_KIND_SERVER]}}}}"
    );
    let (consumer, capture) = processor(&FACTORY, &yaml, Signal::Traces);
    let sent = traces(vec![span("a", vec![]), span("b", vec![])]);
    deliver(consumer.as_ref(), payload(&sent)).await;
    let seen = || vec![attribute("seen", "yes")];
    let expected = traces(vec![span("a", seen()), span("b", vec![])]);
    assert_eq!(capture.only::<ExportTraceServiceRequest>(), expected);

    let metrics = |attributes: Vec<_>| {
        let number = NumberDataPoint { attributes: attributes.clone(), ..Default::default() };
        let summary = SummaryDataPoint { attributes, ..Default::default() };
        let gauge = Data::Gauge(Gauge { data_points: vec![number] });
        let summary = Data::Summary(Summary { data_points: vec![summary] });
        let metric = |data| Metric { data: Some(data), ..Metric::default() };
        let metrics = vec![metric(gauge), metric(summary)];
        let scope_metrics = vec![ScopeMetrics { metrics, ..ScopeMetrics::default() }];
        let resource_metrics = vec![ResourceMetrics { scope_metrics, ..Default::default() }];
        ExportMetricsServiceRequest { resource_metrics }
    };
    let (consumer, capture) = processor(&FACTORY, &format!("{{{ACTION}}}"), Signal::Metrics);
    deliver(consumer.as_ref(), payload(&metrics(vec![]))).await;
    assert_eq!(capture.only::<ExportMetricsServiceRequest>(), metrics(seen()));
}
