//! A server, by the sections of RFC 9113.

use bytes::BytesMut;
use http::{HeaderMap, HeaderValue, Response};

use super::LIMITS;
use super::raw::{
    ACK, CONTINUATION, DATA, END, GOAWAY, HEADERS, PADDED, PING, POST, PRIORITY, PUSH_PROMISE,
    RST_STREAM, SETTINGS, Tested, WHOLE, WINDOW_UPDATE, frame, literal, setting,
};
use crate::http2::frame::PREFACE;
use crate::http2::{Connection, Reason};

/// What a server makes of these frames.
fn events(frames: &[Vec<u8>]) -> Vec<String> {
    Tested::server().receive(&frames.concat()).unwrap()
}

/// Why a server ends the connection after these frames; the client is told.
fn fault(frames: &[Vec<u8>]) -> Reason {
    let mut server = Tested::server();
    let fault = server.receive(&frames.concat()).unwrap_err();
    assert!(!server.connection.is_over(), "the client has to hear of it");
    let said = server.sent();
    let goaway = said.iter().find(|line| line.starts_with("goaway")).unwrap();
    assert!(goaway.ends_with(&format!("{:?}", fault.reason)), "{goaway}");
    assert!(server.connection.is_over());
    fault.reason
}

/// Events, and the frames that a server answers with.
fn both(frames: &[Vec<u8>]) -> (Vec<String>, Vec<String>) {
    let mut server = Tested::server();
    (server.receive(&frames.concat()).unwrap(), server.sent())
}

fn post(stream: u32) -> Vec<u8> {
    frame(HEADERS, WHOLE, stream, POST)
}

fn grow(stream: u32, bytes: u32) -> Vec<u8> {
    frame(WINDOW_UPDATE, 0, stream, &bytes.to_be_bytes())
}

fn reset(stream: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes())
}

#[test]
fn reads_a_request_with_its_body_and_trailers() {
    let trailers = frame(HEADERS, WHOLE | END, 1, &literal("x-sum", "1"));
    let found = events(&[post(1), frame(DATA, 0, 1, b"hello"), trailers]);
    assert_eq!(found, ["POST / 1", "data 1: 5", "trailers 1"]);
    assert_eq!(events(&[frame(HEADERS, WHOLE | END, 1, POST)]), ["POST / 1 end"]);
    let found = events(&[post(1), frame(DATA, END, 1, b"")]);
    assert_eq!(found, ["POST / 1", "data 1: 0 end"]);
}

#[test]
fn reads_blocks_in_pieces_padding_and_priorities() {
    let first = frame(HEADERS, 0, 1, &POST[..1]);
    let found = events(&[first, frame(CONTINUATION, WHOLE, 1, &POST[1..])]);
    assert_eq!(found, ["POST / 1"]);
    let padded = [&[2], POST, &[0, 0]].concat();
    let with_priority = [&[0, 0, 0, 0, 9], POST].concat();
    let found = events(&[
        frame(HEADERS, WHOLE | PADDED, 1, &padded),
        frame(HEADERS, WHOLE | 0x20, 3, &with_priority),
        frame(DATA, PADDED, 1, &[3, b'x', 0, 0, 0]),
        frame(PRIORITY, 0, 7, &[0; 5]),
        frame(0xbe, 0xff, 5, b"unknown"),
        frame(DATA, PADDED | END, 3, &[0]),
    ]);
    assert_eq!(found, ["POST / 1", "POST / 3", "data 1: 1", "data 3: 0 end"]);
}

#[test]
fn the_first_words_are_a_preface_and_settings() {
    let mut server = Connection::server(LIMITS);
    for byte in PREFACE {
        assert_eq!(server.receive(&mut BytesMut::from(&[*byte][..])).is_ok(), *byte == b'P');
        if *byte != b'P' {
            break;
        }
    }
    let garbage = Connection::server(LIMITS).receive(&mut BytesMut::from("GET / HTTP/1.1\r\n"));
    assert_eq!(garbage.unwrap_err().reason, Reason::PROTOCOL_ERROR);
    let mut hello = BytesMut::from(PREFACE.as_slice());
    hello.extend_from_slice(&frame(PING, 0, 0, &[0; 8]));
    assert!(Connection::server(LIMITS).receive(&mut hello).is_err());
}

