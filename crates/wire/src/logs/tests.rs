use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message as _;

use super::*;

fn decode(payload: &Payload) -> ExportLogsServiceRequest {
    ExportLogsServiceRequest::decode(payload.to_bytes()).unwrap()
}

fn resource(name: &str) -> KeyValues {
    let mut resource = KeyValues::default();
    resource.push("service.name", |value| value.text(name));
    resource
}

#[test]
fn records_of_one_resource_and_scope_stand_together() {
    let mut writer = LogsWriter::default();
    for (service, scope, text) in
        [("a", "", "one"), ("b", "", "two"), ("a", "", "three"), ("a", "scope", "four")]
    {
        let block = writer.block(&resource(service), scope);
        writer.record(block, |record| record.body(|body| body.text(text)));
    }
    assert_eq!(writer.items(), 4);
    let request = decode(&writer.finish());
    let counts: Vec<_> = request
        .resource_logs
        .iter()
        .map(|logs| (logs.scope_logs.len(), logs.scope_logs[0].log_records.len()))
        .collect();
    assert_eq!(counts, [(1, 2), (1, 1), (1, 1)]);
    let last = &request.resource_logs[2].scope_logs[0];
    assert_eq!(last.scope.as_ref().unwrap().name, "scope");
}

#[test]
fn a_line_is_the_record_that_is_written_field_by_field() {
    let attributes = resource("x");
    for len in [0, 1, 100, 127, 128, 5_000, 20_000] {
        let body = &"é".repeat(len);
        let (mut fast, mut slow) = (LogsWriter::default(), LogsWriter::default());
        let block = fast.block(&KeyValues::default(), "");
        fast.line(block, Line { observed_time_unix_nano: 7, body, attributes: &attributes });
        let block = slow.block(&KeyValues::default(), "");
        slow.record(block, |record| {
            record.observed_time(7);
            record.body(|value| value.text(body));
            record.attributes(&attributes);
        });
        assert_eq!(fast.finish().to_bytes(), slow.finish().to_bytes());
    }
}

#[test]
fn every_field_arrives() {
    let mut writer = LogsWriter::default();
    let block = writer.block(&KeyValues::default(), "");
    writer.record(block, |record| {
        record.time(1);
        record.observed_time(2);
        record.severity_number(17);
        record.severity_text("ERROR");
        record.body(|body| {
            body.map(|map| {
                map.entry("list", |value| value.list(|list| list.value(|value| value.int(-1))));
                map.entry("nothing", |_| {});
            });
        });
        record.attribute("bytes", |value| value.bytes(&[0xff]));
        record.attribute("double", |value| value.double(1.5));
        record.attribute("bool", |value| value.bool(true));
        record.trace_id(&[1; 16]);
        record.span_id(&[2; 8]);
        record.flags(1);
    });
    let request = decode(&writer.finish());
    let record = &request.resource_logs[0].scope_logs[0].log_records[0];
    assert_eq!((record.time_unix_nano, record.observed_time_unix_nano), (1, 2));
    assert_eq!((record.severity_number, record.severity_text.as_str()), (17, "ERROR"));
    assert_eq!((record.trace_id.len(), record.span_id.len(), record.flags), (16, 8, 1));
    assert_eq!(record.attributes.len(), 3);
    let Some(Value::KvlistValue(map)) = &record.body.as_ref().unwrap().value else { panic!() };
    assert_eq!(map.values.len(), 2);
}

#[test]
fn values_nested_too_deep_are_left_out_and_the_request_stays_readable() {
    fn nest(value: ValueWriter<'_>, depth: usize) {
        if 0 < depth {
            value.map(|map| map.entry("k", |value| nest(value, depth - 1)));
        }
    }
    let mut writer = LogsWriter::default();
    let block = writer.block(&KeyValues::default(), "");
    writer.record(block, |record| record.body(|body| nest(body, 40)));
    let payload = writer.finish();
    assert_eq!(Payload::parse(Signal::Logs, payload.to_bytes()).unwrap().items(), 1);
}

#[test]
fn nothing_written_is_an_empty_request() {
    let mut writer = LogsWriter::default();
    writer.block(&KeyValues::default(), "");
    let payload = writer.finish();
    assert!(payload.is_empty());
    assert_eq!(payload.bytes_len(), 0);
}
