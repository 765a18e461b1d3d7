//! Fan-out: hands every envelope to all branches, or to none.

use std::sync::Arc;

use crate::consumer::{Consumer, Need, Refusal, Reservation};
use crate::envelope::{Contributor, Envelope};

/// Copies envelopes to several consumers. The payload's bytes are shared, not copied.
#[derive(Debug)]
pub struct FanOut {
    branches: Vec<Arc<dyn Consumer>>,
}

impl FanOut {
    /// The consumer for `branches`: the only one itself, or a fan-out over several.
    #[must_use]
    pub fn over(mut branches: Vec<Arc<dyn Consumer>>) -> Arc<dyn Consumer> {
        match branches.len() {
            1 => branches.remove(0),
            _ => Arc::new(Self { branches }),
        }
    }
}

impl Consumer for FanOut {
    fn reserve(&self, need: &Need<'_>) -> Result<Reservation, Refusal> {
        let need = Need { is_shared: true, ..*need };
        let reservations = self.branches.iter().map(|branch| branch.reserve(&need));
        reservations.collect::<Result<_, _>>().map(Reservation::Branches)
    }

    fn commit(&self, envelope: Envelope, reservation: Reservation) {
        let Reservation::Branches(reservations) = reservation else {
            unreachable!("a fan-out reserves one place for each branch")
        };
        let copies = copies_of(envelope, self.branches.len());
        for ((branch, copy), reservation) in self.branches.iter().zip(copies).zip(reservations) {
            branch.commit(copy, reservation);
        }
    }
}

/// Makes one envelope for each branch. They share the edge's charge: the bytes are in memory until
/// the last branch ends.
fn copies_of(envelope: Envelope, count: usize) -> Vec<Envelope> {
    let Envelope { payload, context, contributors } = envelope;
    let mut copies: Vec<Vec<Contributor>> = (0..count).map(|_| Vec::new()).collect();
    for Contributor { receipt, deadline, waiting, trace, charge } in contributors {
        for (copy, receipt) in copies.iter_mut().zip(receipt.branch(count)) {
            let charge = charge.clone();
            copy.push(Contributor { receipt, deadline, waiting, trace, charge });
        }
    }
    let envelope = |contributors| Envelope {
        payload: payload.clone(),
        context: context.clone(),
        contributors,
    };
    copies.into_iter().map(envelope).collect()
}

#[cfg(test)]
mod tests;
