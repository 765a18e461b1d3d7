//! Patterns: tokens of several lines, which begin or end where a pattern matches.
//!
//! Cost: a pattern sees each line once, with its line end; a match never spans two lines.
//! Invariant: what lies before `line` was looked through.

use std::ops::Range;

use regex::Regex;
use regex::bytes::Regex as BytesRegex;

use super::units::{line_end, without_line_end};
use super::{Boundary, Flush, OnOversize, SplitSettings, Token};
use crate::receivers::file_log::encoding::{Decoded, Encoding};
use crate::receivers::file_log::pattern::from_go;

/// What begins or ends a token.
#[derive(Clone, Debug)]
pub struct Pattern {
    matcher: Matcher,
    /// Whether the match itself is left out of the token.
    is_omitted: bool,
}

#[derive(Clone, Debug)]
enum Matcher {
    /// For encodings in which the bytes of ASCII are ASCII.
    Bytes(BytesRegex),
    /// For all others, after decoding.
    Text(Regex),
}

impl Pattern {
    /// Compiles a pattern in which `^` and `$` stand for the ends of a line.
    pub fn new(pattern: &str, encoding: Encoding, is_omitted: bool) -> Result<Self, regex::Error> {
        let pattern = format!("(?m){}", from_go(pattern));
        let matcher = match encoding {
            Encoding::Utf8 | Encoding::Utf8Raw | Encoding::Nop => {
                Matcher::Bytes(BytesRegex::new(&pattern)?)
            }
            Encoding::Utf16(_) | Encoding::Other(_) => Matcher::Text(Regex::new(&pattern)?),
        };
        Ok(Self { matcher, is_omitted })
    }

    /// Every match in `line`, as a range of its bytes.
    fn visit(&self, line: &[u8], encoding: Encoding, mut visit: impl FnMut(usize, usize)) {
        match &self.matcher {
            Matcher::Bytes(regex) => {
                regex.find_iter(line).for_each(|found| visit(found.start(), found.end()));
            }
            Matcher::Text(regex) => {
                let Decoded::Text { text, .. } = encoding.decode(line, false) else { return };
                let (mut seen, mut seen_bytes) = (0, 0);
                let mut bytes_at = |at: usize| {
                    seen_bytes += encoding.encoded_len(&text[seen..at]);
                    seen = at;
                    seen_bytes.min(line.len())
                };
                for found in regex.find_iter(&text) {
                    let start = bytes_at(found.start());
                    visit(start, bytes_at(found.end()));
                }
            }
        }
    }
}

/// The token that has not ended yet.
#[derive(Debug)]
pub(super) struct Records {
    /// Where `pending` begins in the file.
    start: u64,
    pending: Vec<u8>,
    /// Where the token begins in `pending`, and where what it says does.
    token: usize,
    text: usize,
    /// Where the line begins that was not looked through.
    line: usize,
    /// Up to where there is no line end.
    scanned: usize,
    /// Whether the line is the rest of a longer one.
    is_continued: bool,
    truncated: Option<Truncated>,
}

/// A token of which the rest is left out.
#[derive(Debug)]
struct Truncated {
    start: u64,
    kept: Vec<u8>,
}

/// A line that is looked through, or a piece of one.
struct Line<'p> {
    pending: &'p [u8],
    start: usize,
    end: usize,
    /// Whether it is the rest of a longer one.
    is_continued: bool,
    /// Whether it has its line end.
    is_ended: bool,
    settings: &'p SplitSettings,
}

impl Records {
    pub(super) fn new(start: u64) -> Self {
        let (pending, truncated) = (Vec::new(), None);
        let (token, text, line, scanned, is_continued) = (0, 0, 0, 0, false);
        Self { start, pending, token, text, line, scanned, is_continued, truncated }
    }

    pub(super) fn consumed(&self) -> u64 {
        self.truncated.as_ref().map_or(self.offset(self.token), |truncated| truncated.start)
    }

    pub(super) fn is_pending(&self) -> bool {
        self.truncated.is_some() || self.token < self.pending.len()
    }

    pub(super) fn held_bytes(&self) -> usize {
        let kept = self.truncated.as_ref().map_or(0, |truncated| truncated.kept.capacity());
        self.pending.capacity() + kept
    }

