//! How connections and the receiver itself end.

use std::io;
use std::time::Duration;

use http::Request;
use pipeline::{Component as _, Verdict};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::client::{EXPORT_LOGS, Feed, Grpc, Http, frame, one_log, open};
use super::sink::Then;
use super::world::World;

/// Everything that the server sends until it closes the connection.
async fn until_closed(mut stream: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes).await {
        Ok(_) => bytes,
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => bytes,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn what_was_sent_before_a_drain_is_answered() {
    let world = World::start();
    world.sink.then([Then::Hold, Then::Hold]);
    let mut arrivals = world.sink.arrivals();
    let (mut grpc, mut http) = (world.grpc().await, world.http().await);
    let request = Grpc::request(EXPORT_LOGS).body(Feed::of(frame(0, &one_log()))).unwrap();
    let over_grpc = grpc.start(request);
    let over_http = http.start(Http::request("/v1/logs").body(Feed::of(one_log())).unwrap());
    let held = [arrivals.recv().await.unwrap(), arrivals.recv().await.unwrap()];
    let address = world.receiver.address("grpc");
    world.receiver.drain(world.env.clock.now() + Duration::from_secs(5));
    // Who comes now is refused by the kernel, and knows that nothing of it was taken.
    while std::net::TcpStream::connect(&address).is_ok() {
        tokio::task::yield_now().await;
    }
    for arrived in held {
        arrived.held.unwrap().answer_all(&Verdict::Delivered);
    }
    assert_eq!(over_grpc.await.unwrap().unwrap().code(), 0);
    let answered = over_http.await.unwrap().unwrap();
    assert_eq!(answered.http_status(), 200);
    world.end().await;
}

#[tokio::test]
async fn a_drain_closes_connections_that_do_nothing() {
    let world = World::start();
    let mut http = world.http().await;
    assert_eq!(http.post("/v1/logs", one_log()).await.http_status(), 200);
    let mut grpc = world.grpc().await;
    assert_eq!(grpc.export(&one_log()).await.code(), 0);
    // Both clients stay connected; the end does not wait for them.
    world.end().await;
    let request = Grpc::request(EXPORT_LOGS).body(Feed::of(frame(0, &one_log()))).unwrap();
    assert!(grpc.send(request).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn what_is_not_answered_at_the_deadline_is_cut() {
    let world = World::start();
    world.sink.then([Then::Hold]);
    let mut arrivals = world.sink.arrivals();
    let mut client = world.grpc().await;
    let request = Grpc::request(EXPORT_LOGS).body(Feed::of(frame(0, &one_log()))).unwrap();
    let pending = client.start(request);
    let held = arrivals.recv().await.unwrap().held.unwrap();
    let began = world.env.clock.now();
    world.receiver.close(began + Duration::from_secs(5)).await;
    assert!(world.env.clock.now() - began < Duration::from_secs(7));
    assert!(pending.await.unwrap().is_err());
    assert!(held.contributors[0].receipt.has_left());
    held.answer_all(&Verdict::Delivered);
}

#[tokio::test]
async fn a_successor_listens_on_the_same_socket() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let yaml = format!("protocols: {{grpc: {{endpoint: '127.0.0.1:{port}'}}}}");
    let old = World::with(&yaml).start();
    let new = World::with(&yaml).beside(&old).start();
    old.end().await;
    assert_eq!(new.grpc().await.export(&one_log()).await.code(), 0);
    new.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_says_nothing_is_cut_after_10_s() {
    let world = World::start();
    for name in ["grpc", "http"] {
        let began = world.env.clock.now();
        until_closed(open(&world.receiver.address(name))).await;
        assert_eq!((world.env.clock.now() - began).as_secs(), 10, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_never_ends_is_cut_after_10_s() {
    let world = World::start();
    let mut stream = open(&world.receiver.address("http"));
    stream.write_all(b"POST /v1/logs HTTP/1.1\r\nhost: x\r\nx-slow: ").await.unwrap();
    let began = world.env.clock.now();
    until_closed(stream).await;
    assert_eq!((world.env.clock.now() - began).as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_after_5_min() {
    let world = World::start();
    let mut stream = open(&world.receiver.address("http"));
    let request = b"POST /v1/logs HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let began = world.env.clock.now();
    assert!(until_closed(stream).await.starts_with(b"HTTP/1.1 200 OK\r\n"));
    assert_eq!((world.env.clock.now() - began).as_secs(), 300);
}

#[tokio::test]
async fn heads_over_16_kib_are_refused() {
    let world = World::start();
    let request = Http::request("/v1/logs").header("x-large", "x".repeat(17 << 10));
    let answered = world.http().await.send(request.body(Feed::of("")).unwrap()).await.unwrap();
    assert_eq!(answered.http_status(), 431);
    let request = Grpc::request(EXPORT_LOGS).header("x-large", "x".repeat(17 << 10));
    let request = request.body(Feed::of(frame(0, b""))).unwrap();
    let answered = world.grpc().await.send(request).await;
    assert!(answered.is_err() || answered.unwrap().http_status() == 431);
    assert_eq!(world.grpc().await.export(&one_log()).await.code(), 0);
}

#[tokio::test]
async fn one_connection_too_many_is_closed_at_once() {
    let yaml = "protocols: {http: {endpoint: 'localhost:0', limits: {connections: 1}}}";
    let world = World::with(yaml).start();
    let mut first = world.http().await;
    assert_eq!(first.post("/v1/logs", one_log()).await.http_status(), 200);
    assert!(until_closed(open(&world.receiver.address("http"))).await.is_empty());
    assert_eq!(first.post("/v1/logs", one_log()).await.http_status(), 200);
}

#[tokio::test]
async fn garbage_ends_its_connection_only() {
    let world = World::start();
    for name in ["grpc", "http"] {
        for garbage in [
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
            b"GET / HTTP/1.1\r\n\r\n".to_vec(),
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(),
            vec![0; 1000],
        ] {
            let mut stream = open(&world.receiver.address(name));
            stream.write_all(&garbage).await.unwrap();
            stream.shutdown().await.unwrap();
            until_closed(stream).await;
        }
    }
    assert_eq!(world.grpc().await.export(&one_log()).await.code(), 0);
    assert_eq!(world.http().await.post("/v1/logs", one_log()).await.http_status(), 200);
    world.end().await;
}

#[tokio::test]
async fn an_answer_to_a_body_that_is_not_wanted_reaches_its_client() {
    let world = World::start();
    let mut client = world.http().await;
    let request = Request::post("/v1/logs")
        .header("host", "test")
        .header("content-type", "application/x-protobuf")
        .header("content-length", (25 << 20).to_string());
    let (feeder, feed) = Feed::new();
    let pending = client.start(request.body(feed).unwrap());
    for _ in 0..25 {
        feeder.try_send(vec![0; 1 << 20].into()).unwrap();
    }
    drop(feeder);
    assert_eq!(pending.await.unwrap().unwrap().http_status(), 413);
}

/// An HTTP/2 frame.
fn http2_frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    let head = [length[1], length[2], length[3], kind, flags];
    [&head, stream.to_be_bytes().as_slice(), payload].concat()
}

/// A client's preface, and requests that are taken back at once.
fn flood(requests: u32) -> Vec<u8> {
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(http2_frame(4, 0, 0, &[]));
    for stream in (0..requests).map(|number| 2 * number + 1) {
        // POST, http and `/` by their places in HPACK's static table; CANCEL.
        bytes.extend(http2_frame(1, 4, stream, &[0x83, 0x86, 0x84]));
        bytes.extend(http2_frame(3, 0, stream, &8u32.to_be_bytes()));
    }
    bytes
}

/// The error code of the GOAWAY frame among these.
fn goaway_code(mut frames: &[u8]) -> Option<u32> {
    while let Some(([a, b, c, kind, ..], rest)) = frames.split_first_chunk::<9>() {
        let (payload, rest) = rest.split_at(u32::from_be_bytes([0, *a, *b, *c]) as usize);
        if *kind == 7 {
            return Some(u32::from_be_bytes([payload[4], payload[5], payload[6], payload[7]]));
        }
        frames = rest;
    }
    None
}

#[tokio::test]
async fn a_flood_of_resets_ends_its_connection_only() {
    const ENHANCE_YOUR_CALM: u32 = 11;
    let world = World::start();
    let mut stream = open(&world.receiver.address("grpc"));
    stream.write_all(&flood(1000)).await.unwrap();
    assert_eq!(goaway_code(&until_closed(stream).await), Some(ENHANCE_YOUR_CALM));
    assert_eq!(world.grpc().await.export(&one_log()).await.code(), 0);
    world.end().await;
}

#[tokio::test]
async fn a_client_that_takes_its_requests_back_one_by_one_is_cut_as_well() {
    let world = World::start();
    let stream = open(&world.receiver.address("grpc"));
    let (mut sender, connection) = h2::client::handshake(stream).await.unwrap();
    let driven = world.env.scope.spawn("flooding client", connection);
    let mut sent = 0;
    while !driven.is_ended() {
        assert!(sent < 10_000, "the connection goes on after {sent} requests");
        let Ok(ready) = sender.ready().await else { break };
        sender = ready;
        let request = Request::post(format!("http://test{EXPORT_LOGS}"));
        let request = request.header("content-type", "application/grpc").body(()).unwrap();
        let Ok((_response, mut body)) = sender.send_request(request, false) else { break };
        // The server has to see the request before it is taken back.
        for _ in 0..5 {
            tokio::task::yield_now().await;
        }
        body.send_reset(h2::Reason::CANCEL);
        sent += 1;
    }
    assert_eq!(world.grpc().await.export(&one_log()).await.code(), 0);
    world.end().await;
}

#[tokio::test]
async fn a_connection_carries_no_more_streams_than_configured() {
    let yaml = "protocols: {grpc: {endpoint: '127.0.0.1:0', max_concurrent_streams: 2}}";
    let world = World::with(yaml).start();
    world.sink.then([Then::Hold, Then::Hold]);
    let mut arrivals = world.sink.arrivals();
    let mut client = world.grpc().await;
    let mut export = || {
        let request = Grpc::request(EXPORT_LOGS).body(Feed::of(frame(0, &one_log()))).unwrap();
        client.start(request)
    };
    let mut pending = vec![export(), export()];
    let held = [arrivals.recv().await.unwrap(), arrivals.recv().await.unwrap()];
    // By now the client knows how many it may have.
    pending.push(export());
    tokio::task::yield_now().await;
    assert!(arrivals.try_recv().is_none());
    for arrived in held {
        arrived.held.unwrap().answer_all(&Verdict::Delivered);
    }
    for answered in pending {
        assert_eq!(answered.await.unwrap().unwrap().code(), 0);
    }
    world.end().await;
}

#[tokio::test]
async fn nothing_arrives_after_the_end_however_much_is_sent() {
    let world = World::start();
    let mut arrivals = world.sink.arrivals();
    let clients = runtime::task::Scope::root("clients");
    for _ in 0..3 {
        let (mut grpc, mut http) = (world.grpc().await, world.http().await);
        let over_grpc = async move {
            let request = || Grpc::request(EXPORT_LOGS).body(Feed::of(frame(0, &one_log())));
            while grpc.send(request().unwrap()).await.is_ok() {}
        };
        let over_http = async move {
            let request = || Http::request("/v1/logs").body(Feed::of(one_log()));
            while http.send(request().unwrap()).await.is_ok() {}
        };
        clients.spawn("grpc", over_grpc).detach();
        clients.spawn("http", over_http).detach();
    }
    for _ in 0..100 {
        arrivals.recv().await.unwrap();
    }
    world.receiver.close(world.env.clock.now() + Duration::from_secs(10)).await;
    while arrivals.try_recv().is_some() {}
    clients.assert_idle(world.env.clock).await;
    assert!(arrivals.try_recv().is_none());
}