#[test]
fn frames_that_cannot_be_end_the_connection() {
    let protocol = Reason::PROTOCOL_ERROR;
    for (reason, name, bytes) in [
        (protocol, "data of no stream", frame(DATA, 0, 0, b"x")),
        (protocol, "data of an idle stream", frame(DATA, 0, 1, b"x")),
        (protocol, "headers of no stream", frame(HEADERS, WHOLE, 0, POST)),
        (protocol, "an even stream", frame(HEADERS, WHOLE, 2, POST)),
        (protocol, "a reset of an idle stream", reset(1)),
        (protocol, "a window of an idle stream", grow(1, 1)),
        (protocol, "a connection's window that does not grow", grow(0, 0)),
        (protocol, "settings of a stream", frame(SETTINGS, 0, 1, &[])),
        (protocol, "a ping of a stream", frame(PING, 0, 1, &[0; 8])),
        (protocol, "a farewell of a stream", frame(GOAWAY, 0, 1, &[0; 8])),
        (protocol, "a push", frame(PUSH_PROMISE, WHOLE, 1, &[0; 8])),
        (protocol, "a continuation of nothing", frame(CONTINUATION, WHOLE, 1, POST)),
        (protocol, "padding without end", frame(HEADERS, WHOLE | PADDED, 1, &[9, 0x83])),
        (protocol, "push neither on nor off", frame(SETTINGS, 0, 0, &setting(2, 2))),
        (protocol, "tiny frames", frame(SETTINGS, 0, 0, &setting(5, 1_000))),
        (Reason::FLOW_CONTROL_ERROR, "huge windows", frame(SETTINGS, 0, 0, &setting(4, 1 << 31))),
        (Reason::FLOW_CONTROL_ERROR, "a huge window", grow(0, (1 << 31) - 1)),
        (Reason::FRAME_SIZE_ERROR, "half a setting", frame(SETTINGS, 0, 0, &[0; 5])),
        (Reason::FRAME_SIZE_ERROR, "an acknowledgement of some", frame(SETTINGS, ACK, 0, &[0; 6])),
        (Reason::FRAME_SIZE_ERROR, "a short ping", frame(PING, 0, 0, &[0; 7])),
        (Reason::FRAME_SIZE_ERROR, "a short farewell", frame(GOAWAY, 0, 0, &[0; 7])),
        (
            Reason::FRAME_SIZE_ERROR,
            "a long reset",
            [post(1), frame(RST_STREAM, 0, 1, &[0; 5])].concat(),
        ),
        (Reason::FRAME_SIZE_ERROR, "a long window", frame(WINDOW_UPDATE, 0, 0, &[0; 5])),
        (Reason::FRAME_SIZE_ERROR, "a long frame", frame(DATA, 0, 1, &[0; 16_385])),
        (Reason::COMPRESSION_ERROR, "a broken block", frame(HEADERS, WHOLE, 1, &[0xff; 9])),
    ] {
        assert_eq!(fault(&[bytes]), reason, "{name}");
    }
    let interrupted = fault(&[frame(HEADERS, 0, 1, POST), frame(PING, 0, 0, &[0; 8])]);
    assert_eq!(interrupted, Reason::PROTOCOL_ERROR);
    let other = fault(&[frame(HEADERS, 0, 1, POST), frame(CONTINUATION, WHOLE, 3, POST)]);
    assert_eq!(other, Reason::PROTOCOL_ERROR);
    let padding = fault(&[post(1), frame(DATA, PADDED, 1, &[1])]);
    assert_eq!(padding, Reason::PROTOCOL_ERROR);
}

