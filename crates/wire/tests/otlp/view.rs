//! Views say what a full decode says.

use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{number_data_point, summary_data_point};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use proptest::prelude::*;
use prost::Message as _;
use wire::view::{self, MetricKind, NumberValue, Point};
use wire::{Payload, Signal};

use crate::requests::{Logs, Metrics, Traces};
use crate::scan::request;

fn any_value(value: view::AnyValue<'_>) -> Option<AnyValue> {
    use any_value::Value;
    let value = match value {
        view::AnyValue::Empty => return None,
        view::AnyValue::Text(text) => Value::StringValue(text.into()),
        view::AnyValue::Bool(value) => Value::BoolValue(value),
        view::AnyValue::Int(value) => Value::IntValue(value),
        view::AnyValue::Double(value) => Value::DoubleValue(value),
        view::AnyValue::Bytes(bytes) => Value::BytesValue(bytes.into()),
        view::AnyValue::Array(values) => Value::ArrayValue(ArrayValue {
            values: values.map(|value| any_value(value).unwrap_or_default()).collect(),
        }),
        view::AnyValue::Map(entries) => {
            Value::KvlistValue(KeyValueList { values: attributes(entries) })
        }
    };
    Some(AnyValue { value: Some(value) })
}

fn attributes(list: view::Attributes<'_>) -> Vec<KeyValue> {
    list.map(|attribute| KeyValue {
        key: attribute.key().into(),
        value: any_value(attribute.value()),
        ..Default::default()
    })
    .collect()
}

/// A view cannot tell a value that is absent from one that says nothing.
fn without_empty_values(list: &mut [KeyValue]) {
    for attribute in list {
        without_empty(&mut attribute.value);
    }
}

fn without_empty(value: &mut Option<AnyValue>) {
    match value.as_mut().and_then(|value| value.value.as_mut()) {
        None => *value = None,
        Some(any_value::Value::KvlistValue(map)) => without_empty_values(&mut map.values),
        Some(any_value::Value::ArrayValue(list)) => {
            for value in &mut list.values {
                let mut inner = Some(std::mem::take(value));
                without_empty(&mut inner);
                *value = inner.unwrap_or_default();
            }
        }
        Some(_) => {}
    }
}

fn resource(resource: view::Resource<'_>) -> Option<Resource> {
    Some(Resource {
        attributes: attributes(resource.attributes()),
        dropped_attributes_count: resource.dropped_attributes_count() as u32,
        ..Default::default()
    })
}

fn scope(scope: view::Scope<'_>) -> Option<InstrumentationScope> {
    Some(InstrumentationScope {
        name: scope.name().into(),
        version: scope.version().into(),
        attributes: attributes(scope.attributes()),
        dropped_attributes_count: scope.dropped_attributes_count() as u32,
    })
}

fn log_record(log_record: view::LogRecord<'_>) -> LogRecord {
    LogRecord {
        time_unix_nano: log_record.time_unix_nano(),
        observed_time_unix_nano: log_record.observed_time_unix_nano(),
        severity_number: log_record.severity_number(),
        severity_text: log_record.severity_text().into(),
        body: any_value(log_record.body()),
        attributes: attributes(log_record.attributes()),
        dropped_attributes_count: log_record.dropped_attributes_count() as u32,
        flags: log_record.flags() as u32,
        trace_id: log_record.trace_id().into(),
        span_id: log_record.span_id().into(),
        event_name: log_record.event_name().into(),
    }
}

fn span(span: view::Span<'_>) -> Span {
    let event = |event: view::SpanEvent<'_>| Event {
        time_unix_nano: event.time_unix_nano(),
        name: event.name().into(),
        attributes: attributes(event.attributes()),
        dropped_attributes_count: event.dropped_attributes_count() as u32,
    };
    let link = |link: view::SpanLink<'_>| Link {
        trace_id: link.trace_id().into(),
        span_id: link.span_id().into(),
        trace_state: link.trace_state().into(),
        attributes: attributes(link.attributes()),
        dropped_attributes_count: link.dropped_attributes_count() as u32,
        flags: link.flags() as u32,
    };
    Span {
        trace_id: span.trace_id().into(),
        span_id: span.span_id().into(),
        trace_state: span.trace_state().into(),
        parent_span_id: span.parent_span_id().into(),
        flags: span.flags() as u32,
        name: span.name().into(),
        kind: span.kind(),
        start_time_unix_nano: span.start_time_unix_nano(),
        end_time_unix_nano: span.end_time_unix_nano(),
        attributes: attributes(span.attributes()),
        dropped_attributes_count: span.dropped_attributes_count() as u32,
        events: span.events().map(event).collect(),
        dropped_events_count: span.dropped_events_count() as u32,
        links: span.links().map(link).collect(),
        dropped_links_count: span.dropped_links_count() as u32,
        status: span
            .status()
            .map(|status| Status { message: status.message().into(), code: status.code() }),
    }
}

