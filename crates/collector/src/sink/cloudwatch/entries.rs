//! Entries: the numbers in messages, for the ledger.
//!
//! Pure. A record of `tidegate generate` has its run and its number among its attributes; in other
//! text they stand as `tidegate.run=NAME` and `tidegate.sequence=NUMBER`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::totals::Totals;
use crate::ledger::{Ledger, RUN_KEY, RUNS_MAX, SEQUENCE_KEY};

/// The last number of each run in one stream.
#[derive(Debug, Default)]
pub(super) struct Sequences(BTreeMap<String, u64>);

/// Where numbers are entered.
#[derive(Debug)]
pub(super) struct Entries<'a> {
    pub(super) ledger: &'a mut Ledger,
    pub(super) totals: &'a mut Totals,
}

#[derive(Deserialize)]
struct Wrapped {
    #[serde(default)]
    attributes: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    resource: BTreeMap<String, serde_json::Value>,
}

impl Entries<'_> {
    /// Enters a message that a stream took, and counts it if it came after a later one.
    pub(super) fn enter(self, message: &str, sequences: &mut Sequences) {
        let Some((run, sequence)) = number(message) else {
            self.ledger.unnumbered += 1;
            return;
        };
        self.ledger.enter(&run, sequence);
        if let Some(last) = sequences.0.get_mut(&run) {
            self.totals.disordered += u64::from(sequence < *last);
            *last = (*last).max(sequence);
        } else if sequences.0.len() < RUNS_MAX {
            sequences.0.insert(run, sequence);
        }
    }
}

fn number(message: &str) -> Option<(String, u64)> {
    if message.starts_with('{') && message.contains(SEQUENCE_KEY) {
        let wrapped: Wrapped = serde_json::from_str(message).ok()?;
        let run = wrapped.resource.get(RUN_KEY)?.as_str()?.to_owned();
        let sequence = wrapped.attributes.get(SEQUENCE_KEY)?.as_str()?.parse().ok()?;
        return Some((run, sequence));
    }
    let value = |key: &str| {
        let (_, rest) = message.split_once(key)?;
        rest.strip_prefix('=')?.split_whitespace().next()
    };
    Some((value(RUN_KEY)?.to_owned(), value(SEQUENCE_KEY)?.parse().ok()?))
}
