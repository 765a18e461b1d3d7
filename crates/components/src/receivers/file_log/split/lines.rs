//! Lines: tokens that end with a line end, or by their size alone.

use super::units::{line_end, without_line_end};
use super::{Boundary, Flush, OnOversize, SplitSettings, Token};

/// The line that has not ended yet.
#[derive(Debug)]
pub(super) struct Lines {
    /// Where it begins in the file.
    start: u64,
    pending: Vec<u8>,
    /// What was left out after `pending`, once it was cut.
    skipped: Option<Skipped>,
}

#[derive(Clone, Copy, Debug)]
struct Skipped {
    len: u64,
    /// Half a line end, perhaps.
    last: u8,
}

impl Lines {
    pub(super) fn new(start: u64) -> Self {
        Self { start, pending: Vec::new(), skipped: None }
    }

    pub(super) fn consumed(&self) -> u64 {
        self.start
    }

    pub(super) fn is_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.pending.capacity()
    }

    pub(super) fn feed(
        &mut self,
        bytes: &[u8],
        settings: &SplitSettings,
        sink: &mut impl FnMut(Token<'_>),
    ) {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = match self.pending.is_empty() {
                true => self.whole_lines(rest, settings, sink),
                false => self.go_on(rest, settings, sink),
            };
        }
    }

    /// Hands out the lines that lie whole in `bytes`; keeps the rest, of which it may leave some.
    fn whole_lines<'b>(
        &mut self,
        bytes: &'b [u8],
        settings: &SplitSettings,
        sink: &mut impl FnMut(Token<'_>),
    ) -> &'b [u8] {
        let mut rest = bytes;
        while let Some(end) = find(rest, self.start, settings) {
            let (line, after) = rest.split_at(end);
            self.hand_out(line, settings, sink);
            rest = after;
        }
        let (kept, left) = rest.split_at(rest.len().min(oversize(settings)));
        self.pending.extend_from_slice(kept);
        self.cut(settings, sink);
        left
    }

    /// Adds to the pending line, up to its end or to where it is cut; returns what is left.
    fn go_on<'b>(
        &mut self,
        bytes: &'b [u8],
        settings: &SplitSettings,
        sink: &mut impl FnMut(Token<'_>),
    ) -> &'b [u8] {
        let at = self.end();
        let is_torn = !at.is_multiple_of(settings.encoding.unit_len() as u64);
        let room = match self.skipped {
            Some(_) => bytes.len(),
            None => bytes.len().min(oversize(settings) - self.pending.len()),
        };
        let end = match is_torn {
            // The second half of a unit; it ends the line if the whole unit does.
            true => self.is_line_end_with(bytes[0], settings).then_some(1),
            false => find(&bytes[..room], at, settings),
        };
        let (taken, left) = bytes.split_at(end.unwrap_or(if is_torn { 1 } else { room }));
        let is_line_end = end.is_some();
        match &mut self.skipped {
            Some(skipped) => {
                skipped.len += taken.len() as u64;
                skipped.last = taken[taken.len() - 1];
            }
            None => self.pending.extend_from_slice(taken),
        }
        match is_line_end {
            true => self.end_line(settings, sink),
            false => self.cut(settings, sink),
        }
        left
    }

    /// Whether the last byte of the line and `byte` are a line end.
    fn is_line_end_with(&self, byte: u8, settings: &SplitSettings) -> bool {
        let skipped = self.skipped.map(|skipped| skipped.last);
        let last = skipped.or(self.pending.last().copied());
        last.is_some_and(|last| find(&[last, byte], self.end() - 1, settings).is_some())
    }

    fn end_line(&mut self, settings: &SplitSettings, sink: &mut impl FnMut(Token<'_>)) {
        let mut line = std::mem::take(&mut self.pending);
        match self.skipped.take() {
            Some(skipped) => self.hand_out_truncated(&line, skipped.len, sink),
            None => self.hand_out(&line, settings, sink),
        }
        line.clear();
        self.pending = line;
    }

    fn hand_out_truncated(&mut self, kept: &[u8], skipped: u64, sink: &mut impl FnMut(Token<'_>)) {
        let end = self.start + kept.len() as u64 + skipped;
        sink(Token { range: self.start..end, bytes: kept, is_truncated: true });
        self.start = end;
    }

    /// Hands out a line with its line end, in pieces if it is too long.
    fn hand_out(
        &mut self,
        line: &[u8],
        settings: &SplitSettings,
        sink: &mut impl FnMut(Token<'_>),
    ) {
        let mut line = line;
        loop {
            let bytes = match settings.boundary {
                Boundary::Size => line,
                _ => without_line_end(line, settings.encoding),
            };
            let max = settings.token_bytes_max;
            if bytes.len() <= max {
                let end = self.start + line.len() as u64;
                sink(Token { range: self.start..end, bytes, is_truncated: false });
                self.start = end;
                return;
            }
            let at = settings.encoding.cut(line, self.start, max);
            if is_truncating(settings) {
                return self.hand_out_truncated(&line[..at], (line.len() - at) as u64, sink);
            }
            let end = self.start + at as u64;
            sink(Token { range: self.start..end, bytes: &line[..at], is_truncated: false });
            self.start = end;
            line = &line[at..];
        }
    }

    /// Cuts the pending line when it is certain that it is too long.
    fn cut(&mut self, settings: &SplitSettings, sink: &mut impl FnMut(Token<'_>)) {
        if self.skipped.is_some() || self.pending.len() < oversize(settings) {
            return;
        }
        let at = settings.encoding.cut(&self.pending, self.start, settings.token_bytes_max);
        if is_truncating(settings) {
            let left_out = &self.pending[at..];
            let last = left_out.last().copied().unwrap_or(0);
            self.skipped = Some(Skipped { len: left_out.len() as u64, last });
            self.pending.truncate(at);
            return;
        }
        let end = self.start + at as u64;
        sink(Token { range: self.start..end, bytes: &self.pending[..at], is_truncated: false });
        self.start = end;
        self.pending.drain(..at);
    }

    pub(super) fn flush(
        &mut self,
        why: Flush,
        settings: &SplitSettings,
        sink: &mut impl FnMut(Token<'_>),
    ) {
        if self.skipped.is_some() {
            // Until its end is seen, what follows still belongs to the line that was cut.
            if why == Flush::End {
                self.end_line(settings, sink);
            }
            return;
        }
        let torn = match why {
            Flush::Quiet => settings.encoding.torn_tail_len(&self.pending, self.start),
            Flush::End => 0,
        };
        let whole = self.pending.len() - torn;
        if 0 < whole {
            let line: Vec<u8> = self.pending.drain(..whole).collect();
            self.hand_out(&line, settings, sink);
        }
    }

    /// Where the pending line ends so far.
    fn end(&self) -> u64 {
        self.start + self.pending.len() as u64 + self.skipped.map_or(0, |skipped| skipped.len)
    }
}

/// A line of so many bytes that has no line end is too long, even if the last ones begin one.
fn oversize(settings: &SplitSettings) -> usize {
    settings.token_bytes_max + 2 * settings.encoding.unit_len()
}

fn is_truncating(settings: &SplitSettings) -> bool {
    settings.on_oversize == OnOversize::Truncate && !matches!(settings.boundary, Boundary::Size)
}

#[inline]
fn find(bytes: &[u8], start: u64, settings: &SplitSettings) -> Option<usize> {
    match settings.boundary {
        Boundary::Size => None,
        _ => line_end(bytes, start, settings.encoding),
    }
}
