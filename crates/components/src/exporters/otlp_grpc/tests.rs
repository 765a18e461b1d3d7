//! Tests over real sockets, against a server that does as it is told.

use std::time::Duration;

use h2::Reason;
use pipeline::factory::Blueprint;
use pipeline::{Answer, Built, Code, Environment};
use prost::Message;
use runtime::clock::Clock;
use wire::rpc_status::Status;

use super::FACTORY;
use crate::client::testing::{Act, Server, accepted, grpc};
use crate::testing::{check_config, deliver, environment, logs_of, parse, payload};
use crate::tls::authority::Authority;

const ONCE: &str = "retry_on_failure: {enabled: false}";

fn build(env: Environment, yaml: &str) -> Built {
    let Blueprint::Exporter(blueprint) = parse(&FACTORY, yaml).unwrap() else {
        panic!("not an exporter")
    };
    blueprint.build(env).unwrap()
}

fn exporter(server: &Server, more: &str) -> Built {
    let yaml = format!("endpoint: {}\ntls: {{insecure: true}}\n{more}", server.address);
    build(environment("otlp", None), &yaml)
}

async fn send(exporter: &Built) -> Answer {
    deliver(exporter.consumer.as_ref(), payload(&logs_of(&["hello", "world"]))).await
}

/// Sends once to a server that does `act`; the answer in short.
async fn check(act: Act, expected: &str) {
    let server = Server::grpc([act.clone()]);
    let found = format!("{:?}", send(&exporter(&server, ONCE)).await);
    assert!(found.contains(expected), "{act:?}: {found}, expected {expected}");
}

fn delivered() -> Answer {
    Answer::Delivered { rejected: 0, warning: None }
}

#[tokio::test]
async fn payloads_arrive_as_they_are_with_the_headers_of_grpc() {
    let server = Server::grpc([]);
    let exporter = exporter(&server, "compression: none\nheaders: {X-Tenant: a}\ntimeout: 4s");
    assert_eq!(send(&exporter).await, delivered());
    let seen = &server.seen()[0];
    assert_eq!(seen.path, "/opentelemetry.proto.collector.logs.v1.LogsService/Export");
    let encoded = logs_of(&["hello", "world"]).encode_to_vec();
    assert_eq!(seen.body[..5], [0, 0, 0, 0, u8::try_from(encoded.len()).unwrap()]);
    assert_eq!(seen.body[5..], encoded);
    let header = |name: &str| seen.headers.get(name).map_or("", |value| value.to_str().unwrap());
    assert_eq!(header("content-type"), "application/grpc");
    assert_eq!(header("te"), "trailers");
    assert_eq!(header("x-tenant"), "a");
    assert!(header("user-agent").starts_with("tidegate/"));
    let timeout = header("grpc-timeout").strip_suffix('u').unwrap().parse::<u64>().unwrap();
    assert!((3_000_000..=4_000_000).contains(&timeout), "{timeout}");
}

#[tokio::test]
async fn gzip_is_the_default_compression() {
    use std::io::Read;
    let server = Server::grpc([]);
    assert_eq!(send(&exporter(&server, "")).await, delivered());
    let seen = &server.seen()[0];
    assert_eq!(seen.headers["grpc-encoding"], "gzip");
    assert_eq!(seen.body[0], 1);
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(&seen.body[5..]).read_to_end(&mut text).unwrap();
    assert_eq!(text, logs_of(&["hello", "world"]).encode_to_vec());
}

#[tokio::test]
async fn statuses_are_answered_as_the_specification_says() {
    check(grpc(&[], &[("grpc-status", "14"), ("grpc-message", "come%20back")]), "RetryAfter").await;
    check(grpc(&[], &[("grpc-status", "14"), ("grpc-message", "come%20back")]), "come back").await;
    check(grpc(&[], &[("grpc-status", "3")]), "Refused(Status { code: InvalidArgument").await;
    check(grpc(&[], &[("grpc-status", "99")]), "Refused(Status { code: Unknown").await;
    check(grpc(&[], &[("grpc-status", "x")]), "Refused(Status { code: Unknown").await;
    // A message that is half a frame, and one that is no response.
    check(grpc(&[0, 0], &[("grpc-status", "0")]), "unreadable answer: half a frame").await;
    check(grpc(&[0, 0, 0, 0, 1, 255], &[("grpc-status", "0")]), "unreadable answer").await;
    check(grpc(&[1, 0, 0, 0, 0], &[("grpc-status", "0")]), "not asked for").await;
    // An answer that is not gRPC at all.
    let page = |status| Act::Answer(status, Vec::new(), b"<html>".to_vec(), None);
    check(page(503), "RetryAfter").await;
    check(page(404), "Refused(Status { code: Unimplemented").await;
    check(page(200), "no grpc-status").await;
}

