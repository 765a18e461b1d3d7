//! OTLP over gRPC.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use pipeline::{Code, Component as _, Metadata, Outcome, Verdict};

use super::client::{
    Answered, EXPORT_LOGS, Feed, Grpc, compressed, decode, frame, large_log, one_log,
};
use super::sink::{Leaving, Then, refusal, retry};
use super::world::World;
use crate::compression::Algorithm;
use crate::testing::logs_of;

#[tokio::test]
async fn delivers_what_was_sent_and_answers_ok() {
    let world = World::start();
    let answered = world.grpc().await.export(&one_log()).await;
    assert_eq!((answered.http_status(), answered.code()), (200, 0));
    assert_eq!(answered.body, frame(0, b""));
    let arrived = world.sink.arrivals().recv().await.unwrap();
    assert_eq!(decode(&arrived.payload), logs_of(&["hello"]));
    assert_eq!(world.counted("otelcol_receiver_accepted_log_records", "grpc"), 1);
    world.end().await;
}

#[tokio::test]
async fn says_whether_to_retry() {
    let world = World::start();
    let mut client = world.grpc().await;
    let delay = Some(Duration::from_millis(1500));
    for (verdict, code, retry_after) in [
        (retry(Code::Unavailable, None), 14, None),
        (retry(Code::Unavailable, delay), 14, delay),
        (retry(Code::ResourceExhausted, delay), 8, delay),
        (retry(Code::ResourceExhausted, None), 14, None),
        (refusal(Code::Internal), 13, None),
        (refusal(Code::InvalidArgument), 3, None),
        (refusal(Code::Unavailable), 13, None),
    ] {
        world.sink.answer(verdict.clone());
        let answered = client.export(&one_log()).await;
        assert_eq!(answered.code(), code, "{verdict:?}");
        let details = answered.details().and_then(|status| status.retry_after);
        assert_eq!(details, retry_after, "{verdict:?}");
    }
    world.sink.answer(Verdict::Delivered);
    assert_eq!(client.export(&one_log()).await.code(), 0);
    assert_eq!(world.counted("otelcol_receiver_accepted_log_records", "grpc"), 1);
    assert_eq!(world.counted("otelcol_receiver_refused_log_records", "grpc"), 7);
}

#[tokio::test]
async fn a_partial_success_is_told() {
    let world = World::start();
    let outcome = Outcome {
        rejected: 3,
        warning: Some("three were too old".into()),
        ..Outcome::delivered(1)
    };
    world.sink.then([Then::Answer(outcome)]);
    let answered = world.grpc().await.export(&one_log()).await;
    let body =
        wire::response::decode(wire::Signal::Logs, &answered.body[5..], wire::Format::Protobuf);
    let partial = body.unwrap();
    assert_eq!((partial.rejected, partial.message.as_str()), (3, "three were too old"));
}

#[tokio::test]
async fn a_client_that_leaves_tells_the_holder() {
    let world = World::start();
    world.sink.then([Then::Hold]);
    let mut client = world.grpc().await;
    let request = Grpc::request(EXPORT_LOGS).body(Feed::of(frame(0, &one_log()))).unwrap();
    let pending = client.start(request);
    let envelope = world.sink.arrivals().recv().await.unwrap().held.unwrap();
    let mut left = Leaving::watch(&envelope);
    drop(pending);
    assert_eq!(left.recv().await, Some(7));
    envelope.answer_all(&Verdict::Delivered);
    world.end().await;
}

/// Sends a raw body and gives the code, the details and whether the client may retry.
async fn send_raw(world: &World, body: impl Into<Bytes>) -> Answered {
    let request = Grpc::request(EXPORT_LOGS).body(Feed::of(body)).unwrap();
    world.grpc().await.send(request).await.unwrap()
}