    pub(super) fn feed(
        &mut self,
        bytes: &[u8],
        settings: &SplitSettings,
        sink: &mut impl FnMut(Token<'_>),
    ) {
        if self.pending.capacity() - self.pending.len() < bytes.len() {
            // Less than the usual doubling: what is held is bounded, and files are many.
            self.pending.reserve_exact(bytes.len().max(self.pending.len() / 4));
        }
        self.pending.extend_from_slice(bytes);
        while let Some((end, is_ended)) = self.next_line(settings) {
            self.look_through(end, is_ended, settings, sink);
        }
        self.compact();
    }

    /// Where the next line ends, or a piece of one that is too long; and whether it is a line.
    fn next_line(&mut self, settings: &SplitSettings) -> Option<(usize, bool)> {
        let encoding = settings.encoding;
        let max = settings.token_bytes_max;
        let oversize = self.line + max + 2 * encoding.unit_len();
        let until = self.pending.len().min(oversize);
        let from = self.scanned.max(self.line);
        let found = line_end(&self.pending[from..until], self.offset(from), encoding);
        let rest = &self.pending[self.line..];
        if let Some(end) = found.map(|end| from + end)
            && without_line_end(&self.pending[self.line..end], encoding).len() <= max
        {
            return Some((end, true));
        }
        if found.is_none() && until < oversize {
            self.scanned = until.saturating_sub(encoding.unit_len() - 1);
            return None;
        }
        Some((self.line + encoding.cut(rest, self.offset(self.line), max), false))
    }

    /// Hands out the tokens that end in the line up to `end`.
    fn look_through(
        &mut self,
        end: usize,
        is_ended: bool,
        settings: &SplitSettings,
        sink: &mut impl FnMut(Token<'_>),
    ) {
        // The pattern reads what tokens are cut out of.
        let pending = std::mem::take(&mut self.pending);
        let start = std::mem::replace(&mut self.line, end);
        let is_continued = std::mem::replace(&mut self.is_continued, !is_ended);
        let line = Line { pending: &pending, start, end, is_continued, is_ended, settings };
        let encoding = settings.encoding;
        match &settings.boundary {
            Boundary::Start(pattern) => {
                pattern.visit(&pending[start..end], encoding, |from, to| {
                    self.begin(&line, start + from..start + to, pattern.is_omitted, sink);
                })
            }
            Boundary::End(pattern) => pattern.visit(&pending[start..end], encoding, |from, to| {
                self.end_at(&line, start + from..start + to, pattern.is_omitted, sink);
            }),
            Boundary::Newline | Boundary::Size => {}
        }
        self.bound(&pending, end, settings, sink);
        self.pending = pending;
    }

    /// A token begins where `found` does.
    fn begin(
        &mut self,
        line: &Line<'_>,
        found: Range<usize>,
        is_omitted: bool,
        sink: &mut impl FnMut(Token<'_>),
    ) {
        // The rest of a line does not begin one, and what begins at its end is the next one's.
        let is_rest = line.is_continued && found.start == line.start;
        if is_rest || found.start == line.end {
            return;
        }
        self.bound(line.pending, found.start, line.settings, sink);
        if self.token < found.start || self.truncated.is_some() {
            self.end(line.pending, found.start, found.start, sink);
        }
        if is_omitted {
            self.text = found.end;
        }
    }

    /// A token ends where `found` does.
    fn end_at(
        &mut self,
        line: &Line<'_>,
        found: Range<usize>,
        is_omitted: bool,
        sink: &mut impl FnMut(Token<'_>),
    ) {
        // More of the line may follow, so that nothing ends here yet.
        let is_open = !line.is_ended && found.is_empty() && found.end == line.end;
        if self.token < found.end && !is_open {
            self.bound(line.pending, found.end, line.settings, sink);
            let text_end = if is_omitted { found.start } else { found.end };
            self.end(line.pending, found.end, text_end, sink);
        }
    }

    /// The token ends at `end`, what it says perhaps before that.
    fn end(
        &mut self,
        pending: &[u8],
        end: usize,
        text_end: usize,
        sink: &mut impl FnMut(Token<'_>),
    ) {
        let to = self.offset(end);
        match self.truncated.take() {
            Some(Truncated { start, kept }) => {
                sink(Token { range: start..to, bytes: &kept, is_truncated: true });
            }
            None => {
                let bytes = &pending[self.text.min(text_end)..text_end];
                let range = self.offset(self.token)..to;
                sink(Token { range, bytes, is_truncated: false });
            }
        }
        self.token = end;
        self.text = end;
    }

    /// Cuts the token while it is too long.
    fn bound(
        &mut self,
        pending: &[u8],
        end: usize,
        settings: &SplitSettings,
        sink: &mut impl FnMut(Token<'_>),
    ) {
        let max = settings.token_bytes_max;
        while self.truncated.is_none() && max < end - self.token {
            let start = self.offset(self.token);
            let at = self.token + settings.encoding.cut(&pending[self.token..end], start, max);
            match settings.on_oversize {
                OnOversize::Split => self.end(pending, at, at, sink),
                OnOversize::Truncate => {
                    let kept = pending[self.text.min(at)..at].to_vec();
                    self.truncated = Some(Truncated { start, kept });
                }
            }
        }
        if self.truncated.is_some() {
            self.token = end;
            self.text = end;
        }
    }

    pub(super) fn flush(
        &mut self,
        why: Flush,
        settings: &SplitSettings,
        sink: &mut impl FnMut(Token<'_>),
    ) {
        let torn = match why {
            Flush::Quiet => settings.encoding.torn_tail_len(&self.pending, self.start),
            Flush::End => 0,
        };
        let end = self.pending.len() - torn;
        if self.line < end {
            self.look_through(end, false, settings, sink);
        }
        // Until its end is seen, what follows still belongs to a token that was truncated.
        let is_over = self.truncated.is_none() || why == Flush::End;
        if is_over && (self.token < end || self.truncated.is_some()) {
            let pending = std::mem::take(&mut self.pending);
            self.end(&pending, end, end, sink);
            self.pending = pending;
        }
        self.compact();
    }

    /// Forgets what was handed out.
    fn compact(&mut self) {
        let done = self.token;
        self.pending.drain(..done);
        self.start += done as u64;
        self.token = 0;
        self.text -= done;
        self.line -= done;
        self.scanned = self.scanned.saturating_sub(done);
    }

    fn offset(&self, at: usize) -> u64 {
        self.start + at as u64
    }
}
