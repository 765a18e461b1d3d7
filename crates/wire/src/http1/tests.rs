//! The heads of answers, and chunks both ways.

use http::{HeaderName, HeaderValue, Response, StatusCode};

use super::*;

fn opening(status: u16, length: Length, persistence: Persistence) -> String {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("text/plain"));
    headers.insert("content-length", HeaderValue::from_static("77"));
    let (head, ()) = response.into_parts();
    let opening = Opening { head: &head, length, persistence };
    String::from_utf8(opening.encode("today").to_vec()).unwrap()
}

#[test]
fn heads_of_answers_say_what_follows_and_what_becomes_of_the_connection() {
    assert_eq!(
        opening(200, Length::Declared(5), Persistence::Kept),
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\ndate: today\r\n\r\n"
    );
    assert_eq!(
        opening(503, Length::Chunked, Persistence::Closed),
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\n\
         transfer-encoding: chunked\r\nconnection: close\r\ndate: today\r\n\r\n"
    );
    assert_eq!(
        opening(204, Length::Implied, Persistence::KeptAlive),
        "HTTP/1.1 204 No Content\r\ncontent-type: text/plain\r\n\
         connection: keep-alive\r\ndate: today\r\n\r\n"
    );
    assert!(opening(599, Length::UntilClose, Persistence::Closed).starts_with("HTTP/1.1 599 \r\n"));
}

#[test]
fn a_date_is_told_once() {
    let mut response = Response::new(());
    response
        .headers_mut()
        .insert(HeaderName::from_static("date"), HeaderValue::from_static("then"));
    let (head, ()) = response.into_parts();
    let opening = Opening { head: &head, length: Length::Implied, persistence: Persistence::Kept };
    assert_eq!(opening.encode("now").as_ref(), b"HTTP/1.1 200 OK\r\ndate: then\r\n\r\n");
}

#[test]
fn the_head_of_a_chunk_is_read_as_it_was_written() {
    for length in [1, 15, 16, 4_095, 300_000] {
        let (head, mut chunks) = (chunk_head(length), Chunks::default());
        assert_eq!(chunks.read(head.as_bytes()), Ok(head.len()));
        assert_eq!(chunks.content(), length as u64);
        chunks.take(length as u64);
        assert_eq!(chunks.read(b"\r\n"), Ok(2));
        assert_eq!(chunks.read(CHUNKS_END), Ok(CHUNKS_END.len()));
        assert!(chunks.is_over());
    }
}