#[tokio::test]
async fn the_delay_of_retry_info_is_kept() {
    let status = Status { code: 8, retry_after: Some(Duration::from_secs(7)), ..Status::default() };
    let details = status.to_header();
    let trailers = [("grpc-status", "8"), ("grpc-status-details-bin", details.as_str())];
    check(grpc(&[], &trailers), "RetryAfter { delay: Some(7s)").await;
}

#[tokio::test]
async fn a_partial_success_is_delivered_with_a_warning() {
    let message = wire::response::encode(
        wire::Signal::Logs,
        1,
        "one was odd",
        wire::format::Format::Protobuf,
    );
    let mut body = vec![0, 0, 0, 0, u8::try_from(message.len()).unwrap()];
    body.extend_from_slice(&message);
    let server = Server::grpc([grpc(&body, &[("grpc-status", "0")])]);
    let warning = Some("one was odd".into());
    assert_eq!(send(&exporter(&server, "")).await, Answer::Delivered { rejected: 1, warning });
}

#[tokio::test]
async fn huge_answers_are_not_read() {
    let mut body = vec![0; 5 << 20];
    body[1..5].copy_from_slice(&((5u32 << 20) - 5).to_be_bytes());
    check(grpc(&body, &[("grpc-status", "0")]), "larger than 4194304 bytes").await;
    let huge = "x".repeat(40_000);
    let act = grpc(&[0; 5], &[("grpc-status", "14"), ("grpc-message", &huge)]);
    check(act, "Unavailable, message: \"\"").await;
}

#[tokio::test]
async fn a_connection_lost_after_the_request_left_is_unknown() {
    check(Act::HangUp, "Unknown(Status { code: Unavailable").await;
    check(Act::Reset(Reason::INTERNAL_ERROR), "Unknown(Status { code: Unavailable").await;
}

#[tokio::test]
async fn a_server_that_says_nothing_is_unknown_after_the_timeout() {
    let server = Server::grpc([Act::Silence]);
    let answer = send(&exporter(&server, &format!("{ONCE}\ntimeout: 1s"))).await;
    let Answer::Unknown(status) = answer else { panic!("{answer:?}") };
    assert_eq!(status.code, Code::DeadlineExceeded);
}

#[tokio::test]
async fn requests_that_a_server_did_not_look_at_are_sent_again() {
    let server = Server::grpc([Act::Reset(Reason::REFUSED_STREAM), Act::GoAway]);
    let exporter = exporter(&server, ONCE);
    assert_eq!(send(&exporter).await, delivered());
    assert_eq!(send(&exporter).await, delivered());
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test]
async fn a_server_that_leaves_in_order_fails_no_request() {
    let server = Server::grpc([Act::Leave, accepted(), Act::Leave]);
    let exporter = exporter(&server, ONCE);
    for _ in 0..6 {
        assert_eq!(send(&exporter).await, delivered());
    }
    assert_eq!((server.seen().len(), server.connections()), (6, 3));
}

