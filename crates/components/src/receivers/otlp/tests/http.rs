//! OTLP over HTTP.

use std::time::Duration;

use http::Request;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use pipeline::{Code, Outcome, Verdict};
use prost::Message as _;
use wire::{Format, Signal, rpc_status};

use super::client::{Feed, Http, compressed, decode, large_log, one_log};
use super::sink::{Leaving, Then, refusal, retry};
use super::world::World;
use crate::compression::Algorithm;
use crate::testing::logs_of;

#[tokio::test]
async fn delivers_what_was_sent_and_answers_200() {
    let world = World::start();
    let answered = world.http().await.post("/v1/logs", one_log()).await;
    assert_eq!(answered.http_status(), 200);
    assert_eq!(answered.header("content-type"), Some("application/x-protobuf"));
    assert_eq!(answered.body.len(), 0);
    let arrived = world.sink.arrivals().recv().await.unwrap();
    assert_eq!(decode(&arrived.payload), logs_of(&["hello"]));
    assert_eq!(world.counted("otelcol_receiver_accepted_log_records", "http"), 1);
    world.end().await;
}

fn one_span() -> Vec<u8> {
    let span = Span { name: "work".to_owned(), trace_id: vec![7; 16], ..Span::default() };
    let scope_spans = vec![ScopeSpans { spans: vec![span], ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

#[tokio::test]
async fn takes_every_compression_and_content_type_with_parameters() {
    let world = World::start();
    let mut arrivals = world.sink.arrivals();
    let mut client = world.http().await;
    for (name, algorithm) in [
        ("gzip", Algorithm::Gzip),
        ("zstd", Algorithm::Zstd),
        ("snappy", Algorithm::Snappy),
        ("x-snappy-framed", Algorithm::SnappyFramed),
        ("deflate", Algorithm::Zlib),
        ("zlib", Algorithm::Zlib),
    ] {
        let request = Request::post("/v1/logs")
            .header("host", "test")
            .header("content-type", "application/x-protobuf; charset=utf-8")
            .header("content-encoding", name)
            .body(Feed::of(compressed(algorithm, &large_log(300_000))));
        let answered = client.send(request.unwrap()).await.unwrap();
        assert_eq!(answered.http_status(), 200, "{name}: {:?}", answered.body);
        assert_eq!(arrivals.recv().await.unwrap().payload.to_bytes(), large_log(300_000));
    }
}

#[tokio::test]
async fn json_is_answered_in_json() {
    let world = World::start();
    let json =
        r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"hello"}}]}]}]}"#;
    let post = |body: &'static str| {
        let request = Request::post("/v1/logs").header("host", "test");
        request.header("content-type", "application/json; charset=utf-8").body(Feed::of(body))
    };
    let mut client = world.http().await;
    let answered = client.send(post(json).unwrap()).await.unwrap();
    assert_eq!((answered.http_status(), &answered.body[..]), (200, b"{}".as_slice()));
    assert_eq!(answered.header("content-type"), Some("application/json"));
    let arrived = world.sink.arrivals().recv().await.unwrap();
    assert_eq!(decode(&arrived.payload), logs_of(&["hello"]));

    let answered = client.send(post("1234").unwrap()).await.unwrap();
    assert_eq!(answered.http_status(), 400);
    assert_eq!(answered.header("content-type"), Some("application/json"));
    assert_eq!(rpc_status::Status::from_json(&answered.body).unwrap().code, 3);
    world.end().await;
}

#[tokio::test]
async fn each_signal_has_its_path() {
    let world = World::start();
    let mut client = world.http().await;
    assert_eq!(client.post("/v1/traces", one_span()).await.http_status(), 200);
    let arrived = world.sink.arrivals().recv().await.unwrap();
    assert_eq!((arrived.payload.signal(), arrived.payload.items()), (Signal::Traces, 1));
    for path in ["/v1/logs", "/v1/metrics", "/v1development/profiles"] {
        assert_eq!(client.post(path, "").await.http_status(), 200, "{path}");
    }
    assert_eq!(client.post("/v1/other", "").await.http_status(), 404);
}

#[tokio::test]
async fn what_is_no_otlp_request_is_told_so() {
    let world = World::start();
    let mut client = world.http().await;
    for (method, content_type, status, text) in [
        (
            "POST",
            Some("text/plain"),
            415,
            "415 unsupported media type, supported: [application/json, application/x-protobuf]",
        ),
        (
            "POST",
            None,
            415,
            "415 unsupported media type, supported: [application/json, application/x-protobuf]",
        ),
        ("GET", Some("application/json"), 405, "405 method not allowed, supported: [POST]"),
        ("PATCH", Some("application/json"), 405, "405 method not allowed, supported: [POST]"),
    ] {
        let mut request =
            Request::builder().method(method).uri("/v1/traces").header("host", "test");
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let answered = client.send(request.body(Feed::of("")).unwrap()).await.unwrap();
        assert_eq!(answered.http_status(), status);
        assert_eq!(answered.header("content-type"), Some("text/plain"));
        assert_eq!(answered.body, text);
    }
}

