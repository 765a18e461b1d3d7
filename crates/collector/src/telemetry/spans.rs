//! Spans: records as one OTLP request.

use std::time::SystemTime;

use pipeline::SpanContext;
use pipeline::trace::{Attribute, AttributeValue, Record};
use runtime::metrics::Resource;
use wire::protobuf::{
    put_bytes_field, put_fixed32_field, put_fixed64_field, put_len_prefix, put_varint_field,
};

/// `opentelemetry.proto.trace.v1.Status.StatusCode.STATUS_CODE_ERROR`
const ERROR: u64 = 2;

/// `opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest`
pub(super) fn encode<'a>(
    resource: &Resource,
    records: impl Iterator<Item = &'a Record>,
) -> Vec<u8> {
    let mut request = Vec::new();
    put_message(&mut request, 1, |resource_spans| {
        put_message(resource_spans, 1, |out| {
            for (key, value) in &resource.attributes {
                put_attribute(out, 1, key, |any| put_bytes_field(any, 1, value.as_bytes()));
            }
        });
        put_message(resource_spans, 2, |scope_spans| {
            put_message(scope_spans, 1, |scope| {
                put_bytes_field(scope, 1, b"tidegate");
                put_bytes_field(scope, 2, env!("CARGO_PKG_VERSION").as_bytes());
            });
            for record in records {
                put_message(scope_spans, 2, |span| put_span(span, record));
            }
        });
    });
    request
}

/// `opentelemetry.proto.trace.v1.Span`
fn put_span(span: &mut Vec<u8>, record: &Record) {
    put_bytes_field(span, 1, &record.context.trace_id);
    put_bytes_field(span, 2, &record.context.span_id);
    if let Some(parent) = &record.parent {
        put_bytes_field(span, 4, parent);
    }
    put_bytes_field(span, 5, record.name.as_bytes());
    put_varint_field(span, 6, record.kind as u64);
    put_fixed64_field(span, 7, nanoseconds(record.start));
    put_fixed64_field(span, 8, nanoseconds(record.end));
    put_attributes(span, 9, &record.attributes);
    for event in &record.events {
        put_message(span, 11, |out| {
            put_fixed64_field(out, 1, nanoseconds(event.at));
            put_bytes_field(out, 2, event.name.as_bytes());
            put_attributes(out, 3, &event.attributes);
        });
    }
    for link in &record.links {
        put_message(span, 13, |out| put_link(out, link));
    }
    if 0 < record.links_dropped {
        put_varint_field(span, 14, record.links_dropped.into());
    }
    if let Some(why) = &record.failure {
        put_message(span, 15, |status| {
            put_bytes_field(status, 2, why.as_bytes());
            put_varint_field(status, 3, ERROR);
        });
    }
    put_fixed32_field(span, 16, record.context.flags.into());
}

fn put_link(out: &mut Vec<u8>, link: &SpanContext) {
    put_bytes_field(out, 1, &link.trace_id);
    put_bytes_field(out, 2, &link.span_id);
    put_fixed32_field(out, 6, link.flags.into());
}

fn put_attributes(out: &mut Vec<u8>, number: u32, attributes: &[Attribute]) {
    for (key, value) in attributes {
        put_attribute(out, number, key, |any| match value {
            AttributeValue::Text(text) => put_bytes_field(any, 1, text.as_bytes()),
            AttributeValue::Number(value) => put_varint_field(any, 3, *value),
        });
    }
}

/// `opentelemetry.proto.common.v1.KeyValue`
fn put_attribute(out: &mut Vec<u8>, number: u32, key: &str, value: impl FnOnce(&mut Vec<u8>)) {
    put_message(out, number, |attribute| {
        put_bytes_field(attribute, 1, key.as_bytes());
        put_message(attribute, 2, value);
    });
}

fn put_message(out: &mut Vec<u8>, number: u32, write: impl FnOnce(&mut Vec<u8>)) {
    let mut message = Vec::new();
    write(&mut message);
    put_len_prefix(out, number, message.len());
    out.extend_from_slice(&message);
}

fn nanoseconds(at: SystemTime) -> u64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
