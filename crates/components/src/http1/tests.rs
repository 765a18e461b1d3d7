//! A server that tells what it was sent, and clients that are hard to serve.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{Response, request};
use runtime::channel::{self, Ends, Receiver};
use runtime::clock::Clock;
use runtime::region::Region;
use runtime::shutdown::{self, Trigger};
use runtime::task::{Scope, Task};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

use super::{Body, Content, Patience, Settings, serve};

const SECOND: Duration = Duration::from_secs(1);
const SETTINGS: Settings = Settings {
    header_bytes_max: 4_000,
    patience: Patience {
        head: SECOND.saturating_mul(10),
        idle: SECOND.saturating_mul(300),
        write: SECOND.saturating_mul(30),
        age: None,
        grace: SECOND.saturating_mul(5),
    },
    is_kept_alive: true,
};

/// A connection and both who serve it and who would.
struct Wire {
    client: DuplexStream,
    served: Task<()>,
    drain: Trigger,
    /// One for each answer that was begun, and closed when all have ended.
    begun: Receiver<Began>,
}

/// An answer that was begun; its sender is dropped with it.
type Began = (String, Receiver<()>);

/// What a request for this path is answered, once its body was read, unless the path says otherwise.
async fn answer(head: request::Parts, mut body: Body) -> Option<Response<Content>> {
    let path = head.uri.path();
    let is_old = head.headers.contains_key("x-close");
    let content = match path {
        "/unwanted" => "no, thank you".to_owned().into(),
        "/pieces" => {
            let pieces = ["one", "", "two, which is longer"].map(Bytes::from);
            Content::Stream(futures_util::stream::iter(pieces).boxed())
        }
        "/large" => "x".repeat(3_000_000).into(),
        "/never" => {
            whole(&mut body).await?;
            std::future::pending().await
        }
        "/hang-up" => return None,
        _ => {
            let body = whole(&mut body).await;
            let body = body.map_or("lost".to_owned(), |body| format!("{body:?}"));
            format!("{} {path} {body}\n", head.method).into()
        }
    };
    let mut response = Response::new(content);
    if path == "/nothing" {
        *response.status_mut() = http::StatusCode::NO_CONTENT;
    }
    if is_old {
        response.headers_mut().insert("connection", http::HeaderValue::from_static("close"));
    }
    Some(response)
}

async fn whole(body: &mut Body) -> Option<Bytes> {
    let mut region = Region::up_to(1 << 20);
    while 0 < body.coming().await.ok()? {
        body.read(&mut region, 7_000).await.ok()?;
    }
    Some(region.into_bytes())
}

impl Wire {
    fn open() -> Self {
        Self::with(SETTINGS)
    }

    fn with(settings: Settings) -> Self {
        let (client, server) = tokio::io::duplex(8_000);
        let (drain, drained) = shutdown::signal();
        let (tell, begun) = channel::bounded(Ends { from: "answers", to: "test" }, 1_000);
        let scope = Scope::root("http1");
        let served = scope.spawn("connection", async move {
            let answer = |head: request::Parts, body| {
                let (guard, ended) = channel::bounded(Ends { from: "answer", to: "test" }, 1);
                tell.try_send((head.uri.path().to_owned(), ended)).unwrap();
                async move {
                    let answered = answer(head, body).await;
                    drop(guard);
                    answered
                }
            };
            serve(server, settings, Clock, drained.begun(), answer).await;
        });
        Self { client, served, drain, begun }
    }

    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.client.write_all(bytes.as_ref()).await.unwrap();
    }

    /// What the server says until it closes the connection, without dates.
    async fn rest(mut self) -> String {
        let mut bytes = Vec::new();
        self.client.read_to_end(&mut bytes).await.unwrap();
        dateless(bytes)
    }

    /// The next so many bytes that the server says, without dates.
    async fn next(&mut self, count: usize) -> String {
        let mut bytes = vec![0; count];
        self.client.read_exact(&mut bytes).await.unwrap();
        dateless(bytes)
    }
}