#[tokio::test]
async fn connections_are_kept_and_shared() {
    let server = Server::grpc([]);
    let exporter = exporter(&server, "");
    for _ in 0..5 {
        assert_eq!(send(&exporter).await, delivered());
    }
    let many = (0..20).map(|_| send(&exporter));
    let answers = futures_util::future::join_all(many).await;
    assert!(answers.into_iter().all(|answer| answer == delivered()));
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn resource_exhaustion_is_retried_only_with_retry_info() {
    let exhausted = |retry_after| {
        let details = Status { code: 8, retry_after, ..Status::default() }.to_header();
        grpc(&[], &[("grpc-status", "8"), ("grpc-status-details-bin", &details)])
    };
    let server = Server::grpc([exhausted(None)]);
    let answer = send(&exporter(&server, "retry_on_failure: {initial_interval: 1ms}")).await;
    // For the caller it is not final; for the exporter it is.
    assert!(matches!(answer, Answer::RetryAfter { .. }), "{answer:?}");
    assert_eq!(server.seen().len(), 1);
    let server = Server::grpc([exhausted(Some(Duration::from_millis(20)))]);
    let exporter = exporter(&server, "retry_on_failure: {initial_interval: 1ms}");
    assert_eq!(send(&exporter).await, delivered());
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_server_that_comes_up_late_is_found() {
    let server = Server::grpc([]);
    let address = server.address.clone();
    drop(server);
    let yaml = format!(
        "endpoint: {address}\ntls: {{insecure: true}}\n{ONCE}\nwait_for_ready: true\ntimeout: 10s"
    );
    let exporter = build(environment("otlp", None), &yaml);
    let refused = format!("endpoint: {address}\ntls: {{insecure: true}}\n{ONCE}");
    let refused = build(environment("otlp", None), &refused);
    let answer = send(&refused).await;
    assert!(matches!(answer, Answer::RetryAfter { .. }), "{answer:?}");
    let waits = refused.component.explain().join("\n");
    assert!(waits.contains(&format!("no connection to {address}")), "{waits}");
    let (answer, _server) = tokio::join!(send(&exporter), async { Server::grpc_at(&address) });
    assert_eq!(answer, delivered());
}

#[tokio::test]
async fn tls_is_on_unless_switched_off() {
    let authority = Authority::new();
    let (cert_file, key_file) = authority.issue("localhost");
    let words = crate::tls::ServerWords { cert_file, key_file, ..Default::default() };
    let scope = runtime::task::Scope::root("test");
    let server = Server::grpc_over_tls(words.validate().unwrap().acceptor(Clock, &scope).unwrap());
    let port = server.address.rsplit(':').next().unwrap();
    let ca = authority.file();
    let yaml = format!("endpoint: localhost:{port}\ntls: {{ca_file: {}}}", ca.display());
    assert_eq!(send(&build(environment("otlp", None), &yaml)).await, delivered());
    let stranger = Authority::new().file();
    let yaml = format!("endpoint: localhost:{port}\ntls: {{ca_file: {}}}\n{ONCE}", ca.display());
    let yaml = yaml.replace(&*ca.to_string_lossy(), &stranger.to_string_lossy());
    let Blueprint::Exporter(blueprint) = parse(&FACTORY, &yaml).unwrap() else { panic!() };
    let error = blueprint.build(environment("otlp", None)).unwrap_err().to_string();
    assert!(error.contains("cannot read"), "{error}");
}

#[tokio::test]
async fn nothing_is_left_after_close() {
    let server = Server::grpc([]);
    let env = environment("otlp", None);
    let scope = env.scope.clone();
    let yaml = format!("endpoint: {}\ntls: {{insecure: true}}", server.address);
    let exporter = build(env, &yaml);
    assert_eq!(send(&exporter).await, delivered());
    let deadline = Clock.now() + Duration::from_secs(5);
    exporter.component.drain(deadline);
    exporter.component.close(deadline).await;
    assert_eq!(scope.alive(), 0);
}

#[test]
fn configurations_are_checked_whole() {
    check_config(&FACTORY, "endpoint: gate:4317", &[]);
    check_config(&FACTORY, "endpoint: http://gate:4317\ntls: {insecure: true}", &[]);
    check_config(&FACTORY, "", &["endpoint", "needs to know where to send"]);
    let wrong = "endpoint: gate\nheaders: {grpc-timeout: 1S, 'a b': c}\n\
                 compression: x-snappy-framed\nproxy_url: https://proxy\nauth: {}\n\
                 tls: {insecure: true, min_version: '1.5'}";
    check_config(&FACTORY, wrong, &["no port", "set by the exporter itself", "name of a header"]);
    check_config(&FACTORY, wrong, &["gRPC has `snappy`", "reached over", "auth.authenticator"]);
    check_config(&FACTORY, "endpoint: gate:4317\ncompression: lz4", &["lz4"]);
    let level = "endpoint: gate:4317\ncompression_params: {level: 12}";
    check_config(&FACTORY, level, &["1 to 9"]);
    let ineffective = "endpoint: gate:4317\ntls: {insecure: true, server_name_override: gate}";
    check_config(&FACTORY, ineffective, &["tls.server_name_override", "not encrypted"]);
    check_config(&FACTORY, "endpoint: gate:4317\nbalancer_name: ring", &["balancer_name"]);
}
