//! Envelope: a payload on its way, with everyone who is owed an answer for it.
//!
//! Invariant: the items of the contributors add up to the items of the payload, in its order.

use std::sync::Arc;
use std::time::Instant;

use runtime::budget::Permit;
use wire::Payload;

use crate::context::{Context, SpanContext};
use crate::receipt::{self, Receipt, Waiter};

/// A payload on its way through the graph.
#[derive(Debug)]
pub struct Envelope {
    pub payload: Payload,
    pub context: Context,
    /// Who is owed an answer for which consecutive items. One entry, until envelopes are merged.
    pub contributors: Vec<Contributor>,
}

/// One caller's share of an envelope.
#[derive(Debug)]
pub struct Contributor {
    /// Answers for the contributor's items.
    pub receipt: Receipt,
    /// When the caller stops waiting.
    pub deadline: Instant,
    pub waiting: Waiting,
    pub trace: Option<SpanContext>,
    /// The memory that was reserved for it; goes back when the contributor ends.
    pub charge: Charge,
}

/// What the caller does until it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// It sends nothing more before the answer, or its window is full.
    Blocked,
    /// It may send more while it waits.
    Open,
}

/// Memory that travels with the data it accounts for. Clones share it: it goes back with the last.
#[derive(Clone, Debug, Default)]
pub struct Charge {
    _permit: Option<Arc<Permit>>,
    bytes: usize,
}

impl Charge {
    /// What the data is to be charged for wherever it is held; 0 when that is its own size.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Keeps the memory taken for a part of the data, which is charged by its own size.
    #[must_use]
    pub fn of_part(&self) -> Self {
        Self { bytes: 0, ..self.clone() }
    }
}

impl From<Permit> for Charge {
    fn from(permit: Permit) -> Self {
        Self { bytes: permit.bytes(), _permit: Some(Arc::new(permit)) }
    }
}

impl Envelope {
    /// The request of one caller, who waits for its answer until `deadline`, and holds no memory.
    #[must_use]
    pub fn of_one(payload: Payload, deadline: Instant) -> (Self, Waiter) {
        let (receipt, waiter) = receipt::pair(payload.items());
        let (waiting, charge) = (Waiting::Blocked, Charge::default());
        let contributors = vec![Contributor { receipt, deadline, waiting, trace: None, charge }];
        (Self { payload, context: Context::default(), contributors }, waiter)
    }

    /// The latest deadline of those who still wait for an answer.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.contributors.iter().map(|contributor| contributor.deadline).max()
    }

    /// Answers every contributor the same.
    pub fn answer_all(self, verdict: &crate::outcome::Verdict) {
        for contributor in self.contributors {
            contributor.receipt.answer_all(verdict.clone());
        }
    }
}