#[tokio::test]
async fn says_whether_and_when_to_retry() {
    let world = World::start();
    let mut client = world.http().await;
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    for (verdict, status, code, retry_after) in [
        (retry(Code::DeadlineExceeded, None), 503, 4, None),
        (retry(Code::ResourceExhausted, seconds(0)), 429, 8, Some("0")),
        (retry(Code::ResourceExhausted, seconds(13)), 429, 8, Some("13")),
        (retry(Code::Unavailable, Some(Duration::from_millis(1100))), 503, 14, Some("2")),
        (refusal(Code::Unknown), 500, 2, None),
        (refusal(Code::InvalidArgument), 400, 3, None),
        (refusal(Code::Internal), 500, 13, None),
    ] {
        world.sink.answer(verdict.clone());
        let answered = client.post("/v1/logs", one_log()).await;
        assert_eq!(answered.http_status(), status, "{verdict:?}");
        assert_eq!(answered.header("retry-after"), retry_after, "{verdict:?}");
        assert_eq!(answered.header("content-type"), Some("application/x-protobuf"));
        assert_eq!(answered.status().code, code, "{verdict:?}");
    }
    assert_eq!(world.counted("otelcol_receiver_refused_log_records", "http"), 7);
}

#[tokio::test]
async fn a_partial_success_is_told() {
    let world = World::start();
    let warning = Some("two were too old".into());
    world.sink.then([Then::Answer(Outcome { rejected: 2, warning, ..Outcome::delivered(1) })]);
    let answered = world.http().await.post("/v1/logs", one_log()).await;
    assert_eq!(answered.http_status(), 200);
    let partial = wire::response::decode(Signal::Logs, &answered.body, Format::Protobuf).unwrap();
    assert_eq!((partial.rejected, partial.message.as_str()), (2, "two were too old"));
}

#[tokio::test]
async fn the_body_limit_holds_before_and_after_decompression() {
    let limit = large_log(100_000).len();
    let yaml =
        format!("protocols: {{http: {{endpoint: 'localhost:0', max_request_body_size: {limit}}}}}");
    let world = World::with(&yaml).start();
    let mut client = world.http().await;
    assert_eq!(client.post("/v1/logs", large_log(100_000)).await.http_status(), 200);
    let answered = client.post("/v1/logs", large_log(100_001)).await;
    assert_eq!(answered.http_status(), 413);
    assert_eq!(answered.header("retry-after"), None);
    for (size, status) in [(100_000, 200), (100_001, 413)] {
        let request = Http::request("/v1/logs").header("content-encoding", "gzip");
        let body = compressed(Algorithm::Gzip, &large_log(size));
        let mut client = world.http().await;
        let answered = client.send(request.body(Feed::of(body)).unwrap()).await.unwrap();
        assert_eq!(answered.http_status(), status);
    }
}

#[tokio::test]
async fn a_compression_that_is_not_allowed_is_refused() {
    let yaml = "protocols: {http: {endpoint: 'localhost:0', compression_algorithms: [zstd]}}";
    let world = World::with(yaml).start();
    let request = Http::request("/v1/logs").header("content-encoding", "gzip");
    let body = compressed(Algorithm::Gzip, &one_log());
    let answered = world.http().await.send(request.body(Feed::of(body)).unwrap()).await.unwrap();
    assert_eq!(answered.http_status(), 400);
    assert_eq!(answered.status().message, "unsupported Content-Encoding: gzip");
}

#[tokio::test]
async fn a_client_that_leaves_tells_the_holder() {
    let world = World::start();
    world.sink.then([Then::Hold]);
    let mut client = world.http().await;
    let pending = client.start(Http::request("/v1/logs").body(Feed::of(one_log())).unwrap());
    let envelope = world.sink.arrivals().recv().await.unwrap().held.unwrap();
    let mut left = Leaving::watch(&envelope);
    drop((pending, client));
    assert_eq!(left.recv().await, Some(7));
    envelope.answer_all(&Verdict::Delivered);
    world.end().await;
}

#[tokio::test]
async fn web_pages_are_answered_as_configured() {
    let yaml = "
protocols:
  http:
    endpoint: 'localhost:0'
    response_headers: {x-served-by: tidegate}
    cors: {allowed_origins: ['https://*.example'], allowed_headers: [x-token]}
";
    let world = World::with(yaml).start();
    let mut client = world.http().await;
    let preflight = Request::options("/v1/logs")
        .header("host", "test")
        .header("origin", "https://app.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "x-token");
    let answered = client.send(preflight.body(Feed::of("")).unwrap()).await.unwrap();
    assert_eq!(answered.http_status(), 204);
    assert_eq!(answered.header("access-control-allow-origin"), Some("https://app.example"));
    assert_eq!(answered.header("x-served-by"), Some("tidegate"));
    let request = Http::request("/v1/logs").header("origin", "https://app.example");
    let answered = client.send(request.body(Feed::of(one_log())).unwrap()).await.unwrap();
    assert_eq!(answered.http_status(), 200);
    assert_eq!(answered.header("access-control-allow-origin"), Some("https://app.example"));
}

#[tokio::test]
async fn without_keep_alive_a_connection_carries_one_request() {
    let yaml = "protocols: {http: {endpoint: 'localhost:0', keep_alives_enabled: false}}";
    let world = World::with(yaml).start();
    let mut client = world.http().await;
    let answered = client.post("/v1/logs", one_log()).await;
    assert_eq!(answered.header("connection"), Some("close"));
    let request = Http::request("/v1/logs").body(Feed::of(one_log())).unwrap();
    assert!(client.send(request).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_arrive_in_time_is_given_up() {
    let yaml = "protocols: {http: {endpoint: 'localhost:0', read_timeout: 3s}}";
    let world = World::with(yaml).start();
    let (feeder, feed) = Feed::new();
    let began = world.env.clock.now();
    let answered = world.http().await.send(Http::request("/v1/logs").body(feed).unwrap()).await;
    let answered = answered.unwrap();
    assert_eq!((answered.http_status(), answered.header("retry-after")), (503, Some("1")));
    assert_eq!((world.env.clock.now() - began).as_secs(), 3);
    drop(feeder);
}
