//! A client, by the sections of RFC 9113.

use http::{Method, Request, request};

use super::raw::{
    DATA, END, GOAWAY, HEADERS, OK, RST_STREAM, SETTINGS, Tested, WHOLE, frame, literal, setting,
};
use crate::http2::{Event, Reason};

fn head() -> request::Parts {
    let request = Request::builder().method(Method::POST).uri("http://host/path");
    request.header("x-tenant", "blue").body(()).unwrap().into_parts().0
}

/// A client that has sent so many whole requests.
fn asking(requests: usize) -> Tested {
    let mut client = Tested::client();
    for _ in 0..requests {
        client.connection.request(&head(), true);
    }
    client.sent();
    client
}

#[test]
fn sends_a_request() {
    let mut client = Tested::client();
    let stream = client.connection.request(&head(), false);
    client.connection.send(stream, b"hello".to_vec().into());
    client.connection.finish(stream, None);
    let fields = "(Method, \"POST\") (Scheme, \"http\") (Authority, \"host\") (Path, \"/path\") \
                  (\"x-tenant\", \"blue\")";
    assert_eq!(client.sent(), [format!("headers 1: {fields}"), "data 1: 5 end".to_owned()]);
    assert_eq!(client.connection.request(&head(), true), 3);
}

#[test]
fn reads_an_answer() {
    let mut client = asking(2);
    let early = frame(HEADERS, WHOLE, 1, &literal(":status", "103"));
    let trailers = frame(HEADERS, WHOLE | END, 1, &literal("grpc-status", "0"));
    let frames = [early, frame(HEADERS, WHOLE, 1, OK), frame(DATA, 0, 1, b"hello"), trailers];
    assert_eq!(client.receive(&frames.concat()).unwrap(), ["200 1", "data 1: 5", "trailers 1"]);
    let only_trailers = frame(HEADERS, WHOLE | END, 3, OK);
    assert_eq!(client.receive(&only_trailers).unwrap(), ["200 3 end"]);
    assert_eq!(client.connection.streams(), 0);
}

#[test]
fn takes_no_more_room_than_the_server_gives() {
    let mut client = Tested::client();
    client.receive(&frame(SETTINGS, 0, 0, &setting(3, 1))).unwrap();
    assert!(client.connection.has_room());
    client.connection.request(&head(), true);
    assert!(!client.connection.has_room() && client.connection.is_taking());
    client.receive(&frame(HEADERS, WHOLE | END, 1, OK)).unwrap();
    assert!(client.connection.has_room());
}

#[test]
fn knows_which_requests_were_not_looked_at() {
    let mut client = asking(3);
    let farewell = [3_u32.to_be_bytes(), 0_u32.to_be_bytes()].concat();
    let found = client.receive(&frame(GOAWAY, 0, 0, &farewell)).unwrap();
    assert_eq!(found, ["unprocessed 5, sent"]);
    assert_eq!(client.connection.dismissal(), Some(Reason::NO_ERROR));
    assert!(!client.connection.is_taking() && !client.connection.is_over());
    let refused = frame(RST_STREAM, 0, 3, &7_u32.to_be_bytes());
    assert_eq!(client.receive(&refused).unwrap(), ["taken back 3: REFUSED_STREAM, sent"]);
    client.receive(&frame(HEADERS, WHOLE | END, 1, OK)).unwrap();
    assert!(client.connection.is_over());
}

#[test]
fn knows_what_was_not_sent() {
    let mut client = Tested::client();
    let stream = client.connection.request(&head(), false);
    client.connection.send(stream, vec![0; 70_000].into());
    client.connection.finish(stream, None);
    client.sent();
    assert_eq!(client.connection.unsent(stream), Some(4_465));
    let reset = frame(RST_STREAM, 0, stream, &2_u32.to_be_bytes());
    assert_eq!(client.receive(&reset).unwrap(), ["taken back 1: INTERNAL_ERROR"]);
}

#[test]
fn of_trailers_that_are_too_large_the_status_is_kept() {
    let mut client = asking(1);
    let head = frame(HEADERS, WHOLE, 1, OK);
    let message = literal("grpc-message", &"x".repeat(100)).repeat(9);
    let status = literal("grpc-status", "8");
    let trailers = frame(HEADERS, WHOLE | END, 1, &[message, status].concat());
    let mut input = bytes::BytesMut::from(&[head, trailers].concat()[..]);
    client.connection.receive(&mut input).unwrap();
    client.connection.next_event().unwrap();
    let Some(Event::Trailers { trailers, .. }) = client.connection.next_event() else { panic!() };
    assert_eq!(trailers["grpc-status"], "8");
    assert!(trailers.len() < 9);
}

#[test]
fn an_answer_that_is_none_is_reset() {
    for block in [&[0x83][..], &[0x88, 0x88], &literal(":status", "abc"), &literal("x", "y")] {
        let mut client = asking(1);
        let found = client.receive(&frame(HEADERS, WHOLE, 1, block)).unwrap();
        assert_eq!(found, ["broken 1: PROTOCOL_ERROR, sent"]);
    }
    let mut client = asking(1);
    let found = client.receive(&frame(DATA, 0, 1, b"x")).unwrap();
    assert_eq!(found, ["broken 1: STREAM_CLOSED, sent"]);
    let unasked = asking(1).receive(&frame(HEADERS, WHOLE, 3, OK)).unwrap_err();
    assert_eq!(unasked.reason, Reason::PROTOCOL_ERROR);
}
