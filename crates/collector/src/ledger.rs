//! Ledger: which of the numbered items of a load arrived, and how often.
//!
//! The generator numbers items from zero; a set bit is an item that was seen.
//! Bounds: [`RUNS_MAX`] runs of [`ITEMS_MAX`] items, 128 MiB of bits each when full.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use wire::Payload;
use wire::view::{Attributes, Scope};

/// Runs that one ledger tells apart; items of further runs are only counted.
pub(crate) const RUNS_MAX: usize = 64;

/// Items of one run that are told apart; later ones are only counted.
pub(crate) const ITEMS_MAX: u64 = 1 << 30;

/// The resource attribute that names the run an item belongs to.
pub(crate) const RUN_KEY: &str = "tidegate.run";

/// The item attribute that holds its number in its run, 16 decimal digits.
pub(crate) const SEQUENCE_KEY: &str = "tidegate.sequence";

/// What arrived, by run.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    runs: BTreeMap<String, Run>,
    /// Items that carry no run or no number, or are beyond the bounds.
    pub(crate) unnumbered: u64,
}

/// The items of one run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    bits: Vec<u64>,
    pub(crate) distinct: u64,
    pub(crate) doubled: u64,
}

impl Ledger {
    /// Enters one item.
    pub(crate) fn enter(&mut self, run: &str, sequence: u64) {
        let has_room = self.runs.len() < RUNS_MAX || self.runs.contains_key(run);
        if !has_room || ITEMS_MAX <= sequence {
            self.unnumbered += 1;
            return;
        }
        if !self.runs.contains_key(run) {
            self.runs.insert(run.to_owned(), Run::default());
        }
        if let Some(run) = self.runs.get_mut(run) {
            run.enter(sequence);
        }
    }

    pub(crate) fn run(&self, name: &str) -> Option<&Run> {
        self.runs.get(name)
    }

    pub(crate) fn runs(&self) -> impl Iterator<Item = (&str, &Run)> {
        self.runs.iter().map(|(name, run)| (name.as_str(), run))
    }
}

impl Run {
    /// Enters one item; `false` when it was there already.
    pub(crate) fn enter(&mut self, sequence: u64) -> bool {
        let (word, bit) = place(sequence);
        if self.bits.len() <= word {
            self.bits.resize(word + 1, 0);
        }
        let is_new = self.bits[word] & bit == 0;
        self.bits[word] |= bit;
        if is_new {
            self.distinct += 1;
        } else {
            self.doubled += 1;
        }
        is_new
    }

    /// The items of this run that `other` does not have.
    pub(crate) fn missing_in(&self, other: Option<&Self>) -> u64 {
        let theirs = |word: usize| other.and_then(|run| run.bits.get(word)).copied().unwrap_or(0);
        let lost = self.bits.iter().enumerate().map(|(word, bits)| bits & !theirs(word));
        lost.map(|bits| u64::from(bits.count_ones())).sum()
    }

    /// The numbers that were entered, as ranges.
    pub(crate) fn ranges(&self) -> Vec<Range<u64>> {
        let mut ranges: Vec<Range<u64>> = Vec::new();
        for (at, bits) in (0..).zip(&self.bits) {
            for bit in (0..64).filter(|bit| bits >> bit & 1 == 1) {
                let sequence = at * 64 + bit;
                match ranges.last_mut() {
                    Some(range) if range.end == sequence => range.end += 1,
                    _ => ranges.push(sequence..sequence + 1),
                }
            }
        }
        ranges
    }
}

/// What a generator leaves behind for the sink to check: the acknowledged items of its run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Acknowledged {
    run: String,
    ranges: Vec<Range<u64>>,
}

impl Acknowledged {
    pub(crate) fn of(run: &str, items: &Run) -> Self {
        Self { run: run.to_owned(), ranges: items.ranges() }
    }

    /// How many of the acknowledged items `ledger` lacks.
    pub(crate) fn missing_in(&self, ledger: &Ledger) -> u64 {
        let mut items = Run::default();
        let within = |range: &Range<u64>| range.start..range.end.min(ITEMS_MAX);
        for sequence in self.ranges.iter().flat_map(within) {
            items.enter(sequence);
        }
        items.missing_in(ledger.run(&self.run))
    }

    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string(self)?;
        std::fs::write(path, text).with_context(|| format!("write {}", path.display()))
    }

    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path);
        let text = text.with_context(|| format!("read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("read the ledger {}", path.display()))
    }
}

/// Gives `visit` the run and the number of every item, as far as it carries them.
pub(crate) fn for_each_number(payload: &Payload, mut visit: impl FnMut(Option<&str>, Option<u64>)) {
    let view = payload.view();
    for resource in view.resources() {
        let run = resource.attributes().get(RUN_KEY).and_then(|value| value.as_text());
        for scope in resource.scopes() {
            numbers(scope).for_each(|sequence| visit(run, sequence));
        }
    }
}

/// Log records, spans and points are numbered by an attribute, samples by their timestamp: their
/// attributes stand in a dictionary.
fn numbers(scope: Scope<'_>) -> impl Iterator<Item = Option<u64>> {
    let log_records = scope.log_records().map(|record| number(record.attributes()));
    let spans = scope.spans().map(|span| number(span.attributes()));
    let points = scope.metrics().flat_map(|metric| metric.points());
    let points = points.map(|point| number(point.attributes()));
    let samples = scope.profiles().flat_map(|profile| profile.samples());
    let samples = samples.map(|sample| sample.timestamps_unix_nano().next());
    log_records.chain(spans).chain(points).chain(samples)
}

fn number(attributes: Attributes<'_>) -> Option<u64> {
    attributes.get(SEQUENCE_KEY)?.as_text()?.parse().ok()
}

fn place(sequence: u64) -> (usize, u64) {
    let word = usize::try_from(sequence / 64).expect("sequences are below ITEMS_MAX");
    (word, 1 << (sequence % 64))
}

#[cfg(test)]
mod tests;
