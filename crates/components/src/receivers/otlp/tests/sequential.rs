//! HTTP/1.1 byte by byte, as clients other than hyper's speak it.

use pipeline::Verdict;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::client::{large_log, one_log, open};
use super::sink::Then;
use super::world::World;

const HEAD: &str =
    "POST /v1/logs HTTP/1.1\r\nHost: test\r\nContent-Type: application/x-protobuf\r\n";

fn sized(body: &[u8]) -> Vec<u8> {
    let head = format!("{HEAD}Content-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn chunked(body: &[u8], chunk_bytes: usize) -> Vec<u8> {
    let mut bytes = format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n").into_bytes();
    for chunk in body.chunks(chunk_bytes) {
        bytes.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
        bytes.extend([chunk, b"\r\n"].concat());
    }
    bytes.extend(b"0\r\nx-checksum: 7\r\n\r\n");
    bytes
}

/// The head of the next answer, whose body is empty.
async fn head(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn bodies_arrive_whole_however_they_are_framed() {
    let world = World::start();
    let mut arrivals = world.sink.arrivals();
    let mut stream = open(&world.receiver.address("http"));
    for bytes in [10, 20_000, 300_000, 3_000_000] {
        let body = large_log(bytes);
        for request in [sized(&body), chunked(&body, 100_000), chunked(&body, 999)] {
            let (mut reading, mut writing) = stream.split();
            let sending = async { writing.write_all(&request).await.unwrap() };
            let (arrived, ()) = tokio::join!(arrivals.recv(), sending);
            assert!(arrived.unwrap().payload.to_bytes() == body, "{bytes}");
            let mut status = [0; 15];
            reading.read_exact(&mut status).await.unwrap();
            assert_eq!(&status, b"HTTP/1.1 200 OK");
            head(&mut stream).await;
        }
    }
    drop(stream);
    world.end().await;
}

#[tokio::test]
async fn a_request_is_the_same_wherever_it_is_cut() {
    let world = World::start();
    let mut stream = open(&world.receiver.address("http"));
    let body = one_log();
    for request in [sized(&body), chunked(&body, 5)] {
        for at in 1..request.len() {
            stream.write_all(&request[..at]).await.unwrap();
            tokio::task::yield_now().await;
            stream.write_all(&request[at..]).await.unwrap();
            assert!(head(&mut stream).await.starts_with("HTTP/1.1 200 OK\r\n"), "{at}");
        }
    }
    drop(stream);
    world.end().await;
}

#[tokio::test]
async fn a_chunk_over_the_limit_is_refused_when_it_is_announced() {
    let yaml = "protocols: {http: {endpoint: 'localhost:0', max_request_body_size: 100000}}";
    let world = World::with(yaml).start();
    let mut stream = open(&world.receiver.address("http"));
    let announced = format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n186a1\r\n");
    stream.write_all(announced.as_bytes()).await.unwrap();
    let mut status = [0; 12];
    stream.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 413");
    drop(stream);
    world.end().await;
}

#[tokio::test]
async fn what_is_smuggled_behind_a_request_reaches_nobody() {
    let world = World::start();
    let mut arrivals = world.sink.arrivals();
    let smuggled = sized(&one_log());
    for headers in [
        "Content-Length: 0\r\nTransfer-Encoding: chunked",
        "Content-Length: 0\r\nContent-Length: 5",
    ] {
        let mut stream = open(&world.receiver.address("http"));
        let request = format!("{HEAD}{headers}\r\n\r\n0\r\n\r\n");
        stream.write_all(&[request.as_bytes(), &smuggled].concat()).await.unwrap();
        let mut answers = Vec::new();
        stream.read_to_end(&mut answers).await.unwrap();
        let answers = String::from_utf8(answers).unwrap();
        assert!(answers.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answers}");
        assert_eq!(answers.matches("HTTP/1.1").count(), 1);
    }
    assert!(arrivals.try_recv().is_none());
    world.end().await;
}

#[tokio::test]
async fn a_client_that_waits_for_its_answer_holds_its_body_and_no_buffer() {
    let world = World::start();
    world.sink.then([Then::Hold]);
    let idle = world.env.budget.bytes_used();
    let mut stream = open(&world.receiver.address("http"));
    let body = large_log(100_000);
    stream.write_all(&sized(&body)).await.unwrap();
    let held = world.sink.arrivals().recv().await.unwrap().held.unwrap();
    assert_eq!(world.env.budget.bytes_used() - idle, body.len());
    held.answer_all(&Verdict::Delivered);
    assert!(head(&mut stream).await.starts_with("HTTP/1.1 200 OK\r\n"));
    drop(stream);
    world.end().await;
}
