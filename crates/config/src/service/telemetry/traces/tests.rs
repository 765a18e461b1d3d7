use super::*;
use crate::section::Section;
use crate::service::Service;

fn traces(text: &str) -> Result<Traces, String> {
    let section = Section::from_yaml(&format!("telemetry: {{traces: {text}}}")).unwrap();
    let told = |problems: Vec<crate::Problem>| problems.iter().map(ToString::to_string).collect();
    Service::read(&section).map(|service| service.telemetry.traces).map_err(told)
}

const TO_A: &str = "processors: [{batch: {exporter: {otlp: {endpoint: 'http://a:4318'}}}}]";

#[track_caller]
fn check_ratio(sampler: &str, expected: f64) {
    let traces = traces(&format!("{{{TO_A}, sampler: {sampler}}}")).unwrap();
    assert!(traces.destination().is_some());
    assert!((traces.root_ratio() - expected).abs() < 1e-9, "{sampler}");
}

#[track_caller]
fn check_refused(text: &str, words: &str) {
    let problems = traces(text).unwrap_err();
    assert!(problems.contains(words), "{problems}");
}

#[test]
fn nothing_is_recorded_without_a_destination() {
    assert!(traces("{}").unwrap().destination().is_none());
    assert!(traces(&format!("{{level: none, {TO_A}}}")).unwrap().destination().is_none());
    let off = traces(&format!("{{{TO_A}, sampler: {{always_off: }}}}")).unwrap();
    assert!(off.destination().is_none());
}

#[test]
fn reads_where_spans_go() {
    let traces = traces(
        "{propagators: [tracecontext], processors: [{batch: {schedule_delay: 100, exporter: {otlp: \
         {protocol: grpc, endpoint: 'a:4317', insecure: true, headers: [{name: k, value: v}]}}}}]}",
    )
    .unwrap();
    let (batch, otlp) = traces.destination().unwrap();
    assert_eq!((batch.schedule_delay, batch.max_queue_size), (100, 2048));
    assert_eq!((otlp.protocol, otlp.endpoint.as_str()), (SpanProtocol::Grpc, "a:4317"));
    assert_eq!(otlp.headers.len(), 1);
}

#[test]
fn reads_the_sampler() {
    check_ratio("", 1.0);
    check_ratio("{parent_based: {root: {always_on: }}}", 1.0);
    check_ratio("{parent_based: {root: {always_off: {}}}}", 0.0);
    check_ratio("{parent_based: {root: {trace_id_ratio_based: {ratio: 0.25}}}}", 0.25);
}

#[test]
fn refuses_what_cannot_be_done() {
    check_refused("{propagators: [tracecontext, b3]}", "the propagator `b3` is not supported");
    check_refused(&format!("{{{TO_A}, sampler: {{always_on: }}}}"), "without an end");
    check_refused("{processors: [{batch: {exporter: {otlp: {}}}}]}", "the endpoint is missing");
    check_refused("{processors: [{batch: {}}]}", "spans have nowhere to go");
    check_refused(
        "{sampler: {parent_based: {root: {trace_id_ratio_based: {ratio: 2}}}}}",
        "0 to 1",
    );
}
