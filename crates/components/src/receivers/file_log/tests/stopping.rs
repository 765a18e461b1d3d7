//! Stopping: what is answered while a receiver stops counts, and what is not is read again.

use std::cell::Cell;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pipeline::{Consumer, Envelope, Need, Refusal, Reservation, Verdict};
use runtime::clock::Clock;

use super::real::{House, append, numbered};
use super::world::later;

/// Keeps what it is handed until somebody answers.
#[derive(Debug, Default)]
struct Slow(Mutex<Vec<Envelope>>);

impl Consumer for Slow {
    fn reserve(&self, _need: &Need<'_>) -> Result<Reservation, Refusal> {
        Ok(Reservation::Nothing)
    }

    fn commit(&self, envelope: Envelope, _reservation: Reservation) {
        self.0.lock().unwrap().push(envelope);
    }
}

#[tokio::test]
async fn s5_what_is_answered_during_a_stop_counts_and_what_is_not_is_read_again() {
    for (answer, left) in
        [(Some(Verdict::Delivered), 10..20), (Some(later()), 0..20), (None, 0..20)]
    {
        let mut house = House::new("");
        let slow = Arc::new(Slow::default());
        append(&house.path("a.log"), &numbered(0..10));
        house.start_before(slow.clone());
        while slow.0.lock().unwrap().is_empty() {
            Clock.sleep(Duration::from_millis(5)).await;
        }
        let grace = Duration::from_secs(if answer.is_some() { 20 } else { 1 });
        let deadline = Clock.now() + grace;
        let receiver = house.receiver.take().unwrap();
        receiver.drain(deadline);
        let is_closed = Cell::new(false);
        let close = async {
            receiver.close(deadline).await;
            is_closed.set(true);
        };
        let answers = async {
            Clock.sleep(Duration::from_millis(100)).await;
            assert!(!is_closed.get(), "it waits for the answer");
            let kept = std::mem::take(&mut *slow.0.lock().unwrap());
            match &answer {
                None => kept,
                Some(answer) => {
                    kept.into_iter().for_each(|envelope| envelope.answer_all(answer));
                    Vec::new()
                }
            }
        };
        let ((), unanswered) = tokio::join!(close, answers);
        assert!(Clock.now() <= deadline + Duration::from_millis(500), "it ends in time");
        unanswered.into_iter().for_each(|envelope| envelope.answer_all(&later()));
        house.env.scope.assert_idle(Clock).await;
        append(&house.path("a.log"), &numbered(10..20));
        house.start();
        let expected: Vec<_> = numbered(left).lines().map(str::to_owned).collect();
        house.lines(expected.len()).await;
        house.stop().await;
        assert_eq!(house.lines(0).await, expected, "{answer:?}");
    }
}

#[tokio::test]
async fn t23_files_that_come_in_numbers_are_read_from_their_start_within_two_seconds() {
    let mut house = House::new("");
    house.start();
    append(&house.path("first.log"), &numbered(0..1));
    house.lines(1).await;
    std::fs::create_dir_all(house.path("deep/er")).unwrap();
    for number in 1..101 {
        let folder = ["", "deep/", "deep/er/"][number % 3];
        append(&house.path(&format!("{folder}{number}.log")), &numbered(number..number + 1));
    }
    tokio::time::pause();
    let lines = house.lines_within(101, Duration::from_secs(2)).await;
    tokio::time::resume();
    assert_eq!(lines.len(), 101);
    house.stop().await;
}