/// A request whose header list is not one.
fn refused(block: &[u8]) {
    let (events, answers) = both(&[frame(HEADERS, WHOLE | END, 1, block)]);
    assert_eq!(
        (events, answers),
        (vec![], vec!["reset 1: PROTOCOL_ERROR".to_owned()]),
        "{block:?}"
    );
}

#[test]
fn malformed_requests_are_reset() {
    let with = |name: &str, value: &str| [POST, &literal(name, value)].concat();
    refused(&[0x83, 0x86]);
    refused(&[0x86, 0x84]);
    refused(&[0x83, 0x83, 0x86, 0x84]);
    refused(&[POST, &[0x88]].concat());
    refused(&[&literal("x-early", "1"), POST].concat());
    refused(&with("X-Upper", "1"));
    refused(&with("connection", "close"));
    refused(&with("te", "gzip"));
    refused(&with(":unknown", "1"));
    refused(&with("x-broken", "a\nb"));
    refused(&with("content-length", "5"));
    refused(&with("content-length", "+0"));
    let fine = [POST, &literal("te", "trailers"), &literal("content-length", "0")].concat();
    assert_eq!(events(&[frame(HEADERS, WHOLE | END, 1, &fine)]), ["POST / 1 end"]);
}

#[test]
fn a_body_is_as_long_as_declared() {
    let head = [POST, &literal("content-length", "5")].concat();
    let head = frame(HEADERS, WHOLE, 1, &head);
    for (bytes, flags) in [(6, 0), (4, END), (6, END)] {
        let found = events(&[head.clone(), frame(DATA, flags, 1, &b"123456"[..bytes])]);
        assert_eq!(found, ["POST / 1", "broken 1: PROTOCOL_ERROR"], "{bytes}");
    }
    let found = events(&[head.clone(), frame(DATA, END, 1, b"12345")]);
    assert_eq!(found, ["POST / 1", "data 1: 5 end"]);
    let early = frame(HEADERS, WHOLE | END, 1, &literal("x-sum", "1"));
    assert_eq!(events(&[head, early]), ["POST / 1", "broken 1: PROTOCOL_ERROR"]);
}

#[test]
fn nothing_follows_the_end_of_a_stream() {
    let ended = frame(HEADERS, WHOLE | END, 1, POST);
    for more in [frame(DATA, 0, 1, b"x"), frame(HEADERS, WHOLE | END, 1, &literal("a", "b"))] {
        let (events, answers) = both(&[ended.clone(), more]);
        assert_eq!(events, ["POST / 1 end", "broken 1: STREAM_CLOSED"]);
        assert_eq!(answers, ["reset 1: STREAM_CLOSED"]);
    }
    // Of a stream that is gone nothing is said.
    let (events, answers) = both(&[post(1), reset(1), frame(DATA, END, 1, b"x"), grow(1, 0)]);
    assert_eq!(events, ["POST / 1", "taken back 1: CANCEL"]);
    assert_eq!(answers, [""; 0]);
}

#[test]
fn more_data_than_allowed_is_an_error() {
    let full = frame(DATA, 0, 1, &[0; 16_384]);
    let rest = frame(DATA, 0, 1, &[0; 16_383]);
    let (events, answers) =
        both(&[post(1), full.repeat(3), rest, post(3), frame(DATA, 0, 1, b"x")]);
    assert_eq!(events.last().unwrap(), "broken 1: FLOW_CONTROL_ERROR");
    assert_eq!(answers.last().unwrap(), "reset 1: FLOW_CONTROL_ERROR");
    let filled = |id| {
        let full = frame(DATA, 0, id, &[0; 16_384]).repeat(3);
        [post(id), full, frame(DATA, 0, id, &[0; 16_383])].concat()
    };
    let found = fault(&[filled(1), filled(3), post(5), frame(DATA, 0, 5, b"x")]);
    assert_eq!(found, Reason::FLOW_CONTROL_ERROR);
}

