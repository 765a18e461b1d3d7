//! Counting: the consumer that keeps the sink's ledger.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pipeline::{Consumer, Envelope, Need, Outcome, Refusal, Reservation, Verdict};
use runtime::clock::Clock;
use runtime::task::Scope;
use wire::Payload;

use super::behaviour::{Allowance, Behaviour};
use crate::ledger::{Ledger, Run, for_each_number};

/// Enters what is delivered into the ledger and answers as asked.
#[derive(Debug)]
pub(crate) struct Counting {
    clock: Clock,
    scope: Scope,
    behaviour: Behaviour,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    ledger: Ledger,
    allowance: Allowance,
    totals: Totals,
}

/// What a sink saw.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub(crate) struct Totals {
    pub(crate) requests: u64,
    pub(crate) failed_requests: u64,
    pub(crate) items: u64,
    pub(crate) bytes: u64,
    /// Numbered items that arrived at least once.
    pub(crate) distinct: u64,
    /// Arrivals of numbered items that had arrived before.
    pub(crate) doubled: u64,
    pub(crate) unnumbered: u64,
}

impl Counting {
    pub(crate) fn new(clock: Clock, scope: Scope, behaviour: Behaviour) -> Self {
        let state = State {
            ledger: Ledger::default(),
            allowance: Allowance::new(behaviour.capacity, clock.now()),
            totals: Totals::default(),
        };
        Self { clock, scope, behaviour, state: Mutex::new(state) }
    }

    pub(crate) fn totals(&self) -> Totals {
        let state = self.lock();
        let mut totals = state.totals.clone();
        totals.distinct = state.ledger.runs().map(|(_, run)| run.distinct).sum();
        totals.doubled = state.ledger.runs().map(|(_, run)| run.doubled).sum();
        totals.unnumbered = state.ledger.unnumbered;
        totals
    }

    /// What arrived of one run.
    pub(crate) fn run(&self, name: &str) -> Option<Run> {
        self.lock().ledger.run(name).cloned()
    }

    /// Looks into the ledger.
    pub(crate) fn with_ledger<T>(&self, look: impl FnOnce(&Ledger) -> T) -> T {
        look(&self.lock().ledger)
    }

    fn enter(&self, payload: &Payload) -> Verdict {
        let mut state = self.lock();
        let verdict = if state.allowance.take(payload.items(), self.clock.now()) {
            self.behaviour.verdict(state.totals.requests)
        } else {
            self.behaviour.throttled()
        };
        state.totals.requests += 1;
        if verdict == Verdict::Delivered {
            state.totals.items += payload.items() as u64;
            state.totals.bytes += payload.bytes_len() as u64;
            for_each_number(payload, |run, sequence| match (run, sequence) {
                (Some(run), Some(sequence)) => state.ledger.enter(run, sequence),
                _ => state.ledger.unnumbered += 1,
            });
        } else {
            state.totals.failed_requests += 1;
        }
        verdict
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Consumer for Counting {
    fn reserve(&self, _need: &Need<'_>) -> Result<Reservation, Refusal> {
        Ok(Reservation::Nothing)
    }

    fn commit(&self, envelope: Envelope, _reservation: Reservation) {
        let verdict = self.enter(&envelope.payload);
        let rejected = self.behaviour.reject_items;
        match self.behaviour.delay() {
            Some(delay) if delay.is_zero() => answer(envelope, &verdict, rejected),
            Some(delay) => {
                let clock = self.clock;
                let answer_later = async move {
                    clock.sleep(delay).await;
                    answer(envelope, &verdict, rejected);
                };
                self.scope.spawn("answer later", answer_later).detach();
            }
            None => {
                let clock = self.clock;
                let hold = async move {
                    // The caller's deadline is the end of a request that is never answered.
                    if let Some(deadline) = envelope.deadline() {
                        clock.sleep_until(deadline).await;
                    }
                    answer(envelope, &verdict, rejected);
                };
                self.scope.spawn("hold", hold).detach();
            }
        }
    }
}

fn answer(envelope: Envelope, verdict: &Verdict, rejected: u64) {
    for contributor in envelope.contributors {
        let items = contributor.receipt.items();
        let mut outcome = Outcome::all(items, verdict.clone());
        if 0 < rejected && *verdict == Verdict::Delivered {
            outcome.rejected = rejected.min(items as u64);
            outcome.warning = Some("rejecting as asked".into());
        }
        contributor.receipt.answer(outcome);
    }
}

impl Totals {
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "sink: {} items in {} requests ({} failed as asked), {} bytes; numbered: {} distinct, \
             {} doubled; unnumbered: {}",
            self.items,
            self.requests,
            self.failed_requests,
            self.bytes,
            self.distinct,
            self.doubled,
            self.unnumbered
        )
    }
}
