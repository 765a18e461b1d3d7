//! Assemble: the tokens of many files become log records, and those become payloads.
//!
//! Cost: without operators, a line is checked as UTF-8 and copied once.
//! Invariant: what a token stands for is in `held`, in a batch, or done with.

use std::sync::Arc;
use std::time::Instant;

use wire::Payload;
use wire::logs::{KeyValues, Line, LogsWriter};

use super::encoding::{Decoded, Encoding};
use super::entry::value::map_bytes_len;
use super::entry::{Entry, FileKey, Map, Origin, Value};
use super::operators::{Chain, Plan, Report};
use super::split::{OnOversize, Token};

/// How tokens become log records.
#[derive(Clone, Debug)]
pub struct AssembleSettings {
    pub encoding: Encoding,
    pub trim: Trim,
    /// Text that is longer once it is decoded is cut, too.
    pub body_bytes_max: usize,
    pub on_oversize: OnOversize,
    pub plan: Arc<Plan>,
}

/// Where white space is taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trim {
    pub leading: bool,
    pub trailing: bool,
}

/// What time it is, on both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    pub instant: Instant,
    pub unix_nano: u64,
}

/// A file, and what all of its records have in common.
#[derive(Clone, Debug)]
pub struct FileSource {
    key: FileKey,
    attributes: Map,
    resource: Map,
    encoded_attributes: KeyValues,
    encoded_resource: KeyValues,
    /// The number of the last record, if records are numbered.
    pub record_number: Option<u64>,
    /// Whether records tell where they begin.
    pub marks_offset: bool,
}

/// Records that leave together.
#[derive(Clone, Debug)]
pub struct Batch {
    pub payload: Payload,
    /// What each item stands for, in order. An item that was put together from several files is here
    /// several times; the pieces of one token, and what several outputs got, have one origin.
    pub origins: Vec<ItemOrigin>,
}

/// What an item stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemOrigin {
    pub item: usize,
    pub origin: Origin,
}

/// What was noticed about tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tokens that said something.
    pub records: u64,
    /// Tokens without anything but white space.
    pub blank: u64,
    /// Tokens in which something was not valid and was replaced.
    pub repaired: u64,
    /// Tokens of which a part was left out for being too much.
    pub truncated: u64,
}

/// Makes payloads of tokens.
#[derive(Debug)]
pub struct Assembler {
    settings: AssembleSettings,
    chain: Option<Chain>,
    writer: LogsWriter,
    /// For each block of the writer, what its records stand for.
    origins: Vec<Vec<(usize, Origin)>>,
    left: Vec<Entry>,
    counts: Counts,
}

/// Marks a record of which a part was left out.
const TRUNCATED: &str = "log.truncated";
const RECORD_NUMBER: &str = "log.file.record_number";
const RECORD_OFFSET: &str = "log.file.record_offset";

impl FileSource {
    /// A file whose records have these attributes and this resource.
    #[must_use]
    pub fn new(key: FileKey, attributes: Map, resource: Map) -> Self {
        let (encoded_attributes, encoded_resource) = (encoded(&attributes), encoded(&resource));
        Self {
            key,
            attributes,
            resource,
            encoded_attributes,
            encoded_resource,
            record_number: None,
            marks_offset: false,
        }
    }

    /// Which file it is.
    #[must_use]
    pub fn key(&self) -> FileKey {
        self.key
    }

    /// What all of its records have.
    #[must_use]
    pub fn attributes(&self) -> &Map {
        &self.attributes
    }

    /// Adds attributes, as those that a header tells of.
    pub fn add_attributes(&mut self, attributes: Map) {
        self.attributes.extend(attributes);
        self.encoded_attributes = encoded(&self.attributes);
    }

    /// Memory that it takes.
    #[must_use]
    pub fn bytes_len(&self) -> usize {
        2 * (map_bytes_len(&self.attributes) + map_bytes_len(&self.resource))
    }
}

impl Assembler {
    /// An assembler that holds nothing.
    #[must_use]
    pub fn new(settings: AssembleSettings) -> Self {
        let plan = &settings.plan;
        let chain = (!plan.is_empty()).then(|| Chain::new(Arc::clone(plan)));
        let (writer, origins) = (LogsWriter::default(), Vec::new());
        let (left, counts) = (Vec::new(), Counts::default());
        Self { settings, chain, writer, origins, left, counts }
    }

    /// Takes a token of a file in.
    pub fn token(&mut self, source: &mut FileSource, token: &Token<'_>, now: Now) {
        let settings = &self.settings;
        let decoded = settings.encoding.decode(token.bytes, token.range.start == 0);
        let (trim, max) = (settings.trim, settings.body_bytes_max);
        let is_cutting = settings.on_oversize == OnOversize::Truncate;
        let origin = Origin { file: source.key, range: token.range.clone() };
        match decoded {
            Decoded::Bytes([]) => self.counts.blank += 1,
            Decoded::Bytes(bytes) => {
                let entry = Entry::new(Value::Bytes(bytes.to_vec()), origin);
                self.entry(source, entry, token.is_truncated, now);
            }
            Decoded::Text { text, is_repaired } => {
                self.counts.repaired += u64::from(is_repaired);
                let text = trim.apply(&text);
                if text.is_empty() {
                    self.counts.blank += 1;
                    return;
                }
                let (mut piece, mut rest) = split_text(text, max);
                let is_truncated = token.is_truncated || (is_cutting && !rest.is_empty());
                loop {
                    self.text(source, (piece, is_truncated), origin.clone(), now);
                    if is_cutting || rest.is_empty() {
                        return;
                    }
                    (piece, rest) = split_text(rest, max);
                }
            }
        }
    }

