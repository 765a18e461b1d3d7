use std::sync::Mutex;
use std::time::Duration;

use runtime::budget::Budget;
use runtime::clock::Clock;
use wire::{Payload, Signal};

use super::*;
use crate::consumer::consume;
use crate::envelope::Charge;
use crate::outcome::{Answer, Verdict};
use crate::receipt;

/// Keeps what it gets, or refuses everything.
#[derive(Debug, Default)]
struct Branch {
    held: Mutex<Vec<Envelope>>,
    is_full: bool,
}

impl Branch {
    fn deliver(&self) {
        for envelope in self.held.lock().unwrap().drain(..) {
            envelope.answer_all(&Verdict::Delivered);
        }
    }
}

impl Consumer for Branch {
    fn reserve(&self, _need: &Need<'_>) -> Result<Reservation, Refusal> {
        if self.is_full {
            return Err(Refusal::busy(Duration::from_secs(1), "full"));
        }
        Ok(Reservation::Nothing)
    }

    fn commit(&self, envelope: Envelope, _reservation: Reservation) {
        self.held.lock().unwrap().push(envelope);
    }
}

/// One log record of a caller that holds 5000 bytes of `budget`.
fn request(budget: &Budget) -> (Envelope, receipt::Waiter) {
    let payload = Payload::parse(Signal::Logs, [10, 4, 18, 2, 18, 0].to_vec().into()).unwrap();
    let (mut envelope, waiter) = Envelope::of_one(payload, Clock.now() + Duration::from_secs(5));
    envelope.contributors[0].charge = Charge::from(budget.try_take(5_000).unwrap());
    (envelope, waiter)
}

#[tokio::test]
async fn the_edges_memory_stays_taken_until_the_last_branch_ends() {
    for order in [[0, 1], [1, 0]] {
        let budget = Budget::root("process", 1 << 20);
        let branches = [Arc::new(Branch::default()), Arc::new(Branch::default())];
        let all = branches.iter().map(|branch| Arc::clone(branch) as Arc<dyn Consumer>);
        let (envelope, waiter) = request(&budget);
        consume(FanOut::over(all.collect()).as_ref(), envelope);
        branches[order[0]].deliver();
        assert_eq!(budget.bytes_used(), 5_000, "{order:?}");
        branches[order[1]].deliver();
        assert_eq!(budget.bytes_used(), 0);
        let delivered = Answer::Delivered { rejected: 0, warning: None };
        assert_eq!(waiter.wait().await.unwrap().answer(), delivered);
    }
}

#[tokio::test]
async fn a_full_branch_hands_nothing_over() {
    let budget = Budget::root("process", 1 << 20);
    let free = Arc::new(Branch::default());
    let full = Arc::new(Branch { is_full: true, ..Branch::default() });
    let (envelope, waiter) = request(&budget);
    consume(FanOut::over(vec![free.clone(), full]).as_ref(), envelope);
    assert_eq!(free.held.lock().unwrap().len(), 0);
    assert_eq!(budget.bytes_used(), 0);
    let answer = waiter.wait().await.unwrap().answer();
    assert!(matches!(answer, Answer::RetryAfter { .. }), "{answer:?}");
}