proptest! {
    #[test]
    fn log_records_read_as_decoded(seed: u64) {
        let encoded = request(Signal::Logs, seed, 4);
        let view = Payload::parse(Signal::Logs, encoded.clone()).unwrap().view();
        let seen = view.resources().map(|group| ResourceLogs {
            resource: resource(group),
            scope_logs: group.scopes().map(|group| ScopeLogs {
                scope: scope(group),
                log_records: group.log_records().map(log_record).collect(),
                schema_url: group.schema_url().into(),
            }).collect(),
            schema_url: group.schema_url().into(),
        });
        let seen: Vec<ResourceLogs> = seen.collect();
        let mut expected = Logs::decode(encoded).unwrap();
        for group in &mut expected.resource_logs {
            without_empty_values(&mut group.resource.get_or_insert_default().attributes);
            for group in &mut group.scope_logs {
                without_empty_values(&mut group.scope.get_or_insert_default().attributes);
                for log_record in &mut group.log_records {
                    without_empty_values(&mut log_record.attributes);
                    without_empty(&mut log_record.body);
                }
            }
        }
        prop_assert_eq!(seen, expected.resource_logs);
    }

    #[test]
    fn spans_read_as_decoded(seed: u64) {
        let encoded = request(Signal::Traces, seed, 4);
        let view = Payload::parse(Signal::Traces, encoded.clone()).unwrap().view();
        let scopes = view.resources().flat_map(view::Resource::scopes);
        let seen: Vec<Span> = scopes.flat_map(view::Scope::spans).map(span).collect();
        let groups = Traces::decode(encoded).unwrap().resource_spans;
        let scopes = groups.into_iter().flat_map(|group| group.scope_spans);
        let mut expected: Vec<Span> = scopes.flat_map(|group| group.spans).collect();
        for span in &mut expected {
            without_empty_values(&mut span.attributes);
            span.events.iter_mut().for_each(|event| without_empty_values(&mut event.attributes));
            span.links.iter_mut().for_each(|link| without_empty_values(&mut link.attributes));
        }
        prop_assert_eq!(seen, expected);
    }

    #[test]
    fn points_read_as_decoded(seed: u64) {
        let encoded = request(Signal::Metrics, seed, 4);
        let view = Payload::parse(Signal::Metrics, encoded.clone()).unwrap().view();
        let scopes = view.resources().flat_map(view::Resource::scopes);
        let seen: Vec<_> = scopes.flat_map(view::Scope::metrics).collect();
        let groups = Metrics::decode(encoded).unwrap().resource_metrics;
        let scopes = groups.into_iter().flat_map(|group| group.scope_metrics);
        let expected: Vec<_> = scopes.flat_map(|group| group.metrics).collect();
        prop_assert_eq!(seen.len(), expected.len());
        for (seen, expected) in seen.into_iter().zip(expected) {
            prop_assert_eq!(seen.name(), expected.name);
            prop_assert_eq!(seen.description(), expected.description);
            prop_assert_eq!(seen.unit(), expected.unit);
            check_data(seen, expected.data);
        }
    }
}