    /// Lets go what has waited long enough inside.
    pub fn tick(&mut self, now: Now) {
        if let Some(chain) = &mut self.chain {
            chain.tick(now.instant, &mut self.left);
            self.write_entries();
        }
    }

    /// Lets go what waits for more of a file that is over.
    pub fn end_of_file(&mut self, file: FileKey, now: Now) {
        if let Some(chain) = &mut self.chain {
            chain.end_of_file(file, now.instant, &mut self.left);
            self.write_entries();
        }
    }

    /// When `tick` has something to do.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.chain.as_ref().and_then(Chain::next_deadline)
    }

    /// Where the first byte of `file` stands that waits inside for more.
    #[must_use]
    pub fn held(&self, file: FileKey) -> Option<u64> {
        self.chain.as_ref().and_then(|chain| chain.held(file))
    }

    /// Memory that waits inside, in bytes; batches are not part of it.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.chain.as_ref().map_or(0, Chain::held_bytes)
    }

    /// How many records the next batch has so far.
    #[must_use]
    pub fn items(&self) -> usize {
        self.writer.items()
    }

    /// How many bytes the next batch has so far.
    #[must_use]
    pub fn bytes_len(&self) -> usize {
        self.writer.bytes_len()
    }

    /// The records so far, if there are any.
    pub fn take(&mut self) -> Option<Batch> {
        let payload = std::mem::take(&mut self.writer).finish();
        let blocks = std::mem::take(&mut self.origins);
        if payload.is_empty() {
            return None;
        }
        let mut origins = Vec::with_capacity(payload.items());
        let mut before = 0;
        for block in blocks {
            let items = block.last().map_or(0, |(item, _)| item + 1);
            let of_payload =
                block.into_iter().map(|(item, origin)| ItemOrigin { item: before + item, origin });
            origins.extend(of_payload);
            before += items;
        }
        Some(Batch { payload, origins })
    }

    /// What was noticed since the last time.
    pub fn take_counts(&mut self) -> Counts {
        std::mem::take(&mut self.counts)
    }

    /// What operators could not handle since the last time.
    pub fn take_reports(&mut self) -> Vec<Report> {
        self.chain.as_mut().map_or_else(Vec::new, Chain::take_reports)
    }

    fn text(
        &mut self,
        source: &mut FileSource,
        (text, is_truncated): (&str, bool),
        origin: Origin,
        now: Now,
    ) {
        let is_marked = source.record_number.is_some() || source.marks_offset;
        if self.chain.is_some() || is_truncated || is_marked {
            return self.entry(source, Entry::new(text.into(), origin), is_truncated, now);
        }
        let block = self.writer.block(&source.encoded_resource, "");
        let attributes = &source.encoded_attributes;
        let line = Line { observed_time_unix_nano: now.unix_nano, body: text, attributes };
        let item = self.writer.line(block, line);
        self.counts.records += 1;
        self.note(block.index(), item, origin);
    }

    fn entry(&mut self, source: &mut FileSource, mut entry: Entry, is_truncated: bool, now: Now) {
        self.counts.records += 1;
        self.counts.truncated += u64::from(is_truncated);
        entry.observed_time_unix_nano = now.unix_nano;
        entry.attributes.clone_from(&source.attributes);
        entry.resource.clone_from(&source.resource);
        if let Some(number) = &mut source.record_number {
            *number += 1;
            let number = Value::Int(i64::try_from(*number).unwrap_or(i64::MAX));
            entry.attributes.insert(RECORD_NUMBER.to_owned(), number);
        }
        if source.marks_offset {
            let offset = i64::try_from(entry.origin.range.start).unwrap_or(i64::MAX);
            entry.attributes.insert(RECORD_OFFSET.to_owned(), Value::Int(offset));
        }
        if is_truncated {
            entry.attributes.insert(TRUNCATED.to_owned(), Value::Bool(true));
        }
        match &mut self.chain {
            Some(chain) => chain.process(entry, now.instant, &mut self.left),
            None => self.left.push(entry),
        }
        self.write_entries();
    }

    fn write_entries(&mut self) {
        let mut left = std::mem::take(&mut self.left);
        for entry in left.drain(..) {
            let block = self.writer.block(&encoded(&entry.resource), &entry.scope_name);
            let item = self.writer.record(block, |record| entry.encode(record));
            for origin in std::iter::once(entry.origin).chain(entry.other_origins) {
                self.note(block.index(), item, origin);
            }
        }
        self.left = left;
    }

    fn note(&mut self, block: usize, item: usize, origin: Origin) {
        if self.origins.len() <= block {
            self.origins.resize_with(block + 1, Vec::new);
        }
        self.origins[block].push((item, origin));
    }
}

impl Trim {
    /// The text without white space at its ends, and without NULs before it: a file that was
    /// truncated under its writer begins with them.
    fn apply(self, text: &str) -> &str {
        const SPACE: [char; 4] = ['\r', '\n', '\t', ' '];
        let text = text.trim_start_matches('\0');
        let text = if self.leading { text.trim_start_matches(SPACE) } else { text };
        if self.trailing { text.trim_end_matches(SPACE) } else { text }
    }
}

/// The first `max` bytes of a text, less what tears a character, and the rest.
fn split_text(text: &str, max: usize) -> (&str, &str) {
    if text.len() <= max {
        return (text, "");
    }
    let at = text.floor_char_boundary(max);
    text.split_at(if at == 0 { text.ceil_char_boundary(1) } else { at })
}

fn encoded(map: &Map) -> KeyValues {
    let mut encoded = KeyValues::default();
    map.iter().for_each(|(key, value)| encoded.push(key, |writer| value.encode(writer)));
    encoded
}

#[cfg(test)]
mod tests;
