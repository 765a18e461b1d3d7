use std::time::Duration;

use super::{Refused, inbox};

#[test]
fn takes_all_that_waits_in_order() {
    let (sender, mut inbox) = inbox(10);
    for item in 0..3 {
        sender.send(item, 3).unwrap();
    }
    assert_eq!(inbox.take(None), Some(vec![0, 1, 2]));
    assert_eq!(inbox.take(Some(Duration::ZERO)), Some(vec![]));
}

#[test]
fn refuses_beyond_its_weight_but_takes_what_has_none() {
    let (sender, mut inbox) = inbox(10);
    sender.send("larger than all", 20).unwrap();
    assert_eq!(sender.send("more", 1), Err(Refused::Full("more")));
    sender.send("free", 0).unwrap();
    assert_eq!(inbox.take(None), Some(vec!["larger than all", "free"]));
    sender.send("more", 1).unwrap();
}

#[test]
fn ends_after_the_last_sender_and_what_it_sent() {
    let (sender, mut inbox) = inbox(10);
    let other = sender.clone();
    drop(sender);
    other.send(1, 1).unwrap();
    drop(other);
    assert_eq!(inbox.take(None), Some(vec![1]));
    assert_eq!(inbox.take(None), None);
}

#[test]
fn a_sender_learns_that_the_owner_is_gone() {
    let (sender, inbox) = inbox(10);
    sender.send(1, 1).unwrap();
    drop(inbox);
    assert_eq!(sender.send(2, 1), Err(Refused::Closed(2)));
}

#[test]
fn gathers_until_there_is_enough_or_the_bell_rings() {
    let (sender, mut inbox) = inbox(10);
    let bell = inbox.bell();
    sender.send(1, 2).unwrap();
    bell.ring();
    assert_eq!(inbox.gather(5), Some(vec![1]));
    std::thread::scope(|scope| {
        let gathering = scope.spawn(|| inbox.gather(5));
        for item in 2..=4 {
            sender.send(item, 2).unwrap();
        }
        assert_eq!(gathering.join().unwrap(), Some(vec![2, 3, 4]));
    });
    sender.send(5, 0).unwrap();
    drop(sender);
    assert_eq!(inbox.gather(5), Some(vec![5]), "nobody is left who could send more");
    bell.ring();
    assert_eq!(inbox.gather(5), None, "a bell keeps nothing open");
}
