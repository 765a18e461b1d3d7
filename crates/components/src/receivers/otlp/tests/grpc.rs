//! OTLP over gRPC.

use std::time::Duration;

use pipeline::{Code, Outcome, Verdict};

use super::client::{EXPORT_LOGS, Feed, Grpc, decode, frame, one_log};
use super::sink::{Leaving, Then, refusal, retry};
use super::world::World;
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
