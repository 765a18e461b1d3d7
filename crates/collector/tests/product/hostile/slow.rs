//! Slow: clients that take their time, and clients that only come to stay.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use runtime::clock::Clock;

use super::client::{
    self, Answered, EXPORT_LOGS, Grpc, block, connect, message_frame, one_log, pause, read_all,
};
use super::frames::{END_HEADERS, HEADERS, RST_STREAM, Raw, frame, header};
use super::target::{Setup, Target, eventually};

/// Limits short enough to be waited for.
const SHORT: &str = "limits: {handshake_timeout: 500ms, body_progress_timeout: 500ms}";
const SHORT_HTTP: &str = "read_header_timeout: 500ms, idle_timeout: 500ms, \
                          limits: {body_progress_timeout: 500ms}";
/// By then all of them have passed.
const SOON: Duration = Duration::from_secs(10);

fn impatient() -> Target {
    Target::with(&Setup { grpc: SHORT, http: SHORT_HTTP, ..Setup::default() })
}

/// Writes a byte at a time until the server answers or closes; gives what it said.
fn trickle(mut stream: TcpStream, bytes: &[u8]) -> Vec<u8> {
    let began = Clock.now();
    stream.set_nonblocking(true).unwrap();
    let mut bytes = bytes.iter().cycle();
    let mut answer = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        assert!(Clock.now() - began < SOON, "the server waits for ever");
        match stream.read(&mut buffer) {
            Ok(0) => return answer,
            Ok(count) => answer.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                stream.write_all(&[*bytes.next().unwrap()]).ok();
                pause();
            }
            Err(_) => return answer,
        }
    }
}

#[test]
fn heads_that_trickle_are_given_up() {
    let target = impatient();
    let mut stream = connect(target.http);
    stream.write_all(b"POST /v1/logs HTTP/1.1\r\nhost: x\r\n").unwrap();
    let answer = trickle(stream, b"x-slow: y\r\n");
    assert!(Answered::parse(&answer).is_none_or(|answer| answer.status == 408), "{answer:?}");
    // Neither does a client get in that says nothing at all, or half a preface.
    for greeting in [&b""[..], b"PRI * HTTP/2.0\r\n"] {
        for port in [target.grpc, target.http] {
            let mut stream = connect(port);
            stream.write_all(greeting).unwrap();
            read_all(&mut stream);
        }
    }
    target.assert_unharmed();
}

#[test]
fn bodies_that_trickle_are_given_up_with_a_delay() {
    let target = impatient();
    let mut stream = connect(target.http);
    let head = "POST /v1/logs HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n\
                connection: close\r\ncontent-length: 100000\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let answer = trickle(stream, b"x");
    let answered = Answered::parse(&answer).unwrap();
    assert!(answered.status == 503 && answered.has_delay(), "{}", answered.head);

    let rpc = block(async {
        let mut grpc = Grpc::connect(target.grpc).await;
        let (response, mut stream) = grpc.open(EXPORT_LOGS, "identity").await.unwrap();
        stream.send_data(vec![0, 0, 1, 0, 0].into(), false).unwrap();
        let fed = async {
            loop {
                Clock.sleep(Duration::from_millis(10)).await;
                stream.send_data(vec![b'x'].into(), false).ok();
            }
        };
        tokio::select! { rpc = client::answer(response) => rpc, () = fed => unreachable!() }
    });
    assert!(rpc.code == Some(14) && rpc.has_delay(), "{rpc:?}");
    target.assert_unharmed();
}

#[test]
fn header_blocks_that_never_end_are_given_up() {
    let keepalive = "keepalive: {server_parameters: {max_connection_idle: 500ms, \
                     max_connection_age_grace: 500ms}}";
    let target = Target::with(&Setup { grpc: keepalive, ..Setup::default() });
    let mut raw = Raw::open(target.grpc);
    raw.send(&frame(HEADERS, 0, 1, &header(":method", "POST")));
    raw.until_closed();
    target.assert_unharmed();
}

#[test]
fn idle_connections_cost_little_and_no_more_than_allowed_are_kept() {
    let room = open_files_max().saturating_sub(200) / 2;
    let connections = room.min(2_000);
    let limits = format!("limits: {{connections: {connections}}}");
    let target = Target::with(&Setup { grpc: &limits, http: &limits, ..Setup::default() });
    let before = target.status_kib("VmRSS:");
    let mut idle: Vec<TcpStream> = (0..connections).map(|_| connect(target.http)).collect();
    // A request each, so that none of them is merely in the kernel's queue.
    for stream in &mut idle {
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    }
    for stream in &mut idle {
        let mut buffer = [0; 1024];
        assert!(0 < stream.read(&mut buffer).unwrap());
    }
    let each_kib = target.status_kib("VmRSS:").saturating_sub(before) / connections as u64;
    assert!(each_kib <= 48, "an idle connection costs {each_kib} KiB");
    // One too many learns so at once; when one leaves there is room again.
    assert_eq!(read_all(&mut connect(target.http)), Some(Vec::new()));
    drop(idle.pop());
    eventually("a freed place is given away", || {
        let mut stream = connect(target.http);
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").ok();
        stream.read(&mut [0; 16]).is_ok_and(|count| 0 < count)
    });
    drop(idle);
    eventually("all places are free", || {
        target.assert_bounded(200);
        client::try_post(target.http, &one_log()).is_some_and(|answered| answered.status == 200)
    });
    target.assert_unharmed();
}

/// The most files that this process, and those it starts, may have open.
fn open_files_max() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    line.unwrap().split_whitespace().next().unwrap().parse().unwrap_or(usize::MAX)
}

#[test]
fn a_client_that_stops_reading_stops_being_served() {
    let target = Target::with(&Setup { http: "write_timeout: 1s", ..Setup::default() });
    let mut stream = connect(target.http);
    stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    // Answers pile up in the kernel until the server neither reads nor writes.
    let body = one_log();
    let request = format!(
        "POST /v1/logs HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    let requests = [request.as_bytes(), &body].concat().repeat(1_000);
    let began = Clock.now();
    while Clock.now() - began < SOON && stream.write_all(&requests).is_ok() {}
    // It is cut, although it never said goodbye.
    eventually("the connection is cut", || {
        stream.set_nonblocking(true).unwrap();
        stream.write_all(b"x").is_err_and(|error| error.kind() != ErrorKind::WouldBlock)
    });
    target.assert_unharmed();
}

#[test]
fn a_stream_that_the_client_resets_ends_with_its_memory() {
    let target = impatient();
    for _ in 0..20 {
        let mut raw = Raw::open(target.grpc);
        for id in [1, 3, 5, 7] {
            let block = super::frames::export_block();
            raw.send(&frame(HEADERS, END_HEADERS, id, &block));
            let message = message_frame(0, &[b'x'; 15_000]);
            raw.send(&frame(super::frames::DATA, 0, id, &message));
            raw.send(&frame(RST_STREAM, 0, id, &8_u32.to_be_bytes()));
        }
    }
    target.assert_unharmed();
}
