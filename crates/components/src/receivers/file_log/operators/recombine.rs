//! The `recombine` operator: entries of one source that belong together become one.
//!
//! Bounds: `max_sources`, `max_batch_size` and [`HELD_BYTES_MAX`]; what was first waits longest.
//! Invariant: each entry that comes in is part of exactly one that goes out.

use std::time::{Duration, Instant};

use config::Faults;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Work;
use super::route::{expression, field, operator_words};
use crate::receivers::file_log::entry::{Entry, Field, FileKey, Value};
use crate::receivers::file_log::expression::Expression;

operator_words! {
    /// Puts entries of one source together that belong together.
    pub struct Words {
        /// The field whose texts are put together. Needed.
        pub combine_field: Option<String>,
        /// What is put between them; a line end, unless it is written.
        pub combine_with: Option<String>,
        /// An expression that holds for the first of those that belong together. This or
        /// `is_last_entry` is needed.
        pub is_first_entry: Option<String>,
        /// An expression that holds for the last of those that belong together.
        pub is_last_entry: Option<String>,
        /// The field that tells sources apart; the file, unless it is written.
        pub source_identifier: Option<String>,
        /// From which entry all other fields are: the `oldest` or the `newest`.
        pub overwrite_with: Keeps,
        /// How many entries become one at most; 0 is no limit. 1000, unless it is written.
        pub max_batch_size: Option<usize>,
        /// The same before the expression held once; 0 is no limit. 100, unless it is written.
        pub max_unmatched_batch_size: Option<usize>,
        /// How large the text becomes before it is passed on; 0 is no limit.
        pub max_log_size: config::value::ByteSize,
        /// How many sources are waited for at once; the oldest is passed on then. 1000, unless it
        /// is written.
        pub max_sources: Option<usize>,
        /// How long the first waits for the rest. 5 s, unless it is written.
        pub force_flush_period: Option<config::value::Duration>,
    }
}

/// From which entry all other fields are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Keeps {
    Oldest,
    #[default]
    Newest,
}

/// What is held at most, in all sources together.
const HELD_BYTES_MAX: usize = 64 << 20;

/// When entries are put together, and how.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) field: Field,
    pub(super) between: String,
    pub(super) source: Option<Field>,
    pub(super) keeps: Keeps,
    pub(super) entries_max: usize,
    pub(super) unmatched_max: usize,
    pub(super) text_bytes_max: usize,
    pub(super) sources_max: usize,
    pub(super) wait: Duration,
}

/// The operator.
#[derive(Debug)]
pub(super) struct Recombine {
    pub(super) settings: Settings,
    expression: Expression,
    is_about_first: bool,
}

/// Where an entry stands among those that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    First,
    Middle,
    Last,
}

/// The entries that wait for others.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    batches: IndexMap<Source, Batch>,
    held_bytes: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Source {
    File(FileKey),
    Named(String),
    /// A part of a file, such as one of the streams of a container.
    PartOfFile(FileKey, String),
}

/// An entry that is put together with others, and its part of the text.
struct Part {
    entry: Entry,
    text: String,
    is_matched: bool,
}

#[derive(Debug)]
struct Batch {
    entry: Entry,
    text: String,
    entries: usize,
    is_matched: bool,
    held_bytes: usize,
    until: Instant,
}

impl Words {
    pub(super) fn build(self, faults: &mut Faults) -> Option<Work> {
        let field = field("combine_field", self.combine_field, faults);
        let source = self
            .source_identifier
            .map(|text| super::route::field("source_identifier", Some(text), faults));
        let (key, text) = match (self.is_first_entry, self.is_last_entry) {
            (Some(text), None) => ("is_first_entry", text),
            (None, Some(text)) => ("is_last_entry", text),
            _ => {
                let message = "exactly one of `is_first_entry` and `is_last_entry` is needed";
                faults.add("", message);
                return None;
            }
        };
        let wait =
            self.force_flush_period.map_or(Duration::from_secs(5), config::value::Duration::get);
        if wait.is_zero() {
            faults.add("force_flush_period", "without a time to wait nothing comes together");
        }
        if self.max_sources == Some(0) {
            faults.add("max_sources", "at least one source is needed");
        }
        let expression = expression(key, &text, faults);
        let settings = Settings {
            field: field?,
            between: self.combine_with.unwrap_or_else(|| "\n".to_owned()),
            source: source.map_or(Some(None), |source| source.map(Some))?,
            keeps: self.overwrite_with,
            entries_max: unlimited(self.max_batch_size.unwrap_or(1000)),
            unmatched_max: unlimited(self.max_unmatched_batch_size.unwrap_or(100)),
            text_bytes_max: unlimited(self.max_log_size.as_usize()),
            sources_max: self.max_sources.unwrap_or(1000),
            wait,
        };
        let is_about_first = key == "is_first_entry";
        Some(Work::Recombine(Recombine { settings, expression: expression?, is_about_first }))
    }
}

