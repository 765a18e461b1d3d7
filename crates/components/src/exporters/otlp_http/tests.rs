//! Tests over real sockets, against a server that does as it is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{HeaderName, HeaderValue};
use pipeline::auth::{ClientAuth, SharedClientAuth};
use pipeline::factory::Blueprint;
use pipeline::{
    Answer, Built, Code, Component, Context, Environment, Extension, Extensions, Status,
};
use prost::Message;
use runtime::clock::Clock;
use runtime::net::{Network, ProxyVariables};

use super::FACTORY;
use crate::client::testing::{Act, Pairs, Server};
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
    let yaml = format!("endpoint: http://{}\n{more}", server.address);
    build(environment("otlp_http", None), &yaml)
}

async fn send(exporter: &Built) -> Answer {
    deliver(exporter.consumer.as_ref(), payload(&logs_of(&["hello"]))).await
}

fn act(status: u16, headers: &[(&'static str, &str)], body: &[u8]) -> Act {
    let pairs = headers.iter().map(|(name, value)| (*name, (*value).to_owned()));
    Act::Answer(status, pairs.collect::<Pairs>(), body.to_vec(), None)
}

/// Sends once to a server that does `act`; the answer in short.
async fn check(act: Act, expected: &str) {
    let server = Server::http([act.clone()]);
    let found = format!("{:?}", send(&exporter(&server, ONCE)).await);
    assert!(found.contains(expected), "{act:?}: {found}, expected {expected}");
}

fn delivered() -> Answer {
    Answer::Delivered { rejected: 0, warning: None }
}

#[tokio::test]
async fn payloads_arrive_as_they_are_with_the_headers_of_http() {
    let server = Server::http([]);
    let exporter = exporter(&server, "compression: none\nheaders: {X-Tenant: a}");
    assert_eq!(send(&exporter).await, delivered());
    let seen = &server.seen()[0];
    assert_eq!(seen.path, "/v1/logs");
    assert_eq!(seen.body, logs_of(&["hello"]).encode_to_vec());
    let header = |name: &str| seen.headers.get(name).map_or("", |value| value.to_str().unwrap());
    assert_eq!(header("host"), server.address);
    assert_eq!(header("content-type"), "application/x-protobuf");
    assert_eq!(header("content-length"), seen.body.len().to_string());
    assert_eq!(header("x-tenant"), "a");
    assert!(header("user-agent").starts_with("tidegate/"));
}

#[tokio::test]
async fn json_is_sent_compressed_with_the_names_of_http() {
    use std::io::Read;
    let server = Server::http([]);
    assert_eq!(send(&exporter(&server, "encoding: json")).await, delivered());
    let seen = &server.seen()[0];
    assert_eq!(seen.headers["content-type"], "application/json");
    assert_eq!(seen.headers["content-encoding"], "gzip");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&seen.body[..]).read_to_string(&mut text).unwrap();
    assert!(text.contains("\"stringValue\":\"hello\""), "{text}");
}

#[tokio::test]
async fn error_statuses_are_answered_as_the_specification_says() {
    for status in [400, 402, 404, 405, 414, 431, 500] {
        check(act(status, &[], b""), "Refused(Status { code: ").await;
        check(act(status, &[], b""), &format!("http: Some({status})")).await;
    }
    for status in [429, 502, 503, 504] {
        check(act(status, &[], b""), "RetryAfter").await;
    }
    check(act(503, &[("retry-after", "30")], b""), "RetryAfter { delay: Some(30s)").await;
    let past = "Sun, 06 Nov 1994 08:49:37 GMT";
    check(act(503, &[("retry-after", past)], b""), "RetryAfter").await;
    check(act(503, &[("retry-after", "soon")], b""), "RetryAfter").await;
}

#[tokio::test]
async fn the_message_of_an_error_is_read_in_both_formats_and_bounded() {
    let status = wire::rpc_status::Status {
        code: 3,
        message: "no such tenant".to_owned(),
        ..Default::default()
    };
    let protobuf = [("content-type", "application/x-protobuf")];
    check(act(400, &protobuf, &status.encode()), "message: \"no such tenant\"").await;
    let json = [("content-type", "application/json; charset=utf-8")];
    check(act(400, &json, &status.to_json()), "message: \"no such tenant\"").await;
    check(act(400, &json, &vec![b' '; 65 << 10]), "HTTP status 400").await;
    check(act(400, &[("content-type", "text/html")], b"<p>"), "HTTP status 400").await;
}

#[tokio::test]
async fn a_partial_success_is_delivered_with_a_warning() {
    let format = wire::format::Format::Json;
    let body = wire::response::encode(wire::Signal::Logs, 1, "one was odd", format);
    let json = [("content-type", "application/json")];
    let server = Server::http([act(200, &json, &body)]);
    let warning = Some("one was odd".into());
    assert_eq!(send(&exporter(&server, "")).await, Answer::Delivered { rejected: 1, warning });
}

#[tokio::test]
async fn an_unreadable_success_is_final() {
    let protobuf = ("content-type", "application/x-protobuf");
    check(act(200, &[protobuf], &[255]), "unreadable answer").await;
    check(act(200, &[protobuf, ("content-length", "5000000")], b""), "larger than").await;
    // Without a body, or with one of another kind, there is nothing to read.
    check(act(200, &[protobuf], b""), "Delivered { rejected: 0").await;
    check(act(200, &[("content-type", "text/plain")], b"fine"), "Delivered { rejected: 0").await;
}

#[tokio::test]
async fn an_answer_that_never_ends_is_unknown_after_the_timeout() {
    let headers = [("content-type", "application/x-protobuf"), ("content-length", "10")];
    let server = Server::http([act(200, &headers, b"abc")]);
    let exporter = exporter(&server, &format!("{ONCE}\ntimeout: 1s"));
    let answer = send(&exporter).await;
    let Answer::Unknown(status) = answer else { panic!("{answer:?}") };
    assert_eq!(status.code, Code::DeadlineExceeded);
}

#[tokio::test]
async fn a_connection_lost_after_the_request_left_is_unknown() {
    check(Act::HangUp, "Unknown(Status { code: Unavailable").await;
    let server = Server::http([Act::Silence]);
    let answer = send(&exporter(&server, &format!("{ONCE}\ntimeout: 1s"))).await;
    let Answer::Unknown(status) = answer else { panic!("{answer:?}") };
    assert_eq!(status.code, Code::DeadlineExceeded);
}

#[tokio::test]
async fn connections_are_kept_unless_told_otherwise() {
    for (more, connections) in [("", 1), ("disable_keep_alives: true", 4)] {
        let server = Server::http([]);
        let exporter = exporter(&server, more);
        for _ in 0..4 {
            assert_eq!(send(&exporter).await, delivered());
        }
        assert_eq!(server.connections(), connections, "{more}");
    }
}

#[tokio::test]
async fn the_number_of_connections_is_bounded() {
    let server = Server::http([]);
    let exporter = exporter(&server, "max_conns_per_host: 2");
    let answers = futures_util::future::join_all((0..20).map(|_| send(&exporter))).await;
    assert!(answers.into_iter().all(|answer| answer == delivered()));
    assert!(server.connections() <= 2, "{}", server.connections());
}

#[tokio::test]
async fn redirects_are_followed_on_the_same_server_only() {
    let server = Server::http([act(307, &[("location", "/elsewhere?a=b")], b"")]);
    assert_eq!(send(&exporter(&server, "")).await, delivered());
    let paths = server.seen().into_iter().map(|seen| seen.path).collect::<Vec<_>>();
    assert_eq!(paths, ["/v1/logs", "/elsewhere?a=b"]);
    check(act(308, &[("location", "http://other.example/v1/logs")], b""), "HTTP status 308").await;
    check(act(302, &[("location", "/elsewhere")], b""), "HTTP status 302").await;
}

#[tokio::test]
async fn cookies_are_kept_when_asked_for() {
    let server = Server::http([act(200, &[("set-cookie", "node=7; Path=/")], b"")]);
    let exporter = exporter(&server, "cookies: {enabled: true}");
    assert_eq!(send(&exporter).await, delivered());
    assert_eq!(send(&exporter).await, delivered());
    assert_eq!(server.seen()[1].headers["cookie"], "node=7");
}

#[tokio::test]
async fn http2_is_spoken_when_tls_agrees_on_it() {
    let authority = Authority::new();
    let (cert_file, key_file) = authority.issue("localhost");
    let words = crate::tls::ServerWords { cert_file, key_file, ..Default::default() };
    let scope = runtime::task::Scope::root("test");
    let acceptor = words.validate().unwrap().acceptor(Clock, &scope).unwrap();
    for (more, has_host) in [("", false), ("force_attempt_http2: false", true)] {
        let server = Server::http_over_tls(acceptor.clone());
        let port = server.address.rsplit(':').next().unwrap();
        let ca = authority.file();
        let yaml = format!(
            "endpoint: https://localhost:{port}\ntls: {{ca_file: {}}}\n{more}",
            ca.display()
        );
        assert_eq!(send(&build(environment("otlp_http", None), &yaml)).await, delivered());
        assert_eq!(server.seen()[0].headers.contains_key("host"), has_host, "{more}");
    }
}

#[tokio::test]
async fn plain_requests_go_through_the_proxy_of_the_environment() {
    let proxy = Server::http([]);
    let http = format!("http://user:word@{}", proxy.address);
    let variables = ProxyVariables { http, ..ProxyVariables::default() };
    let mut env = environment("otlp_http", None);
    env.network = Network::default().with_proxies(variables);
    let exporter = build(env, "endpoint: http://gate.example:4318");
    assert_eq!(send(&exporter).await, delivered());
    let seen = &proxy.seen()[0];
    assert_eq!(seen.path, "http://gate.example:4318/v1/logs");
    assert_eq!(seen.headers["host"], "gate.example:4318");
    assert_eq!(seen.headers["proxy-authorization"], "Basic dXNlcjp3b3Jk");
}

/// Gives out tokens and counts rejections.
#[derive(Debug, Default)]
struct Tokens(AtomicUsize);

impl ClientAuth for Tokens {
    fn headers<'a>(
        &'a self,
        _context: &'a Context,
    ) -> BoxFuture<'a, Result<Vec<(HeaderName, HeaderValue)>, Status>> {
        let token = format!("Bearer {}", self.0.load(Ordering::Relaxed));
        let value = HeaderValue::try_from(token).unwrap();
        Box::pin(async { Ok(vec![(http::header::AUTHORIZATION, value)]) })
    }

    fn rejected(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[derive(Debug)]
struct Authenticator(Arc<Tokens>);

impl Component for Authenticator {
    fn drain(&self, _deadline: std::time::Instant) {}

    fn close(&self, _deadline: std::time::Instant) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

impl Extension for Authenticator {
    fn client_auth(&self) -> Option<SharedClientAuth> {
        Some(Arc::clone(&self.0) as SharedClientAuth)
    }
}

#[tokio::test]
async fn rejected_credentials_are_replaced_once_for_each_attempt() {
    let server = Server::http([act(401, &[], b""), act(200, &[], b""), act(401, &[], b"")]);
    let mut env = environment("otlp_http", None);
    let extension: Arc<dyn Extension> = Arc::new(Authenticator(Arc::default()));
    env.extensions = Extensions::from_iter([("tokens".parse().unwrap(), extension)]);
    let yaml = format!("endpoint: http://{}\nauth: {{authenticator: tokens}}", server.address);
    let exporter = build(env, &yaml);
    assert_eq!(send(&exporter).await, delivered());
    let tokens = |at: usize| server.seen()[at].headers["authorization"].clone();
    assert_eq!((tokens(0), tokens(1)), ("Bearer 0".parse().unwrap(), "Bearer 1".parse().unwrap()));
    let missing = parse(&FACTORY, &yaml).map(|blueprint| match blueprint {
        Blueprint::Exporter(blueprint) => blueprint.build(environment("otlp_http", None)),
        _ => panic!("not an exporter"),
    });
    assert!(missing.unwrap().unwrap_err().to_string().contains("`tokens`"));
}

#[tokio::test]
async fn a_signal_without_an_endpoint_is_refused() {
    let server = Server::http([]);
    let yaml = format!("traces_endpoint: http://{}/t", server.address);
    let answer = send(&build(environment("otlp_http", None), &yaml)).await;
    assert!(format!("{answer:?}").contains("no endpoint for logs"), "{answer:?}");
}

#[tokio::test]
async fn nothing_is_left_after_close() {
    let server = Server::http([]);
    let env = environment("otlp_http", None);
    let scope = env.scope.clone();
    let exporter = build(env, &format!("endpoint: http://{}", server.address));
    assert_eq!(send(&exporter).await, delivered());
    let deadline = Clock.now() + Duration::from_secs(5);
    exporter.component.drain(deadline);
    exporter.component.close(deadline).await;
    assert_eq!(scope.alive(), 0);
}

#[test]
fn configurations_are_checked_whole() {
    check_config(&FACTORY, "endpoint: http://gate:4318\ntls: {insecure: true}", &[]);
    check_config(&FACTORY, "endpoint: https://gate\ncompression: none\nencoding: json", &[]);
    check_config(&FACTORY, "", &["needs to know where to send"]);
    let wrong = "endpoint: gate:4318\nheaders: {content-type: text/plain}\n\
                 compression: snappy\ncompression_params: {level: 3}";
    check_config(&FACTORY, wrong, &["must start with", "set by the exporter", "no levels"]);
    let ineffective = "endpoint: http://gate:4318\ntls: {ca_file: ca.pem}";
    check_config(&FACTORY, ineffective, &["tls.ca_file", "not encrypted", "`https://`"]);
    check_config(&FACTORY, "endpoint: http://gate:4318\nlogs_endpont: x", &["logs_endpoint"]);
}
