//! Stream: what takes the bytes of one file and makes records of them.
//!
//! Owner: the tailer between two turns, the turn while it lasts; dropped when it holds nothing.
//! Bounds: the longest record, and what operators hold.

use std::collections::HashSet;
use std::ops::Range;

use wire::Payload;

use super::assemble::{Assembler, Counts, FileSource, Now};
use super::content::ContentSettings;
use super::header::HeaderReader;
use super::operators::Report;
use super::split::{Flush, Splitter};
use super::window::Span;

/// Bytes of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece<'a> {
    pub bytes: &'a [u8],
    /// What waits for its end is to be passed on without.
    pub flush: Option<Flush>,
    pub now: Now,
}

/// Records that are ready to be sent.
#[derive(Debug)]
pub(super) struct Batch {
    pub payload: Payload,
    /// A span for each record.
    pub spans: Vec<Span>,
}

/// What takes the bytes of one file.
#[derive(Debug)]
pub(super) struct Stream {
    splitter: Splitter,
    assembler: Assembler,
    source: FileSource,
    header: Option<HeaderReader>,
}

/// What was noticed while bytes were taken.
#[derive(Clone, Debug, Default)]
pub(super) struct Noticed {
    pub counts: Counts,
    pub reports: Vec<Report>,
}

impl Batch {
    /// What it takes of memory.
    pub(super) fn bytes(&self) -> usize {
        self.payload.bytes_len() + size_of::<Span>() * self.spans.len()
    }
}

impl Stream {
    /// What takes the bytes of a file from `offset` on. `beginning` are its first bytes, when they may
    /// be a header that was read before.
    pub(super) fn new(
        settings: &ContentSettings,
        mut source: FileSource,
        (offset, beginning): (u64, &[u8]),
        now: Now,
    ) -> Self {
        let mut header = settings.header.clone().map(HeaderReader::new);
        if 0 < offset {
            // What is read from here on is behind the header, or in it.
            let mut reader = header.take();
            let mut splitter = Splitter::new(settings.split.clone(), 0);
            splitter.feed(beginning, |token| {
                let is_before = token.range.end <= offset;
                let is_header =
                    reader.as_mut().is_some_and(|one| is_before && one.take(&token, now));
                if !is_header && let Some(reader) = reader.take() {
                    source.add_attributes(reader.finish(now).0);
                }
            });
            if let Some(reader) = reader {
                header = Some(reader);
            }
        }
        Self {
            splitter: Splitter::new(settings.split.clone(), offset),
            assembler: Assembler::new(settings.assemble.clone()),
            source,
            header,
        }
    }

    /// Takes a piece; `skip` are spans whose records were delivered before.
    pub(super) fn take(&mut self, piece: &Piece<'_>, skip: &[Span]) -> Option<Batch> {
        let Self { splitter, assembler, source, header } = self;
        let now = piece.now;
        assembler.tick(now);
        let mut token = |token: super::split::Token<'_>| {
            if let Some(mut reader) = header.take() {
                if reader.take(&token, now) {
                    *header = Some(reader);
                    return;
                }
                source.add_attributes(reader.finish(now).0);
            }
            assembler.token(source, &token, now);
        };
        splitter.feed(piece.bytes, &mut token);
        if let Some(why) = piece.flush {
            splitter.flush(why, &mut token);
            if why == Flush::End {
                assembler.end_of_file(source.key(), now);
            }
        }
        let batch = assembler.take()?;
        let mut spans = Vec::with_capacity(batch.payload.items());
        for origin in batch.origins {
            if origin.item == spans.len() {
                let Range { start, end } = origin.origin.range;
                spans.push(Span { start, end });
            }
        }
        without(Batch { payload: batch.payload, spans }, skip)
    }

    /// The first byte of what is not in a batch yet.
    pub(super) fn held(&self) -> Option<u64> {
        let pending = self.splitter.is_pending().then(|| self.splitter.consumed());
        pending.into_iter().chain(self.assembler.held(self.source.key())).min()
    }

    /// When operators let go of what they hold.
    pub(super) fn next_deadline(&self) -> Option<std::time::Instant> {
        self.assembler.next_deadline()
    }

    /// Whether bytes wait for their end.
    pub(super) fn is_pending(&self) -> bool {
        self.splitter.is_pending()
    }

    /// Memory that is held, in bytes.
    pub(super) fn held_bytes(&self) -> usize {
        self.splitter.held_bytes() + self.assembler.held_bytes() + self.source.bytes_len()
    }

    /// What was noticed since the last time.
    pub(super) fn take_noticed(&mut self) -> Noticed {
        Noticed { counts: self.assembler.take_counts(), reports: self.assembler.take_reports() }
    }
}

/// The batch without what was delivered before.
fn without(batch: Batch, skip: &[Span]) -> Option<Batch> {
    if skip.is_empty() {
        return Some(batch);
    }
    let skip: HashSet<&Span> = skip.iter().collect();
    let is_kept = |span: &Span| !skip.contains(span);
    let items = batch.spans.iter().enumerate().filter(|(_, span)| is_kept(span));
    let ranges: Vec<Range<usize>> = items.map(|(item, _)| item..item + 1).collect();
    if ranges.is_empty() {
        return None;
    }
    let payload = batch.payload.select(&ranges);
    Some(Batch { payload, spans: batch.spans.into_iter().filter(is_kept).collect() })
}
