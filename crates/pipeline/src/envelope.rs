//! Envelope: a payload on its way, with everyone who is owed an answer for it.
//!
//! Invariant: the items of the contributors add up to the items of the payload, in its order.

use std::time::Instant;

use runtime::budget::Permit;
use wire::Payload;

use crate::context::{Context, SpanContext};
use crate::receipt::Receipt;

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

/// Permits that travel with the data they account for.
#[derive(Debug, Default)]
pub struct Charge(Vec<Permit>);

impl Charge {
    /// Adds a permit to what travels along.
    pub fn add(&mut self, permit: Permit) {
        self.0.push(permit);
    }

    /// Takes over another charge.
    pub fn absorb(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The largest single reservation, in bytes; the envelope is charged that in one share.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.iter().map(Permit::bytes).max().unwrap_or(0)
    }
}

impl From<Permit> for Charge {
    fn from(permit: Permit) -> Self {
        Self(vec![permit])
    }
}

impl Envelope {
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