#[tokio::test]
async fn takes_every_compression() {
    let world = World::start();
    let mut arrivals = world.sink.arrivals();
    for (name, algorithm) in [
        ("gzip", Algorithm::Gzip),
        ("zstd", Algorithm::Zstd),
        ("snappy", Algorithm::Snappy),
        ("snappy", Algorithm::SnappyFramed),
        ("deflate", Algorithm::Zlib),
    ] {
        let request = Grpc::request(EXPORT_LOGS).header("grpc-encoding", name);
        let body = frame(1, &compressed(algorithm, &large_log(300_000)));
        let answered =
            world.grpc().await.send(request.body(Feed::of(body)).unwrap()).await.unwrap();
        assert_eq!(answered.code(), 0, "{algorithm:?} {:?}", answered.header("grpc-message"));
        let arrived = arrivals.recv().await.unwrap();
        assert_eq!(arrived.payload.to_bytes(), large_log(300_000), "{algorithm:?}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_compression_it_does_not_know_is_unimplemented_and_lists_those_it_does() {
    let world = World::start();
    let request = Grpc::request(EXPORT_LOGS).header("grpc-encoding", "br");
    let request = request.body(Feed::of(frame(1, b"x"))).unwrap();
    let answered = world.grpc().await.send(request).await.unwrap();
    assert_eq!(answered.code(), 12);
    assert!(answered.header("grpc-accept-encoding").unwrap().contains("zstd"));
}

#[tokio::test]
async fn broken_framing_is_refused() {
    let world = World::start();
    for (body, code) in [
        (Bytes::new(), 13),
        (Bytes::from_static(&[0, 0, 0]), 13),
        (Bytes::from_static(&[0, 0, 0, 0, 9, 1]), 13),
        (Bytes::from([frame(0, b""), frame(0, b"")].concat()), 13),
        (frame(1, b"x"), 13),
        (frame(7, b""), 13),
        (frame(0, &[0x0a, 0x7f, 1]), 3),
        (frame(0, b"\xff\xff\xff\xff"), 3),
    ] {
        let answered = send_raw(&world, body.clone()).await;
        assert_eq!(answered.code(), code, "{body:?}: {:?}", answered.header("grpc-message"));
        assert_eq!(answered.details(), None);
    }
}

#[tokio::test]
async fn an_empty_request_is_accepted_without_asking_anybody() {
    let world = World::start();
    world.sink.answer(refusal(Code::Internal));
    assert_eq!(send_raw(&world, frame(0, b"")).await.code(), 0);
}

#[tokio::test]
async fn a_message_over_the_limit_is_exhausted_for_good() {
    let world = World::start();
    let limit = 4 << 20;
    let mut prefix = vec![0];
    prefix.extend_from_slice(&(limit + 1u32).to_be_bytes());
    let (feeder, feed) = Feed::new();
    feeder.try_send(prefix.into()).unwrap();
    let request = Grpc::request(EXPORT_LOGS).body(feed).unwrap();
    let answered = world.grpc().await.send(request).await.unwrap();
    assert_eq!((answered.code(), answered.details()), (8, None));
    drop(feeder);

    let whole = large_log(limit as usize - 100);
    assert_eq!(send_raw(&world, frame(0, &whole)).await.code(), 0);
    let bomb = frame(1, &compressed(Algorithm::Gzip, &large_log(limit as usize)));
    let request = Grpc::request(EXPORT_LOGS).header("grpc-encoding", "gzip");
    let answered = world.grpc().await.send(request.body(Feed::of(bomb)).unwrap()).await.unwrap();
    assert_eq!((answered.code(), answered.details()), (8, None));
}

#[tokio::test]
async fn what_is_not_its_business_is_refused() {
    let world = World::start();
    let mut client = world.grpc().await;
    let request = Grpc::request("/other.Service/Method").body(Feed::of(frame(0, b""))).unwrap();
    assert_eq!(client.send(request).await.unwrap().code(), 12);
    let html = Request::post("http://test/").header("content-type", "text/html");
    let answered = client.send(html.body(Feed::of("")).unwrap()).await.unwrap();
    assert_eq!(answered.http_status(), 415);
    let get = Request::get("http://test/").header("content-type", "application/grpc");
    let answered = client.send(get.body(Feed::of("")).unwrap()).await.unwrap();
    assert_eq!(answered.http_status(), 405);
}

#[tokio::test]
async fn carries_metadata_trace_and_deadline_on() {
    let yaml = "protocols: {grpc: {endpoint: '127.0.0.1:0', include_metadata: true}}";
    let world = World::with(yaml).start();
    let mut arrivals = world.sink.arrivals();
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let request = Grpc::request(EXPORT_LOGS)
        .header("X-Tenant", "blue")
        .header("traceparent", trace)
        .header("tracestate", "one=1")
        .header("tracestate", "other=2")
        .header("grpc-timeout", "5S");
    let before = world.env.clock.now();
    let request = request.body(Feed::of(frame(0, &one_log()))).unwrap();
    assert_eq!(world.grpc().await.send(request).await.unwrap().code(), 0);
    let arrived = arrivals.recv().await.unwrap();
    assert_eq!(arrived.context.metadata.first("x-tenant"), Some("blue"));
    assert_eq!(arrived.context.peer.as_deref(), Some("127.0.0.1"));
    assert_eq!(arrived.trace.unwrap().to_string(), trace);
    assert_eq!(arrived.context.trace_state.as_deref(), Some("one=1,other=2"));
    let five = Duration::from_secs(5);
    assert!(before + five <= arrived.deadline && arrived.deadline <= before + 2 * five);
}

#[tokio::test]
async fn metadata_is_not_kept_unless_asked_for() {
    let world = World::start();
    let request = Grpc::request(EXPORT_LOGS).header("x-tenant", "blue");
    let request = request.body(Feed::of(frame(0, &one_log()))).unwrap();
    world.grpc().await.send(request).await.unwrap();
    let arrived = world.sink.arrivals().recv().await.unwrap();
    assert_eq!(arrived.context.metadata, Metadata::default());
}

#[tokio::test(start_paused = true)]
async fn who_is_not_answered_in_time_is_asked_to_come_again() {
    let world = World::with("{timeout: 7s, protocols: {grpc: {endpoint: '127.0.0.1:0'}}}").start();
    world.sink.then([Then::Hold, Then::Hold]);
    let mut client = world.grpc().await;
    for (asked, seconds) in [("60S", 7), ("2S", 2)] {
        let began = world.env.clock.now();
        let request = Grpc::request(EXPORT_LOGS).header("grpc-timeout", asked);
        let request = request.body(Feed::of(frame(0, &one_log()))).unwrap();
        let answered = client.send(request).await.unwrap();
        assert_eq!(answered.code(), 14);
        assert!(answered.details().unwrap().retry_after.is_some());
        let waited = world.env.clock.now() - began;
        assert_eq!(waited.as_secs(), seconds, "asked for {asked}");
    }
}

#[tokio::test]
async fn who_leaves_too_little_time_is_turned_away_at_once() {
    let yaml = "{min_timeout: 3s, protocols: {grpc: {endpoint: '127.0.0.1:0'}}}";
    let world = World::with(yaml).start();
    let mut client = world.grpc().await;
    for (asked, expected) in [("2999m", 14), ("0S", 14), ("3S", 0)] {
        let request = Grpc::request(EXPORT_LOGS).header("grpc-timeout", asked);
        let request = request.body(Feed::of(frame(0, &one_log()))).unwrap();
        let answered = client.send(request).await.unwrap();
        assert_eq!(answered.code(), expected, "asked for {asked}");
        let is_told_when = answered.details().is_some_and(|said| said.retry_after.is_some());
        assert_eq!(is_told_when, expected == 14);
    }
}

/// The framed answer of a unary call to `path`.
async fn call(client: &mut Grpc, path: &str, message: &[u8]) -> Answered {
    let request = Grpc::request(path).body(Feed::of(frame(0, message))).unwrap();
    client.send(request).await.unwrap()
}

#[tokio::test]
async fn tells_its_health() {
    let world = World::start();
    let mut client = world.grpc().await;
    let path = "/grpc.health.v1.Health/Check";
    let logs = b"\x0a\x31opentelemetry.proto.collector.logs.v1.LogsService";
    for asked in [b"".as_slice(), logs] {
        let answered = call(&mut client, path, asked).await;
        assert_eq!((answered.code(), answered.body), (0, frame(0, &[8, 1])));
    }
    assert_eq!(call(&mut client, path, b"\x0a\x05other").await.code(), 5);
    assert_eq!(call(&mut client, path, &[0; 5000]).await.code(), 8);
    world.end().await;
}

#[tokio::test]
async fn who_watches_its_health_hears_of_the_drain() {
    let world = World::start();
    let mut client = world.grpc().await;
    let request = Grpc::request("/grpc.health.v1.Health/Watch").body(Feed::of(frame(0, b"")));
    let watch = client.start(request.unwrap());
    // The answer to a later request shows that the watch has begun.
    assert_eq!(call(&mut client, "/grpc.health.v1.Health/Check", b"").await.code(), 0);
    world.receiver.drain(world.env.clock.now() + Duration::from_secs(5));
    let heard = watch.await.unwrap().unwrap();
    assert_eq!(heard.body, [frame(0, &[8, 1]), frame(0, &[8, 2])].concat());
    assert_eq!(heard.code(), 14);
    world.end().await;
}

#[tokio::test]
async fn describes_itself_in_both_versions_of_reflection() {
    let world = World::start();
    let mut client = world.grpc().await;
    for version in ["v1", "v1alpha"] {
        let path = format!("/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo");
        let answered = call(&mut client, &path, b"\x3a\x01*").await;
        assert_eq!(answered.code(), 0);
        let services = String::from_utf8_lossy(&answered.body);
        assert!(services.contains("opentelemetry.proto.collector.trace.v1.TraceService"));
        assert_eq!(call(&mut client, &path, b"\xff").await.code(), 3);
    }
    world.end().await;
}
