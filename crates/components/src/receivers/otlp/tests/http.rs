//! OTLP over HTTP.

use super::client::{decode, one_log};
use super::world::World;
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