pub(super) fn unlimited(limit: usize) -> usize {
    if limit == 0 { usize::MAX } else { limit }
}

impl Recombine {
    /// Where the entry stands, and to which source it belongs.
    pub(super) fn place(&self, entry: &Entry) -> Result<(Role, Source), String> {
        let role = match (self.expression.holds(entry)?, self.is_about_first) {
            (false, _) => Role::Middle,
            (true, true) => Role::First,
            (true, false) => Role::Last,
        };
        let named = self.settings.source.as_ref().and_then(|field| field.of(entry)?.as_text());
        let source = match named.filter(|name| !name.is_empty()) {
            Some(name) => Source::Named(name.to_owned()),
            None => Source::File(entry.origin.file),
        };
        Ok((role, source))
    }
}

impl Waiting {
    /// Takes an entry in; returns what is complete, in order. An entry without a text to put
    /// together comes back.
    pub(super) fn take(
        &mut self,
        entry: Entry,
        (role, source): (Role, Source),
        settings: &Settings,
        now: Instant,
    ) -> Result<Vec<Entry>, (Box<Entry>, String)> {
        let found = settings.field.of(&entry);
        let Some(text) = found.and_then(|found| found.as_text()) else {
            let message = format!("there is no text in `{}`", settings.field);
            return Err((Box::new(entry), message));
        };
        let text = text.to_owned();
        let mut out = Vec::new();
        if role == Role::First {
            self.release(&source, settings, &mut out);
        }
        if role == Role::Last && !self.batches.contains_key(&source) {
            out.push(entry);
            return Ok(out);
        }
        let part = Part { entry, text, is_matched: role != Role::Middle };
        self.add(source.clone(), part, settings, now + settings.wait);
        let is_full = self.batches.get(&source).is_some_and(|batch| batch.is_full(settings));
        if role == Role::Last || is_full {
            self.release(&source, settings, &mut out);
        }
        while settings.sources_max < self.batches.len() || HELD_BYTES_MAX < self.held_bytes {
            let Some(oldest) = self.batches.keys().next().cloned() else { break };
            self.release(&oldest, settings, &mut out);
        }
        Ok(out)
    }

    fn add(&mut self, source: Source, part: Part, settings: &Settings, until: Instant) {
        let Part { mut entry, text, is_matched } = part;
        let Some(batch) = self.batches.get_mut(&source) else {
            let held_bytes = text.len() + entry.bytes_len();
            self.held_bytes += held_bytes;
            let batch = Batch { entry, text, entries: 1, is_matched, held_bytes, until };
            self.batches.insert(source, batch);
            return;
        };
        if settings.keeps == Keeps::Newest {
            std::mem::swap(&mut batch.entry, &mut entry);
        }
        // Whichever remains stands for both.
        batch.entry.absorb(entry.origin);
        entry.other_origins.into_iter().for_each(|origin| batch.entry.absorb(origin));
        if !batch.text.is_empty() {
            batch.text.push_str(&settings.between);
        }
        batch.text.push_str(&text);
        batch.entries += 1;
        batch.is_matched |= is_matched;
        let held_bytes = batch.text.len() + batch.entry.bytes_len();
        self.held_bytes = self.held_bytes + held_bytes - batch.held_bytes;
        batch.held_bytes = held_bytes;
    }

    /// Passes on what waits for more of `source`.
    fn release(&mut self, source: &Source, settings: &Settings, out: &mut Vec<Entry>) {
        let Some(mut batch) = self.batches.shift_remove(source) else { return };
        self.held_bytes -= batch.held_bytes;
        settings.field.set(&mut batch.entry, Value::Text(batch.text));
        out.push(batch.entry);
    }

    /// Passes on all that matches.
    pub(super) fn release_all(
        &mut self,
        is_over: impl Fn(&Entry, Instant) -> bool,
        settings: &Settings,
        out: &mut Vec<Entry>,
    ) {
        let over = self.batches.iter().filter(|(_, batch)| is_over(&batch.entry, batch.until));
        let over: Vec<Source> = over.map(|(source, _)| source.clone()).collect();
        over.iter().for_each(|source| self.release(source, settings, out));
    }

    /// When the first of them has waited long enough.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.batches.values().map(|batch| batch.until).min()
    }

    /// Where the first byte of `file` stands that waits.
    pub(super) fn held(&self, file: FileKey) -> Option<u64> {
        let origins = self.batches.values().flat_map(|batch| batch.entry.origins());
        origins.filter(|origin| origin.file == file).map(|origin| origin.range.start).min()
    }

    /// Memory that is held.
    pub(super) fn held_bytes(&self) -> usize {
        self.held_bytes
    }
}

impl Batch {
    fn is_full(&self, settings: &Settings) -> bool {
        settings.text_bytes_max < self.text.len()
            || settings.entries_max <= self.entries
            || !self.is_matched && settings.unmatched_max <= self.entries
    }
}
