use super::*;
use crate::testing::{attribute, logs_of, payload};

fn routing(group: &str, stream: &str, is_raw: bool) -> Routing {
    Routing {
        group: Template::parse(Kind::Group, group).unwrap(),
        stream: Template::parse(Kind::Stream, stream).unwrap(),
        is_raw,
    }
}

fn named(streams: Vec<(Names, Vec<Range<usize>>)>) -> Vec<(String, Vec<Range<usize>>)> {
    let named = |((group, stream), ranges)| (format!("{group}|{stream}"), ranges);
    streams.into_iter().map(named).collect()
}

#[test]
fn each_stream_gets_its_records_in_order() {
    let mut request = logs_of(&["1", "2", "3", "4", "5"]);
    let records = &mut request.resource_logs[0].scope_logs[0].log_records;
    for (record, user) in records.iter_mut().zip(["a", "b", "b", "a", "a"]) {
        record.attributes.push(attribute("user", user));
    }
    let streams = routing("g", "{user}", false).streams(&payload(&request));
    assert_eq!(
        named(streams),
        [("g|a".to_owned(), vec![0..1, 3..5]), ("g|b".to_owned(), std::iter::once(1..3).collect())]
    );
}

#[test]
fn names_that_depend_on_nothing_are_known_before_any_record() {
    let names = routing("g", "s", false).fixed();
    assert_eq!(names, Some(("g".into(), "s".into())));
    assert_eq!(routing("g", "{x}", false).fixed(), None);
    assert_eq!(routing("g", "s", true).fixed(), None, "records may name their own");
}

#[test]
fn the_embedded_metric_format_names_its_own_group_and_stream_when_raw() {
    let bodies = [
        r#"{"_aws":{"LogGroupName":"own","LogStreamName":"stream","CloudWatchMetrics":[]},"a":1}"#,
        r#"{"_aws":{"LogGroupName":"own"}}"#,
        r#"{"log_group_name":"old","log_stream_name":"s0"}"#,
        r#"{"_aws": broken"#,
        r#"{"other":1}"#,
        "plain",
    ];
    let payload = payload(&logs_of(&bodies));
    let streams = named(routing("g", "s", true).streams(&payload));
    let names = streams.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>();
    assert_eq!(names, ["own|stream", "own|s", "old|s0", "g|s"]);
    assert_eq!(streams[3].1.clone(), std::iter::once(3..6).collect::<Vec<_>>());
    let wrapped = named(routing("g", "s", false).streams(&payload));
    assert_eq!(wrapped.len(), 1, "without raw_log bodies are not looked into");
}
