//! Configurations, and what goes over the wire, against a server that follows a script.

mod noise;
mod renewing;
mod stored;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use pipeline::factory::Blueprint;
use pipeline::{Answer, Built, Code, Environment};
use runtime::clock::Clock;

use super::FACTORY;
use crate::client::testing::{Act, Seen, Server};
use crate::compression::{Algorithm, inflate};
use crate::testing::{check_config, deliver, environment, logs_of, parse, payload};

fn exporter(server: &Server, more: &str) -> Built {
    exporter_in(environment("aws_cloudwatch_logs", None), server, more)
}

fn exporter_in(env: Environment, server: &Server, more: &str) -> Built {
    let yaml = format!(
        "log_group_name: g\nlog_stream_name: s\nregion: eu-west-1\n\
         endpoint: http://{}\naccess_key_id: AKID\nsecret_access_key: hidden\nraw_log: true\n{more}",
        server.address
    );
    let Blueprint::Exporter(blueprint) = parse(&FACTORY, &yaml).unwrap() else {
        panic!("not an exporter")
    };
    blueprint.build(env).unwrap()
}

fn says(status: u16, body: &str) -> Act {
    Act::Answer(status, Vec::new(), body.as_bytes().to_vec(), None)
}

fn error(name: &str) -> Act {
    says(400, &format!(r#"{{"__type":"{name}","message":"because"}}"#))
}

fn busy() -> Act {
    says(503, r#"{"__type":"ServiceUnavailableException"}"#)
}

/// A signature of another time than that of the service, which is `at`.
fn skewed(at: SystemTime) -> Act {
    let text = br#"{"__type":"InvalidSignatureException","message":"Signature not yet current"}"#;
    Act::Answer(400, vec![("date", httpdate::fmt_http_date(at))], text.to_vec(), None)
}

fn ok() -> Act {
    says(200, "{}")
}

fn operations(server: &Server) -> Vec<String> {
    let target = |seen: Seen| seen.headers["x-amz-target"].to_str().unwrap().to_owned();
    let names = server.seen().into_iter().map(target);
    names.map(|name| name.trim_start_matches("Logs_20140328.").to_owned()).collect()
}

fn delivered() -> Answer {
    Answer::Delivered { rejected: 0, warning: None }
}

fn body(seen: &Seen) -> String {
    let body = match seen.headers.get("content-encoding") {
        Some(_) => inflate(Algorithm::Gzip, &seen.body, 8 << 20).unwrap(),
        None => seen.body.clone(),
    };
    String::from_utf8(body.to_vec()).unwrap()
}

#[test]
fn the_words_of_the_collector_are_understood() {
    check_config(
        &FACTORY,
        "log_group_name: '/aws/metrics/{ClusterName}'\nlog_stream_name: '{TaskId}'\n\
         region: us-east-1\nendpoint: logs.us-east-1.amazonaws.com\nlog_retention: 365\n\
         tags: {sampleKey: sampleValue}\nrole_arn: arn:aws:iam::1:role/r\nexternal_id: x\n\
         profile: p\nshared_credentials_file: [/a, /b]\nimds_retries: 3\nproxy_address: h:3128\n\
         max_retries: 2\nnum_workers: 8\nlocal_mode: true\nresource_arn: arn:x\n\
         request_timeout_seconds: 30\nmax_event_payload_bytes: 262144\n\
         sending_queue: {queue_size: 50, wait_for_result: true}\n\
         retry_on_failure: {enabled: true, initial_interval: 10ms}",
        &[],
    );
}

#[test]
fn wrong_words_are_told_with_what_to_write() {
    check_config(&FACTORY, "region: x", &["log_group_name", "log_stream_name"]);
    let names = "log_group_name: g\nlog_stream_name: s\n";
    for (words, expected) in [
        ("log_retention: 2", "3653"),
        ("tags: {'aws:x': y}", "reserved"),
        ("region: 'not a region'", "name of a region"),
        ("max_event_payload_bytes: 2MiB", "1048576"),
        ("access_key_id: x", "secret_access_key"),
        ("external_id: x", "role_arn"),
        ("session_token: x", "access_key_id"),
        ("endpoint: 'ftp://x'", "endpoint"),
        ("endpoint: 'http://x'\ncertificate_file_path: /x", "http://"),
        ("max_age: 0s", "max_age"),
        ("log_group_clas: STANDARD", "log_group_class"),
    ] {
        check_config(&FACTORY, &format!("{names}{words}"), &[expected]);
    }
    check_config(&FACTORY, "log_group_name: 'a b'\nlog_stream_name: 'a:b'", &["` `", "`:`"]);
}

#[test]
fn keys_without_effect_are_warned_about() {
    let yaml = "log_group_name: g\nlog_stream_name: s\nmax_retries: 2\nnum_workers: 1\n\
                resource_arn: x\nno_verify_ssl: true";
    let Blueprint::Exporter(blueprint) = parse(&FACTORY, yaml).unwrap() else { panic!() };
    let warnings = blueprint.warnings().join("\n");
    for key in ["max_retries", "num_workers", "resource_arn", "no_verify_ssl"] {
        assert!(warnings.contains(key), "{warnings}");
    }
}

#[tokio::test]
async fn a_put_is_compressed_then_signed_and_says_what_it_is() {
    let server = Server::http([ok()]);
    let exporter = exporter(&server, "");
    let bodies = ["the same words again and again"; 50];
    assert_eq!(deliver(exporter.consumer.as_ref(), payload(&logs_of(&bodies))).await, delivered());
    let seen = server.seen().remove(0);
    assert_eq!(seen.headers["x-amz-target"], "Logs_20140328.PutLogEvents");
    assert_eq!(seen.headers["content-type"], "application/x-amz-json-1.1");
    assert_eq!(seen.headers["content-encoding"], "gzip");
    assert_eq!(seen.headers["x-amzn-logs-format"], "json/emf");
    let authorization = seen.headers["authorization"].to_str().unwrap();
    let signed = "SignedHeaders=accept-encoding;content-encoding;content-type;host;user-agent;\
                  x-amz-date;x-amz-target;x-amzn-logs-format";
    assert!(authorization.contains(signed), "{authorization}");
    assert!(authorization.contains("/eu-west-1/logs/aws4_request"), "{authorization}");
    let body: serde_json::Value = serde_json::from_str(&body(&seen)).unwrap();
    assert_eq!((&body["logGroupName"], &body["logStreamName"]), (&"g".into(), &"s".into()));
    assert_eq!(body["logEvents"].as_array().unwrap().len(), 50);
    assert_eq!(body["logEvents"][0]["message"], bodies[0]);
}

#[tokio::test]
async fn a_missing_stream_is_made_before_its_group_and_the_put_follows_at_once() {
    let missing = || error("ResourceNotFoundException");
    let server = Server::http([missing(), missing(), ok(), ok(), ok(), ok()]);
    let exporter =
        exporter(&server, "log_retention: 7\ntags: {team: a}\nlog_group_class: INFREQUENT_ACCESS");
    assert_eq!(deliver(exporter.consumer.as_ref(), payload(&logs_of(&["x"]))).await, delivered());
    // The retention is set beside everything else.
    while server.seen().len() < 6 {
        tokio::task::yield_now().await;
    }
    let mut made = operations(&server);
    made.sort_by_key(|name| name == "PutRetentionPolicy");
    let expected = [
        "PutLogEvents",
        "CreateLogStream",
        "CreateLogGroup",
        "CreateLogStream",
        "PutLogEvents",
        "PutRetentionPolicy",
    ];
    assert_eq!(made, expected);
    let group = server.seen().into_iter().map(|seen| body(&seen)).nth(2).unwrap();
    assert_eq!(
        group,
        r#"{"logGroupName":"g","logGroupClass":"INFREQUENT_ACCESS","tags":{"team":"a"}}"#
    );
}

#[tokio::test]
async fn a_stream_that_somebody_else_made_meanwhile_is_as_good() {
    let server = Server::http([
        error("ResourceNotFoundException"),
        error("ResourceAlreadyExistsException"),
        ok(),
    ]);
    let exporter = exporter(&server, "");
    assert_eq!(deliver(exporter.consumer.as_ref(), payload(&logs_of(&["x"]))).await, delivered());
    assert_eq!(operations(&server), ["PutLogEvents", "CreateLogStream", "PutLogEvents"]);
}

#[tokio::test]
async fn rejected_events_are_told_to_the_caller_and_the_rest_is_delivered() {
    let server = Server::http([says(
        200,
        r#"{"rejectedLogEventsInfo":{"tooOldLogEventEndIndex":3,"tooNewLogEventStartIndex":8}}"#,
    )]);
    let exporter = exporter(&server, "");
    let answer = deliver(exporter.consumer.as_ref(), payload(&logs_of(&["x"; 10]))).await;
    let Answer::Delivered { rejected, warning } = answer else { panic!("{answer:?}") };
    assert_eq!(rejected, 5);
    assert!(warning.is_some_and(|warning| warning.contains("14 days")));
}

#[tokio::test]
async fn one_bad_event_costs_only_itself() {
    // Refuses whatever holds the bad one, by the order of the halves.
    let invalid = || error("InvalidParameterException");
    let server = Server::http([invalid(), ok(), invalid(), invalid(), ok()]);
    let exporter = exporter(&server, "compression: none");
    let bodies = ["a", "b", "bad", "d"];
    let answer = deliver(exporter.consumer.as_ref(), payload(&logs_of(&bodies))).await;
    let Answer::Delivered { rejected, .. } = answer else { panic!("{answer:?}") };
    assert_eq!(rejected, 1);
    let counts = server.seen().into_iter().map(|seen| body(&seen).matches("message").count());
    assert_eq!(counts.collect::<Vec<_>>(), [4, 2, 2, 1, 1]);
}

#[tokio::test]
async fn a_put_that_broke_off_between_two_requests_goes_on_with_what_is_left() {
    let server = Server::http([ok(), busy(), ok()]);
    let exporter = exporter(&server, "retry_on_failure: {initial_interval: 1ms}");
    let big = "x".repeat(700_000);
    let answer = deliver(exporter.consumer.as_ref(), payload(&logs_of(&[&big, &big]))).await;
    assert_eq!(answer, delivered());
    let sizes =
        server.seen().iter().map(|seen| body(seen).matches("message").count()).sum::<usize>();
    assert_eq!(sizes, 3, "the first event was put once, the second one twice");
}

#[tokio::test]
async fn a_wrong_clock_is_corrected_by_the_services_time() {
    let past = Clock.wall() - Duration::from_secs(1200);
    let server = Server::http([skewed(past), ok()]);
    let exporter = exporter(&server, "");
    assert_eq!(deliver(exporter.consumer.as_ref(), payload(&logs_of(&["x"]))).await, delivered());
    let stamps =
        server.seen().iter().map(|seen| seen.headers["x-amz-date"].clone()).collect::<Vec<_>>();
    assert!(stamps[1] < stamps[0], "{stamps:?}");
}

/// Time between the first attempt and delivery.
async fn time_of(script: Vec<Act>) -> Duration {
    let server = Server::http(script);
    let words = "retry_on_failure: {initial_interval: 1s, randomization_factor: 0}";
    let exporter = exporter(&server, words);
    let started = Clock.now();
    assert_eq!(deliver(exporter.consumer.as_ref(), payload(&logs_of(&["x"]))).await, delivered());
    Clock.now() - started
}

#[tokio::test(start_paused = true)]
async fn waits_are_as_long_as_ever_when_the_clock_jumps_between_attempts() {
    let alone = time_of(vec![busy(), busy(), busy(), ok()]).await;
    assert!(Duration::from_secs(3) < alone);
    let (now, hour) = (Clock.wall(), Duration::from_hours(1));
    let (ahead, behind) = (skewed(now + hour), skewed(now - hour));
    assert_eq!(time_of(vec![busy(), ahead, busy(), behind, busy(), ok()]).await, alone);
}

#[tokio::test(start_paused = true)]
async fn what_falls_out_of_the_window_while_it_waits_is_told_and_the_rest_is_sent() {
    let (now, hour) = (Clock.wall(), Duration::from_hours(1));
    let server = Server::http([busy(), skewed(now + 2 * hour), busy(), ok()]);
    let exporter = exporter(&server, "retry_on_failure: {initial_interval: 1s}");
    let mut request = logs_of(&["almost too old", "new"]);
    let old = now - (14 * 24 * hour - hour);
    let since = old.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let record = &mut request.resource_logs[0].scope_logs[0].log_records[0];
    record.time_unix_nano = u64::try_from(since.as_nanos()).unwrap();
    let answer = deliver(exporter.consumer.as_ref(), payload(&request)).await;
    let Answer::Delivered { rejected, warning } = answer else { panic!("{answer:?}") };
    assert_eq!(rejected, 1);
    assert!(warning.is_some_and(|warning| warning.contains("14 days")));
    // Events 14 days apart are put by requests of their own.
    let bodies: Vec<String> = server.seen().iter().map(body).collect();
    assert!(bodies[0].contains("almost too old"), "{bodies:?}");
    assert!(bodies.last().unwrap().contains("new"), "{bodies:?}");
}

#[tokio::test]
async fn a_body_that_is_sent_again_is_the_same_with_the_same_headers() {
    let server = Server::http([busy(), ok()]);
    let exporter = exporter(&server, "retry_on_failure: {initial_interval: 1ms}");
    let mut request = logs_of(&["the same words again, and the same words again"]);
    let record = &mut request.resource_logs[0].scope_logs[0].log_records[0];
    let now = Clock.wall().duration_since(std::time::UNIX_EPOCH).unwrap();
    record.time_unix_nano = u64::try_from(now.as_nanos()).unwrap();
    assert_eq!(deliver(exporter.consumer.as_ref(), payload(&request)).await, delivered());
    let seen = server.seen();
    assert_eq!(seen[0].body, seen[1].body);
    for name in ["content-type", "x-amz-target", "x-amzn-logs-format"] {
        assert_eq!(seen[0].headers[name], seen[1].headers[name]);
    }
}

#[tokio::test]
async fn a_name_that_is_not_valid_is_refused_as_a_whole() {
    let server =
        Server::http([error("ResourceNotFoundException"), error("InvalidParameterException")]);
    let exporter = exporter(&server, "");
    let answer = deliver(exporter.consumer.as_ref(), payload(&logs_of(&["x", "y"]))).await;
    let Answer::Refused(status) = answer else { panic!("{answer:?}") };
    assert_eq!(status.code, Code::FailedPrecondition);
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn an_exporter_that_is_closed_leaves_no_task_behind() {
    let server = Server::http([ok()]);
    let exporter = exporter(&server, "log_retention: 1");
    deliver(exporter.consumer.as_ref(), payload(&logs_of(&["x"]))).await;
    let component = Arc::clone(&exporter.component);
    let deadline = Clock.now() + Duration::from_secs(10);
    component.drain(deadline);
    component.close(deadline).await;
    assert!(component.explain().iter().all(|line| !line.contains("waits")));
}
