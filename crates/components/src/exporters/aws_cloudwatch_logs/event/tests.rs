use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;
use wire::Payload;

use super::*;
use crate::testing::{attribute, logs_of, payload, string};

const NOW: i64 = 1_700_000_000_000;

fn raw() -> Form {
    Form {
        is_raw: true,
        bytes_max: EVENT_BYTES_MAX,
        oversize: Oversize::Truncate,
        retention_days: None,
    }
}

fn logs(bodies: &[&str], millis: &[i64]) -> Payload {
    let mut request = logs_of(bodies);
    let records = &mut request.resource_logs[0].scope_logs[0].log_records;
    for (record, at) in records.iter_mut().zip(millis) {
        record.time_unix_nano = u64::try_from(*at).unwrap() * 1_000_000;
    }
    payload(&request)
}

#[test]
fn a_raw_event_is_the_body_and_its_time() {
    let events = raw().events(&logs(&["one", "two"], &[NOW - 5, NOW]), NOW);
    let event = |item, timestamp, message: &str| Event { item, timestamp, message: message.into() };
    assert_eq!(events.kept, [event(0, NOW - 5, "one"), event(1, NOW, "two")]);
}

#[test]
fn a_record_without_a_time_has_that_of_its_observation_else_now() {
    let mut request = logs_of(&["seen", "unknown"]);
    let records = &mut request.resource_logs[0].scope_logs[0].log_records;
    records[0].observed_time_unix_nano = u64::try_from(NOW - 7).unwrap() * 1_000_000;
    let times = raw().events(&payload(&request), NOW).kept.into_iter().map(|event| event.timestamp);
    assert_eq!(times.collect::<Vec<_>>(), [NOW - 7, NOW]);
}

#[test]
fn a_wrapped_event_tells_all_that_is_known_with_the_keys_of_the_collector() {
    let mut request = logs_of(&["broken \"pipe\""]);
    let group = &mut request.resource_logs[0];
    let attributes = vec![attribute("service.name", "shop")];
    group.resource = Some(Resource { attributes, ..Resource::default() });
    let scope = &mut group.scope_logs[0];
    scope.scope = Some(InstrumentationScope {
        name: "lib".to_owned(),
        version: "1".to_owned(),
        ..InstrumentationScope::default()
    });
    let record = &mut scope.log_records[0];
    record.time_unix_nano = u64::try_from(NOW).unwrap() * 1_000_000;
    record.severity_number = 17;
    record.severity_text = "ERROR".to_owned();
    record.flags = 1;
    record.trace_id = vec![0xab; 16];
    record.span_id = vec![0; 8];
    record.attributes = vec![attribute("user", "ada")];
    let events = Form { is_raw: false, ..raw() }.events(&payload(&request), NOW);
    let expected = concat!(
        r#"{"body":"broken \"pipe\"","severity_number":17,"severity_text":"ERROR","flags":1,"#,
        r#""trace_id":"abababababababababababababababab","attributes":{"user":"ada"},"#,
        r#""scope":{"name":"lib","version":"1"},"resource":{"service.name":"shop"}}"#
    );
    assert_eq!(events.kept[0].message, expected);
}

#[test]
fn events_out_of_the_window_are_set_apart_with_their_reason() {
    let form = Form { retention_days: Some(1), ..raw() };
    let times =
        [NOW - 15 * DAY, NOW - 14 * DAY, NOW - DAY, NOW, NOW + AHEAD_MAX, NOW + AHEAD_MAX + 1];
    let events = form.events(&logs(&["x"; 6], &times), NOW);
    assert_eq!(events.set_aside, [(0, Reason::TooOld), (1, Reason::Expired), (5, Reason::TooNew)]);
    let kept = events.kept.iter().map(|event| event.item).collect::<Vec<_>>();
    assert_eq!(kept, [2, 3, 4]);
}

#[test]
fn an_empty_message_is_no_event() {
    let events = raw().events(&logs(&["", "x"], &[NOW, NOW]), NOW);
    assert_eq!(events.set_aside, [(0, Reason::Empty)]);
    assert_eq!(events.kept.len(), 1);
}

#[test]
fn a_message_that_is_too_large_is_cut_at_a_character_with_its_mark_inside_the_limit() {
    let form = Form { bytes_max: 300, ..raw() };
    let long = "€".repeat(200);
    let events = form.events(&logs(&[&long, "short"], &[NOW, NOW]), NOW);
    let message = &events.kept[0].message;
    assert!(message.ends_with("€[Truncated...]"), "{message}");
    assert!(events.kept[0].size() <= 300 && 297 < events.kept[0].size());
    assert_eq!((events.oversize, events.kept[1].message.as_str()), (1, "short"));
}

#[test]
fn a_message_that_is_too_large_can_become_several_events_that_are_all_of_it() {
    let form = Form { bytes_max: 300, oversize: Oversize::Split, ..raw() };
    let long = "€".repeat(200);
    let events = form.events(&logs(&[&long], &[NOW]), NOW);
    let joined = events.kept.iter().map(|event| event.message.as_str()).collect::<String>();
    assert_eq!(joined, long);
    assert!(events.kept.iter().all(|event| event.size() <= 300 && event.item == 0));
    assert_eq!(events.kept.len(), 3);
}

#[test]
fn the_largest_message_that_the_service_takes_is_left_alone() {
    let fits = "x".repeat(EVENT_BYTES_MAX - OVERHEAD);
    let events = raw().events(&logs(&[&fits], &[NOW]), NOW);
    assert_eq!((events.oversize, events.kept[0].message.len()), (0, 1_048_550));
}

#[test]
fn structured_bodies_are_json_in_both_forms() {
    use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValueList, any_value};
    let mut request = logs_of(&[""]);
    let values = vec![attribute("k", "v")];
    let map = any_value::Value::KvlistValue(KeyValueList { values });
    let record = &mut request.resource_logs[0].scope_logs[0].log_records[0];
    record.body = Some(AnyValue { value: Some(map) });
    record.attributes.push(opentelemetry_proto::tonic::common::v1::KeyValue {
        value: Some(string("x")),
        key: "a".to_owned(),
        ..Default::default()
    });
    let message = |form: Form| form.events(&payload(&request), NOW).kept.remove(0).message;
    assert_eq!(message(raw()), r#"{"k":"v"}"#);
    assert_eq!(
        message(Form { is_raw: false, ..raw() }),
        r#"{"body":{"k":"v"},"attributes":{"a":"x"}}"#
    );
}
