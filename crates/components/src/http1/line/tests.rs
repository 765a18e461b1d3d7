use std::future::poll_fn;
use std::time::Duration;

use tokio::io::{AsyncWriteExt as _, DuplexStream};

use super::*;
use crate::vigil::Patience;

fn line() -> (DuplexStream, Line) {
    let (near, far) = tokio::io::duplex(1 << 20);
    let minute = Duration::from_secs(60);
    let patience = Patience { head: minute, idle: minute, write: minute, age: None, grace: minute };
    let vigil = Vigil::new(patience, None, Clock.now());
    (near, Line::new(Box::new(far), Heads::new(16 << 10), vigil, Clock))
}

/// Whether `poll` has to wait.
async fn waits<T>(mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> bool {
    poll_fn(|cx| Poll::Ready(poll(cx).is_pending())).await
}

#[tokio::test]
async fn who_waits_for_a_head_or_an_answer_holds_no_room_and_who_sent_half_a_head_holds_that() {
    let (mut near, mut line) = line();
    assert!(waits(|cx| line.poll_head(cx)).await);
    assert_eq!(line.input.capacity(), 0);
    near.write_all(b"POST / HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    assert!(waits(|cx| line.poll_head(cx)).await);
    assert!(line.input.capacity() < 100, "{}", line.input.capacity());
    near.write_all(b"content-length: 20000\r\n\r\n").await.unwrap();
    near.write_all(&[7; 19_999]).await.unwrap();
    poll_fn(|cx| line.poll_head(cx)).await.unwrap();
    let mut region = Region::of(20_000);
    while region.len() < 19_999 {
        poll_fn(|cx| line.poll_content(cx, &mut region, 20_000)).await.unwrap();
    }
    assert!(waits(|cx| line.poll_content(cx, &mut region, 20_000)).await);
    assert_eq!(line.input.capacity(), 0);
    near.write_all(&[7]).await.unwrap();
    assert_eq!(poll_fn(|cx| line.poll_content(cx, &mut region, 20_000)).await, Ok(1));
    assert!(waits(|cx| line.poll_gone(cx)).await);
    assert_eq!(line.input.capacity(), 0);
    assert!(region.into_bytes() == vec![7; 20_000]);
}

#[tokio::test]
async fn no_more_is_read_than_belongs_to_the_body() {
    let (mut near, mut line) = line();
    let head = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\n";
    near.write_all(head).await.unwrap();
    poll_fn(|cx| line.poll_head(cx)).await.unwrap();
    near.write_all(b"helloPOST").await.unwrap();
    let mut region = Region::up_to(100);
    assert_eq!(poll_fn(|cx| line.poll_content(cx, &mut region, 100)).await, Ok(5));
    assert_eq!(poll_fn(|cx| line.poll_coming(cx)).await, Ok(0));
    assert_eq!(&region[..], b"hello");
}

#[tokio::test]
async fn little_is_taken_of_what_is_sent_ahead() {
    let (mut near, mut line) = line();
    near.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    poll_fn(|cx| line.poll_head(cx)).await.unwrap();
    near.write_all(&[b'x'; 100_000]).await.unwrap();
    assert!(waits(|cx| line.poll_gone(cx)).await);
    assert!((AHEAD_BYTES_MAX..2 * AHEAD_BYTES_MAX).contains(&line.input.len()));
}