fn check_data(metric: view::Metric<'_>, data: Option<Data>) {
    let points: Vec<Point<'_>> = metric.points().collect();
    match data {
        None => assert_eq!(metric.kind(), MetricKind::None),
        Some(Data::Gauge(gauge)) => {
            assert_eq!(metric.kind(), MetricKind::Gauge);
            check_numbers(&points, gauge.data_points);
        }
        Some(Data::Sum(sum)) => {
            assert_eq!(metric.kind(), MetricKind::Sum);
            assert_eq!(metric.is_monotonic(), sum.is_monotonic);
            assert_eq!(metric.aggregation_temporality(), sum.aggregation_temporality);
            check_numbers(&points, sum.data_points);
        }
        Some(Data::Histogram(histogram)) => {
            assert_eq!(metric.aggregation_temporality(), histogram.aggregation_temporality);
            assert_eq!(points.len(), histogram.data_points.len());
            for (seen, expected) in points.into_iter().zip(histogram.data_points) {
                let Point::Histogram(seen) = seen else { panic!("a histogram point") };
                assert_eq!(seen.count(), expected.count);
                assert_eq!((seen.sum(), seen.min()), (expected.sum, expected.min));
                assert_eq!(seen.bucket_counts().collect::<Vec<_>>(), expected.bucket_counts);
                assert_eq!(seen.explicit_bounds().collect::<Vec<_>>(), expected.explicit_bounds);
                assert_eq!(seen.exemplars().count(), expected.exemplars.len());
            }
        }
        Some(Data::ExponentialHistogram(histogram)) => {
            assert_eq!(points.len(), histogram.data_points.len());
            for (seen, expected) in points.into_iter().zip(histogram.data_points) {
                let Point::ExponentialHistogram(seen) = seen else { panic!("such a point") };
                assert_eq!(
                    (seen.scale(), seen.zero_count()),
                    (expected.scale, expected.zero_count)
                );
                assert_eq!(seen.zero_threshold(), expected.zero_threshold);
                check_buckets(seen.positive(), expected.positive);
                check_buckets(seen.negative(), expected.negative);
            }
        }
        Some(Data::Summary(summary)) => {
            assert_eq!(points.len(), summary.data_points.len());
            for (seen, expected) in points.into_iter().zip(summary.data_points) {
                let Point::Summary(seen) = seen else { panic!("a summary point") };
                assert_eq!((seen.count(), seen.sum()), (expected.count, expected.sum));
                let quantile =
                    |value: view::QuantileValue<'_>| summary_data_point::ValueAtQuantile {
                        quantile: value.quantile(),
                        value: value.value(),
                    };
                let seen: Vec<_> = seen.quantile_values().map(quantile).collect();
                assert_eq!(seen, expected.quantile_values);
            }
        }
    }
}

fn check_numbers(
    points: &[Point<'_>],
    expected: Vec<opentelemetry_proto::tonic::metrics::v1::NumberDataPoint>,
) {
    assert_eq!(points.len(), expected.len());
    for (seen, mut expected) in points.iter().zip(expected) {
        let Point::Number(seen) = seen else { panic!("a number point") };
        let value = match seen.value() {
            NumberValue::None => None,
            NumberValue::Int(value) => Some(number_data_point::Value::AsInt(value)),
            NumberValue::Double(value) => Some(number_data_point::Value::AsDouble(value)),
        };
        assert_eq!(value, expected.value);
        without_empty_values(&mut expected.attributes);
        assert_eq!(attributes(seen.attributes()), expected.attributes);
    }
}

fn check_buckets(seen: Option<view::Buckets<'_>>, expected: Option<Buckets>) {
    let seen = seen.map(|buckets| Buckets {
        offset: buckets.offset(),
        bucket_counts: buckets.bucket_counts().collect(),
    });
    assert_eq!(seen, expected);
}

#[test]
fn values_print_as_the_collector_prints_them() {
    let cases = [
        (view::AnyValue::Empty, ""),
        (view::AnyValue::Text("a \"b\""), "a \"b\""),
        (view::AnyValue::Bool(true), "true"),
        (view::AnyValue::Int(-5), "-5"),
        (view::AnyValue::Double(1.0), "1"),
        (view::AnyValue::Double(0.25), "0.25"),
        (view::AnyValue::Double(1e21), "1e+21"),
        (view::AnyValue::Double(1.5e-7), "1.5e-7"),
        (view::AnyValue::Bytes(b"abc"), "YWJj"),
    ];
    for (value, printed) in cases {
        assert_eq!(value.to_string(), printed);
    }
}
