//! A consumer that keeps what it gets and answers as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pipeline::{
    Code, Consumer, Envelope, Holder, Need, Outcome, Refusal, Reservation, Status, Verdict,
};
use runtime::channel::{self, Ends, Receiver, Sender};

/// What to do with an envelope.
#[derive(Clone, Debug)]
pub(super) enum Then {
    Answer(Outcome),
    /// Keep it until somebody takes it.
    Hold,
}

#[derive(Debug)]
pub(super) struct Sink {
    script: Mutex<VecDeque<Then>>,
    arrived: Sender<Arrived>,
    arrivals: Mutex<Option<Receiver<Arrived>>>,
}

/// An envelope that reached the sink; it has the envelope itself when it is held.
#[derive(Debug)]
pub(super) struct Arrived {
    pub payload: wire::Payload,
    pub context: pipeline::Context,
    pub deadline: std::time::Instant,
    pub trace: Option<pipeline::SpanContext>,
    pub held: Option<Envelope>,
}

impl Default for Sink {
    fn default() -> Self {
        let (arrived, arrivals) = channel::bounded(Ends { from: "sink", to: "test" }, 10_000);
        Self { script: Mutex::default(), arrived, arrivals: Mutex::new(Some(arrivals)) }
    }
}

impl Sink {
    /// What to do with the next envelopes; those after are delivered.
    pub(super) fn then(&self, steps: impl IntoIterator<Item = Then>) {
        self.script.lock().unwrap().extend(steps);
    }

    /// Answers the next envelope with a verdict about all of it.
    pub(super) fn answer(&self, verdict: Verdict) {
        self.then([Then::Answer(Outcome::all(1, verdict))]);
    }

    /// The arrivals, for one taker.
    pub(super) fn arrivals(&self) -> Receiver<Arrived> {
        self.arrivals.lock().unwrap().take().unwrap()
    }
}

impl Consumer for Sink {
    fn reserve(&self, _need: &Need<'_>) -> Result<Reservation, Refusal> {
        Ok(Reservation::Nothing)
    }

    fn commit(&self, envelope: Envelope, _reservation: Reservation) {
        let then = self.script.lock().unwrap().pop_front();
        let mut arrived = Arrived {
            payload: envelope.payload.clone(),
            context: envelope.context.clone(),
            deadline: envelope.deadline().unwrap(),
            trace: envelope.contributors[0].trace,
            held: None,
        };
        match then {
            Some(Then::Hold) => arrived.held = Some(envelope),
            Some(Then::Answer(outcome)) => {
                envelope
                    .contributors
                    .into_iter()
                    .for_each(|one| one.receipt.answer(outcome.clone()));
            }
            None => envelope.answer_all(&Verdict::Delivered),
        }
        self.arrived.try_send(arrived).unwrap();
    }
}

/// A verdict that asks to come again.
pub(super) fn retry(code: Code, delay: Option<Duration>) -> Verdict {
    Verdict::RetryAfter { delay, status: Status::new(code, "try later") }
}

/// A verdict that refuses.
pub(super) fn refusal(code: Code) -> Verdict {
    Verdict::Refused(Status::new(code, "never"))
}

/// Tells a test that a caller left.
#[derive(Debug)]
pub(super) struct Leaving(pub Sender<u64>);

impl Leaving {
    pub(super) fn watch(envelope: &Envelope) -> Receiver<u64> {
        let (sender, receiver) = channel::bounded(Ends { from: "waiter", to: "test" }, 1);
        envelope.contributors[0].receipt.held_by(Arc::new(Self(sender)), 7);
        receiver
    }
}

impl Holder for Leaving {
    fn left(&self, token: u64) {
        self.0.try_send(token).unwrap();
    }
}
