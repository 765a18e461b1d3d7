//! Totals: what a CloudWatch sink counted.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// What a CloudWatch sink counted.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Totals {
    /// Requests by operation.
    pub(crate) requests: BTreeMap<String, u64>,
    /// Answers that were no success, by the name of the error.
    pub(crate) errors: BTreeMap<String, u64>,
    pub(crate) groups: usize,
    pub(crate) streams: usize,
    pub(crate) events: u64,
    pub(crate) bytes: u64,
    /// Events that a put was told were not taken.
    pub(crate) rejected: u64,
    /// Numbered events that arrived at least once.
    pub(crate) distinct: u64,
    /// Arrivals of numbered events that had arrived before.
    pub(crate) doubled: u64,
    /// Numbered events that came into their stream after a later one.
    pub(crate) disordered: u64,
    pub(crate) unnumbered: u64,
}

impl Totals {
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// How many requests for an operation arrived.
    #[cfg(test)]
    pub(crate) fn requests_of(&self, operation: &str) -> u64 {
        self.requests.get(operation).copied().unwrap_or(0)
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed = |counts: &BTreeMap<String, u64>| {
            let counts = counts.iter().map(|(name, count)| format!("{name} {count}"));
            counts.collect::<Vec<_>>().join(", ")
        };
        writeln!(
            f,
            "sink: {} events in {} streams of {} groups, {} bytes; {} rejected",
            self.events, self.streams, self.groups, self.bytes, self.rejected
        )?;
        writeln!(f, "requests: {}", listed(&self.requests))?;
        if !self.errors.is_empty() {
            writeln!(f, "errors: {}", listed(&self.errors))?;
        }
        write!(
            f,
            "numbered: {} distinct, {} doubled, {} out of order; unnumbered: {}",
            self.distinct, self.doubled, self.disordered, self.unnumbered
        )
    }
}
