//! Memory: who waits for it, who makes room, and that nobody holds up a connection meanwhile.

use std::time::Duration;

use bytes::Bytes;
use pipeline::Verdict;
use runtime::task::Task;

use super::client::{Answered, EXPORT_LOGS, Feed, Grpc, compressed, frame, large_log, one_log};
use super::sink::Then;
use super::world::World;
use crate::compression::Algorithm;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

type Pending = Task<Result<Answered, hyper::Error>>;

fn export(client: &mut Grpc, message: &[u8]) -> Pending {
    let request = Grpc::request(EXPORT_LOGS).header("grpc-timeout", "60S");
    client.start(request.body(Feed::of(frame(0, message))).unwrap())
}

async fn code_of(pending: Pending) -> u32 {
    pending.await.unwrap().unwrap().code()
}

/// Waits until `count` requests stand at the door.
async fn until_waiting(world: &World, count: usize) {
    while world.receiver.waiting() != count {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn requests_that_wait_never_hold_the_window_of_their_connection() {
    let world =
        World::with("protocols: {grpc: {endpoint: '127.0.0.1:0'}}").budget(32 * MIB).start();
    // Somebody else has all the memory but what is set aside for receiving.
    let left = world.env.budget.bytes_ever();
    let taken = world.env.budget.try_take(left).unwrap();

    let mut client = world.grpc().await;
    let message = large_log(600 * KIB);
    let framed = frame(0, &message);
    let (feeder, feed) = Feed::new();
    feeder.try_send(framed.slice(..300 * KIB)).unwrap();
    let half_sent = Grpc::request(EXPORT_LOGS).header("grpc-timeout", "60S").body(feed).unwrap();
    let half_sent = client.start(half_sent);
    // Together they are larger than the window of the connection, 1 MiB.
    let behind: Vec<Pending> = (0..4).map(|_| export(&mut client, &large_log(300 * KIB))).collect();
    until_waiting(&world, 4).await;
    feeder.try_send(framed.slice(300 * KIB..)).unwrap();
    drop(feeder);
    until_waiting(&world, 5).await;

    drop(taken);
    assert_eq!(code_of(half_sent).await, 0);
    for pending in behind {
        assert_eq!(code_of(pending).await, 0);
    }
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn who_finds_no_memory_is_asked_to_come_again_within_a_quarter_of_its_time() {
    let world =
        World::with("protocols: {grpc: {endpoint: '127.0.0.1:0'}}").budget(32 * MIB).start();
    let left = world.env.budget.bytes_ever();
    let taken = world.env.budget.try_take(left).unwrap();
    let began = world.env.clock.now();
    let answered = world.grpc().await.export(&one_log()).await;
    assert_eq!(answered.code(), 14);
    assert!(answered.details().unwrap().retry_after.is_some());
    let waited = world.env.clock.now() - began;
    assert!(waited <= Duration::from_secs(8), "{waited:?}");
    drop(taken);
    world.end().await;
}

#[tokio::test]
async fn at_the_cap_of_a_connection_the_youngest_request_makes_room() {
    let world =
        World::with("protocols: {grpc: {endpoint: '127.0.0.1:0'}}").budget(16 * MIB).start();
    let mut client = world.grpc().await;
    // A quarter of the budget, and of that again the cap of one connection: 4 MiB for one message.
    let whole = frame(0, &large_log(3 * MIB));
    let (old_feeder, old_feed) = Feed::new();
    old_feeder.try_send(whole.slice(..MIB)).unwrap();
    let old = client.start(Grpc::request(EXPORT_LOGS).body(old_feed).unwrap());
    let (young_feeder, young_feed) = Feed::new();
    young_feeder.try_send(whole.slice(..2 * MIB)).unwrap();
    let young = client.start(Grpc::request(EXPORT_LOGS).body(young_feed).unwrap());
    old_feeder.try_send(whole.slice(MIB..)).unwrap();
    drop(old_feeder);
    let turned_away = young.await.unwrap().unwrap();
    assert_eq!(turned_away.code(), 14);
    assert!(turned_away.details().unwrap().retry_after.is_some());
    assert_eq!(code_of(old).await, 0);
    drop(young_feeder);
    world.end().await;
}

#[tokio::test]
async fn an_inflated_request_is_charged_for_what_it_became() {
    let world =
        World::with("protocols: {grpc: {endpoint: '127.0.0.1:0'}}").budget(64 * MIB).start();
    let idle = world.env.budget.bytes_used();
    world.sink.then([Then::Hold]);
    let plain = large_log(MIB);
    let body = frame(1, &compressed(Algorithm::Zlib, &plain));
    let request = Grpc::request(EXPORT_LOGS).header("grpc-encoding", "deflate");
    let mut client = world.grpc().await;
    let pending = client.start(request.body(Feed::of(body)).unwrap());
    let held = world.sink.arrivals().recv().await.unwrap().held.unwrap();
    assert_eq!(world.env.budget.bytes_used() - idle, plain.len());
    held.answer_all(&Verdict::Delivered);
    assert_eq!(code_of(pending).await, 0);
    assert_eq!(world.env.budget.bytes_used(), idle);
    world.end().await;
}

/// A gibibyte of zeros in 1.1 MiB: the same compressed mebibyte over and over.
fn gzip_bomb() -> Vec<u8> {
    let mut deflate = flate2::Compress::new(flate2::Compression::best(), false);
    let mut mebibyte = Vec::with_capacity(64 * KIB);
    deflate.compress_vec(&[0; MIB], &mut mebibyte, flate2::FlushCompress::Full).unwrap();
    let header = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    [header.as_slice(), &mebibyte.repeat(1024)].concat()
}

/// A gibibyte of zeros in 32 KiB: blocks that repeat one byte 128 Ki times (RFC 8878, 3.1.1.2).
fn zstd_bomb() -> Vec<u8> {
    let header = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x50];
    let size = 128 * KIB as u32;
    let block = ((size << 3) | 0b010).to_le_bytes();
    let block = [block[0], block[1], block[2], 0];
    [header.as_slice(), &block.repeat(8192)].concat()
}

#[tokio::test]
async fn bombs_are_cut_at_the_limit_and_the_receiver_serves_on() {
    let world = World::start();
    let idle = world.env.budget.bytes_used();
    let (gzip, zstd) = (gzip_bomb(), zstd_bomb());
    assert!(gzip.len() < 1_200_000 && zstd.len() < 40_000);
    let snappy = vec![0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0, 0, 0];
    for (name, bomb) in [("gzip", gzip), ("zstd", zstd), ("snappy", snappy)] {
        let request = Grpc::request(EXPORT_LOGS).header("grpc-encoding", name);
        let request = request.body(Feed::of(frame(1, &bomb))).unwrap();
        let answered = world.grpc().await.send(request).await.unwrap();
        assert_eq!((answered.code(), answered.details()), (8, None), "{name}");
        let request = super::client::Http::request("/v1/logs").header("content-encoding", name);
        let request = request.body(Feed::of(bomb)).unwrap();
        let answered = world.http().await.send(request).await.unwrap();
        assert_eq!(answered.http_status(), 413, "{name}");
    }
    let peak = world.env.budget.explain()[0].bytes_peak;
    assert!(peak <= idle + 24 * MIB, "at most {peak} bytes were in use");
    assert_eq!(world.grpc().await.export(&one_log()).await.code(), 0);
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_body_that_trickles_is_given_up() {
    let yaml = "
timeout: 10m
protocols: {grpc: {endpoint: '127.0.0.1:0', limits: {body_progress_timeout: 30s}}}
";
    let world = World::with(yaml).start();
    let (feeder, feed) = Feed::new();
    feeder.try_send(Bytes::from_static(&[0, 0, 0, 1, 0, 9])).unwrap();
    let began = world.env.clock.now();
    let request = Grpc::request(EXPORT_LOGS).body(feed).unwrap();
    let answered = world.grpc().await.send(request).await.unwrap();
    assert_eq!(answered.code(), 14);
    assert_eq!((world.env.clock.now() - began).as_secs(), 30);
    drop(feeder);
    world.end().await;
}