#[test]
fn windows_open_when_half_was_released() {
    let mut server = Tested::server();
    let data = frame(DATA, 0, 1, &[0; 16_384]);
    server.receive(&[post(1), data.repeat(3)].concat()).unwrap();
    server.connection.release(1, 32_767);
    assert_eq!(server.sent(), ["window_update 1: 32767"]);
    server.connection.release(1, 16_385);
    server.receive(&frame(DATA, 0, 1, &[0; 16_384])).unwrap();
    server.connection.release(1, 16_383);
    assert_eq!(server.sent(), ["window_update 0: 65535", "window_update 1: 32768"]);
    // What a stream brought that nobody knows any more is released at once.
    let mut server = Tested::server();
    server.receive(&[post(1), reset(1), data.repeat(4)].concat()).unwrap();
    assert_eq!(server.sent(), ["window_update 0: 65536"]);
}

#[test]
fn answers_wait_for_windows_and_take_turns() {
    let mut server = Tested::server();
    let small = frame(SETTINGS, 0, 0, &setting(4, 10_000));
    let request = |id| frame(HEADERS, WHOLE | END, id, POST);
    server.receive(&[small, request(1), request(3)].concat()).unwrap();
    let (head, ()) = Response::new(()).into_parts();
    let trailers = HeaderMap::from_iter([(http::header::AGE, HeaderValue::from_static("1"))]);
    for stream in [1, 3] {
        server.connection.respond(stream, &head, false);
        server.connection.send(stream, vec![0; 20_000].into());
        server.connection.send(stream, vec![0; 5_000].into());
        server.connection.finish(stream, Some(trailers.clone()));
    }
    let sent = server.sent().split_off(3);
    assert_eq!(sent, ["data 1: 10000", "data 3: 10000"]);
    assert!(server.connection.is_stuck());
    server.receive(&[grow(3, 20_000), grow(1, 1)].concat()).unwrap();
    let sent = server.sent();
    assert_eq!(sent, ["data 3: 15000", "headers 3: (\"age\", \"1\") end", "data 1: 1"]);
    assert_eq!((server.connection.unsent(1), server.connection.unsent(3)), (Some(14_999), None));
    assert_eq!(server.connection.streams(), 1);
    // The connection's window is 65,535 and 35,001 of it are used.
    server.receive(&[request(5), grow(1, 60_000), grow(5, 60_000)].concat()).unwrap();
    server.connection.respond(5, &head, false);
    server.connection.send(5, vec![0; 50_000].into());
    server.sent();
    assert!(server.connection.is_stuck());
    server.receive(&grow(0, 100_000)).unwrap();
    server.sent();
    assert_eq!((server.connection.unsent(1), server.connection.unsent(5)), (None, None));
}

#[test]
fn a_window_that_shrinks_below_zero_is_waited_for() {
    let mut server = Tested::server();
    server.receive(&frame(HEADERS, WHOLE | END, 1, POST)).unwrap();
    let (head, ()) = Response::new(()).into_parts();
    server.connection.respond(1, &head, false);
    server.connection.send(1, vec![0; 50_000].into());
    server.sent();
    server.connection.send(1, b"more".to_vec().into());
    server.receive(&frame(SETTINGS, 0, 0, &setting(4, 0))).unwrap();
    assert_eq!(server.sent(), ["settings ack"]);
    server.receive(&grow(1, 50_000)).unwrap();
    assert_eq!(server.sent(), [""; 0]);
    server.receive(&grow(1, 2)).unwrap();
    assert_eq!(server.sent(), ["data 1: 2"]);
}

