use std::time::Duration;

use super::{Ends, SendError, bounded, latest, once};
use crate::clock::Clock;
use crate::task::Scope;

const ENDS: Ends = Ends { from: "one", to: "other" };

#[tokio::test(start_paused = true)]
async fn keeps_order_and_gives_back_what_has_no_room() {
    let (sender, mut receiver) = bounded(ENDS, 2);
    assert_eq!(Ok(()), sender.try_send(1));
    assert_eq!(Ok(()), sender.clone().try_send(2));
    assert_eq!(Err(SendError::Full(3)), sender.try_send(3));
    assert_eq!(Some(1), receiver.recv().await);
    assert_eq!((Some(2), None), (receiver.try_recv(), receiver.try_recv()));
    assert_eq!((ENDS, ENDS), (sender.ends(), receiver.ends()));
}

#[tokio::test(start_paused = true)]
async fn sending_waits_for_room_until_the_deadline() {
    let scope = Scope::root("test");
    let (sender, mut receiver) = bounded(ENDS, 1);
    sender.try_send(1).unwrap();
    let start = Clock.now();
    let deadline = start + Duration::from_secs(3);
    assert_eq!(Err(SendError::Full(2)), sender.send_by(Clock, deadline, 2).await);
    assert_eq!(deadline, Clock.now());
    let send = async move { sender.send_by(Clock, deadline + Duration::from_secs(3), 3).await };
    let sent = scope.spawn("send", send);
    tokio::task::yield_now().await;
    assert_eq!(Some(1), receiver.recv().await);
    assert_eq!(Ok(Ok(())), sent.await);
    assert_eq!((Some(3), None), (receiver.recv().await, receiver.recv().await));
}

#[tokio::test(start_paused = true)]
async fn a_closed_channel_still_gives_what_was_sent() {
    let (sender, mut receiver) = bounded(ENDS, 2);
    sender.try_send(1).unwrap();
    receiver.close();
    assert_eq!(Err(SendError::Closed(2)), sender.try_send(2));
    assert_eq!(Err(SendError::Closed(2)), sender.send_by(Clock, Clock.now(), 2).await);
    assert_eq!((Some(1), None), (receiver.recv().await, receiver.recv().await));
    drop(receiver);
    sender.closed().await;
}

#[tokio::test(start_paused = true)]
async fn a_completion_brings_one_value_or_the_news_that_none_comes() {
    let (sender, mut receiver) = once(ENDS);
    assert!(sender.is_awaited());
    assert_eq!(None, receiver.try_recv());
    assert_eq!(Ok(()), sender.send(5));
    assert_eq!(Some(5), receiver.recv().await);

    let (sender, mut receiver) = once::<u8>(ENDS);
    drop(sender);
    assert_eq!(None, receiver.recv().await);

    let (sender, receiver) = once(ENDS);
    drop(receiver);
    assert!(!sender.is_awaited());
    assert_eq!(Err(5), sender.send(5));
}

#[tokio::test(start_paused = true)]
async fn the_newest_value_replaces_those_that_were_not_seen() {
    let (sender, mut receiver) = latest(ENDS, 0);
    let mut other = receiver.clone();
    sender.set(1);
    sender.clone().set(2);
    assert_eq!((2, Some(2)), (receiver.value(), receiver.changed().await));
    drop(sender);
    assert_eq!((None, 2), (receiver.changed().await, receiver.value()));
    assert_eq!(Some(2), other.changed().await);
}