fn dateless(bytes: Vec<u8>) -> String {
    let text = String::from_utf8(bytes).unwrap();
    let is_date = |line: &&str| !line.starts_with("date: ");
    text.split_inclusive('\n').filter(is_date).collect()
}

fn ok(content: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{content}", content.len())
}

fn last(content: &str) -> String {
    let head = format!("content-length: {}\r\nconnection: close", content.len());
    format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{content}")
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")
}

fn post(path: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

const LAST: &str = "GET /last HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

/// Requests of all kinds, and their answers.
fn conversation() -> (String, String) {
    let chunked = "POST /c HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n\
                   5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nx: y\r\n\r\n";
    let old = "POST http://x/old HTTP/1.0\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nhi";
    let asked = [&get("/a"), &post("/b", "hello"), chunked, old, "\r\n", LAST].concat();
    let kept_alive =
        ok("POST /old b\"hi\"\n").replace("\r\n\r\n", "\r\nconnection: keep-alive\r\n\r\n");
    let told = [
        ok("GET /a b\"\"\n"),
        ok("POST /b b\"hello\"\n"),
        ok("POST /c b\"hello world\"\n"),
        kept_alive,
        last("GET /last b\"\"\n"),
    ];
    (asked, told.concat())
}

#[tokio::test]
async fn answers_one_request_after_the_other_wherever_they_are_cut() {
    let (asked, told) = conversation();
    for at in 0..asked.len() {
        let mut wire = Wire::open();
        wire.send(&asked[..at]).await;
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        wire.send(&asked[at..]).await;
        assert_eq!(wire.rest().await, told, "cut at {at}");
    }
}

#[tokio::test]
async fn answers_what_comes_byte_by_byte() {
    let (asked, told) = conversation();
    let mut wire = Wire::open();
    for byte in asked.as_bytes() {
        wire.send([*byte]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(wire.rest().await, told);
}

#[tokio::test]
async fn answers_requests_that_are_sent_ahead_in_order() {
    let mut wire = Wire::open();
    // More than is read ahead, and more than the wire holds.
    let (mut asked, mut told) = (String::new(), String::new());
    for number in 0..300 {
        asked += &post(&format!("/{number}"), "body");
        told += &ok(&format!("POST /{number} b\"body\"\n"));
    }
    asked += LAST;
    told += &last("GET /last b\"\"\n");
    let (mut reading, mut writing) = tokio::io::split(wire.client);
    let sending = async { writing.write_all(asked.as_bytes()).await.unwrap() };
    let mut bytes = Vec::new();
    let (_, read) = tokio::join!(sending, reading.read_to_end(&mut bytes));
    read.unwrap();
    assert_eq!(dateless(bytes), told);
    assert_eq!(wire.begun.recv().await.unwrap().0, "/0");
}

#[tokio::test]
async fn a_client_that_leaves_ends_its_answer() {
    let mut wire = Wire::open();
    wire.send(post("/never", "hello") + &get("/ahead")).await;
    let (path, mut ended) = wire.begun.recv().await.unwrap();
    assert_eq!(path, "/never");
    drop(wire.client);
    assert_eq!(ended.recv().await, None);
    assert_eq!(wire.served.await, Ok(()));
    assert!(wire.begun.recv().await.is_none(), "what was sent ahead is not answered");
}

#[tokio::test]
async fn a_client_that_leaves_within_its_body_is_told_that_it_is_lost() {
    let mut wire = Wire::open();
    wire.send(&post("/a", "hello")[..50]).await;
    wire.client.shutdown().await.unwrap();
    assert_eq!(wire.rest().await, last("POST /a lost\n"));
}

#[tokio::test]
async fn a_client_that_waits_to_be_told_is_told_when_its_body_is_wanted() {
    let expecting = post("/a", "").replace("length: 0", "length: 5\r\nexpect: 100-continue");
    let mut wire = Wire::open();
    wire.send(&expecting).await;
    assert_eq!(wire.next(25).await, "HTTP/1.1 100 Continue\r\n\r\n");
    wire.send(["hello", LAST].concat()).await;
    let told = [ok("POST /a b\"hello\"\n"), last("GET /last b\"\"\n")];
    assert_eq!(wire.rest().await, told.concat());

    let mut impatient = Wire::open();
    impatient.send([&expecting, "hello", LAST].concat()).await;
    assert_eq!(impatient.rest().await, told.concat());

    let mut unwanted = Wire::open();
    unwanted.send(expecting.replace("/a", "/unwanted")).await;
    assert_eq!(unwanted.rest().await, last("no, thank you"));
}

#[tokio::test]
async fn what_could_be_read_in_two_ways_is_answered_once_and_nothing_behind_it() {
    let smuggled = get("/smuggled");
    for (headers, body, status) in [
        ("content-length: 4\r\ntransfer-encoding: chunked", "0\r\n\r\n", "400 Bad Request"),
        ("content-length: 4\r\ncontent-length: 5", "abcd", "400 Bad Request"),
        ("transfer-encoding: chunked\r\ntransfer-encoding: x", "0\r\n\r\n", "501 Not Implemented"),
        ("transfer-encoding: chunked", "5\nhello\r\n0\r\n\r\n", "400 Bad Request"),
        ("transfer-encoding: chunked", "-1\r\n", "400 Bad Request"),
        ("transfer-encoding: chunked", "fffffffffffffffff\r\n", "400 Bad Request"),
        ("x: y\r\n z", "", "400 Bad Request"),
        ("host: y", "", "400 Bad Request"),
    ] {
        let mut wire = Wire::open();
        wire.send(format!("POST / HTTP/1.1\r\nhost: x\r\n{headers}\r\n\r\n{body}{smuggled}")).await;
        let told = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        assert_eq!(wire.rest().await, told, "{headers}");
    }
}

#[tokio::test]
async fn heads_that_are_too_large_and_other_protocols_are_told_so() {
    let large = get(&"x".repeat(5_000));
    for (asked, status) in [
        (large.as_bytes(), "431 Request Header Fields Too Large"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "400 Bad Request"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400 Bad Request"),
        (&[0; 1000], "400 Bad Request"),
    ] {
        let mut wire = Wire::open();
        wire.send(asked).await;
        let told = wire.rest().await;
        assert!(told.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{told}");
    }
}

#[tokio::test]
async fn old_clients_are_sent_no_chunks() {
    let pieces = "GET /pieces HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut wire = Wire::open();
    wire.send([pieces, LAST].concat()).await;
    let chunks = "3\r\none\r\n14\r\ntwo, which is longer\r\n0\r\n\r\n";
    let told = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{chunks}");
    assert_eq!(wire.rest().await, told + &last("GET /last b\"\"\n"));

    let mut old = Wire::open();
    old.send(pieces.replace("1.1", "1.0").replace("host: x", "connection: keep-alive")).await;
    let told = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nonetwo, which is longer";
    assert_eq!(old.rest().await, told);
}

#[tokio::test]
async fn answers_without_content_have_none() {
    let mut wire = Wire::open();
    wire.send([&get("/a").replace("GET", "HEAD"), &get("/nothing"), LAST].concat()).await;
    let told = [
        "HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        &last("GET /last b\"\"\n"),
    ];
    assert_eq!(wire.rest().await, told.concat());
}

#[tokio::test]
async fn an_answer_may_end_its_connection() {
    for (settings, asked) in [
        (Settings { is_kept_alive: false, ..SETTINGS }, get("/a")),
        (SETTINGS, get("/a").replace("host", "x-close: y\r\nhost")),
        (SETTINGS, get("/a").replace("1.1", "1.0")),
    ] {
        let mut wire = Wire::with(settings);
        wire.send(asked + &get("/b")).await;
        assert_eq!(wire.rest().await, last("GET /a b\"\"\n"));
    }
    let mut wire = Wire::open();
    wire.send(get("/hang-up")).await;
    assert_eq!(wire.rest().await, "");
}

#[tokio::test]
async fn a_body_that_is_not_wanted_is_read_so_that_the_answer_is_heard() {
    let mut wire = Wire::open();
    wire.send(post("/unwanted", &"x".repeat(1_000_000)) + LAST).await;
    assert_eq!(wire.rest().await, ok("no, thank you") + &last("GET /last b\"\"\n"));
    // An answer that is larger than the wire, and a client that sends all before it reads.
    let mut wire = Wire::open();
    wire.send(post("/large", &"x".repeat(1_000_000)) + LAST).await;
    assert!(wire.rest().await.ends_with(&last("GET /last b\"\"\n")));
    // What is too much to be read is not promised to be.
    let mut wire = Wire::open();
    wire.send(post("/unwanted", "").replace("length: 0", "length: 100000000")).await;
    assert_eq!(wire.rest().await, last("no, thank you"));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_not_wanted_is_waited_for_for_5_s() {
    let mut wire = Wire::open();
    wire.send(post("/unwanted", "").replace("length: 0", "length: 10")).await;
    let began = Clock.now();
    assert_eq!(wire.rest().await, ok("no, thank you"));
    assert_eq!(Clock.now() - began, 5 * SECOND);
}

#[tokio::test]
async fn a_drain_ends_idle_connections_and_those_that_are_busy_after_their_answer() {
    let mut idle = Wire::open();
    idle.send(get("/a")).await;
    assert_eq!(idle.next(ok("GET /a b\"\"\n").len() + 37).await, ok("GET /a b\"\"\n"));
    idle.drain.begin(Clock.now());
    assert_eq!(idle.rest().await, "");

    let mut busy = Wire::open();
    busy.send(&post("/a", "hello")[..50]).await;
    busy.begun.recv().await.unwrap();
    busy.drain.begin(Clock.now());
    tokio::task::yield_now().await;
    busy.send(post("/a", "hello")[50..].to_owned() + &get("/b")).await;
    assert_eq!(busy.rest().await, last("POST /a b\"hello\"\n"));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_take_its_answer_is_cut() {
    let mut wire = Wire::open();
    wire.send(get("/large")).await;
    wire.begun.recv().await.unwrap();
    let began = Clock.now();
    assert_eq!(wire.served.await, Ok(()));
    assert_eq!(Clock.now() - began, 30 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn heads_have_to_come_in_time_each_from_its_first_byte() {
    let mut wire = Wire::open();
    wire.send(get("/a") + "GET /half").await;
    let began = Clock.now();
    assert_eq!(wire.rest().await, ok("GET /a b\"\"\n"));
    assert_eq!(Clock.now() - began, 10 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn what_is_there_in_time_is_answered_however_late_it_is_read() {
    let mut wire = Wire::open();
    tokio::task::yield_now().await;
    wire.send(LAST).await;
    tokio::time::advance(11 * SECOND).await;
    assert_eq!(wire.rest().await, last("GET /last b\"\"\n"));
}

#[tokio::test]
async fn a_connection_without_a_request_is_small() {
    let (_client, server) = tokio::io::duplex(1);
    let answer = |head, body| async move {
        let answered = answer(head, body).await;
        // An answer that keeps much while it is made.
        let room = [0_u8; 10_000];
        std::future::ready(()).await;
        answered.filter(|_| room[0] == 0)
    };
    let served = serve(server, SETTINGS, Clock, std::future::pending::<()>(), answer);
    let bytes = size_of_val(&served);
    assert!(bytes < 4_000, "{bytes}");
}