#[test]
fn a_window_that_does_not_grow_or_grows_too_far_costs_its_stream() {
    for (bytes, reason) in [(0, "PROTOCOL_ERROR"), ((1 << 31) - 1, "FLOW_CONTROL_ERROR")] {
        let (events, answers) = both(&[post(1), grow(1, bytes)]);
        assert_eq!(events, ["POST / 1".to_owned(), format!("broken 1: {reason}")]);
        assert_eq!(answers, [format!("reset 1: {reason}")]);
    }
}

#[test]
fn an_early_answer_ends_the_request() {
    let mut server = Tested::server();
    server.receive(&post(1)).unwrap();
    let (head, ()) = Response::new(()).into_parts();
    server.connection.respond(1, &head, true);
    let sent = server.sent();
    assert_eq!(sent, ["headers 1: (Status, \"200\") end", "reset 1: NO_ERROR"]);
    assert_eq!(server.connection.streams(), 0);
}

#[test]
fn requests_beyond_the_limit_are_refused() {
    let (events, answers) = both(&[post(1), post(3), post(5), post(7), reset(1), post(9)]);
    assert_eq!(events, ["POST / 1", "POST / 3", "POST / 5", "taken back 1: CANCEL", "POST / 9"]);
    assert_eq!(answers, ["reset 7: REFUSED_STREAM"]);
}

#[test]
fn a_head_that_is_too_large_is_answered() {
    let line = literal("x-long", &"x".repeat(100));
    let (events, answers) =
        both(&[frame(HEADERS, WHOLE | END, 1, &[POST, &line.repeat(8)].concat())]);
    assert_eq!(events, [""; 0]);
    assert_eq!(answers, ["headers 1: (Status, \"431\") end"]);
}

#[test]
fn who_goes_is_told_twice_and_served_until_then() {
    let mut server = Tested::server();
    server.receive(&post(1)).unwrap();
    server.connection.ask_to_go();
    assert_eq!(server.sent(), ["goaway 2147483647: NO_ERROR", "ping"]);
    assert_eq!(server.receive(&post(3)).unwrap(), ["POST / 3"]);
    assert_eq!(server.receive(&frame(PING, ACK, 0, b"farewell")).unwrap(), [""; 0]);
    assert_eq!(server.sent(), ["goaway 3: NO_ERROR"]);
    assert_eq!(server.receive(&post(5)).unwrap(), [""; 0]);
    assert!(!server.connection.is_over());
    server.receive(&[reset(1), reset(3)].concat()).unwrap();
    assert!(server.connection.is_over());
}

#[test]
fn floods_end_the_connection() {
    let calm = Reason::ENHANCE_YOUR_CALM;
    let rapid = (0..21).flat_map(|n| [post(2 * n + 1), reset(2 * n + 1)]).collect::<Vec<_>>();
    assert_eq!(fault(&rapid), calm);
    let made = (0..1_001).flat_map(|n| [post(2 * n + 1), grow(2 * n + 1, 0)]).collect::<Vec<_>>();
    assert_eq!(fault(&made), calm);
    let empty = [post(1), frame(DATA, 0, 1, b"").repeat(101)];
    assert_eq!(fault(&empty), calm);
    let endless = [frame(HEADERS, 0, 1, POST), frame(CONTINUATION, 0, 1, b"").repeat(32)];
    assert_eq!(fault(&endless), calm);
    let long = [frame(HEADERS, 0, 1, POST), frame(CONTINUATION, 0, 1, &[0x83; 500]).repeat(9)];
    assert_eq!(fault(&long), calm);
    // Answers to pings pile up until the user stops reading.
    let mut server = Tested::server();
    server.receive(&frame(PING, 0, 0, &[0; 8]).repeat(5_000)).unwrap();
    assert!(server.connection.is_congested());
}

#[test]
fn requests_that_were_seen_may_be_taken_back() {
    let mut server = Tested::server();
    for stream in (0..2_000).map(|n| 2 * n + 1) {
        assert_eq!(server.receive(&post(stream)).unwrap().len(), 1);
        assert_eq!(server.receive(&reset(stream)).unwrap().len(), 1);
    }
}
