//! Compose: a request written from parts of others and new bytes, with lengths filled in as known.
//!
//! Cost: a small message is copied together when it is closed, behind the one before it; a list entry
//! for each gap between larger parts, then one pass that shares or copies those.
//! Invariant: a prefix carries the length of what was written between its `open` and `close`.

use std::ops::Range;

use bytes::Bytes;

use super::{Rope, SMALL_BYTES, Writer};
use crate::protobuf::{len_field_len, put_len_prefix};

/// A result is copied when it would pin buffers of more than this many times its size.
const PINNED_TIMES_MAX: usize = 4;

/// A part of one block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) block: usize,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Span {
    pub(crate) fn len(self) -> usize {
        self.end - self.start
    }

    /// The part of this span at these offsets.
    pub(crate) fn part(self, start: usize, end: usize) -> Self {
        Self { block: self.block, start: self.start + start, end: self.start + end }
    }

    pub(crate) fn bytes(self, blocks: &[Bytes]) -> &[u8] {
        &blocks[self.block][self.start..self.end]
    }
}

/// Collects the parts of a request.
#[derive(Debug)]
pub(crate) struct Composer<'a> {
    blocks: &'a [Bytes],
    fragments: Vec<Fragment>,
    /// New bytes.
    fresh: Vec<u8>,
    /// Small messages, complete.
    flat: Vec<u8>,
    /// How much `flat` makes room for at once.
    flat_expected: usize,
    open: Vec<Open>,
    len: usize,
}

#[derive(Debug)]
struct Fragment {
    part: Part,
    /// Whether it begins a field of the request itself.
    is_top: bool,
}

#[derive(Debug)]
enum Part {
    Prefix { number: u32, len: usize },
    Slice(Span),
    Fresh(Range<usize>),
    Flat(Range<usize>),
}

/// A message that is being written.
#[derive(Debug)]
struct Open {
    /// The place of its prefix.
    prefix: usize,
    number: u32,
    len: usize,
}

impl<'a> Composer<'a> {
    pub(crate) fn new(blocks: &'a [Bytes]) -> Self {
        Self {
            blocks,
            fragments: Vec::new(),
            fresh: Vec::new(),
            flat: Vec::new(),
            flat_expected: 0,
            open: Vec::new(),
            len: 0,
        }
    }

    /// The same for a request most of whose small messages will be written anew.
    pub(crate) fn for_many_small(blocks: &'a [Bytes]) -> Self {
        let bytes: usize = blocks.iter().map(Bytes::len).sum();
        // What is added is rarely more than an eighth.
        Self { flat_expected: bytes + bytes / 8, ..Self::new(blocks) }
    }

    /// Appends a part of a block.
    pub(crate) fn slice(&mut self, span: Span) {
        if span.len() == 0 {
            return;
        }
        self.grow(span.len());
        let is_top = self.open.is_empty();
        match self.fragments.last_mut() {
            Some(Fragment { part: Part::Slice(last), is_top: was_top })
                if (last.block, last.end, *was_top) == (span.block, span.start, is_top) =>
            {
                last.end = span.end;
            }
            _ => self.fragments.push(Fragment { part: Part::Slice(span), is_top }),
        }
    }

    /// Appends new bytes.
    pub(crate) fn fresh(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.fresh.len();
        write(&mut self.fresh);
        let end = self.fresh.len();
        self.grow(end - start);
        let is_top = self.open.is_empty();
        self.fragments.push(Fragment { part: Part::Fresh(start..end), is_top });
    }

    /// What follows, until `close`, is the message in field `number`.
    pub(crate) fn open(&mut self, number: u32) {
        self.open.push(Open { prefix: self.fragments.len(), number, len: 0 });
        let is_top = self.open.len() == 1;
        self.fragments.push(Fragment { part: Part::Prefix { number, len: 0 }, is_top });
    }

    pub(crate) fn close(&mut self) {
        let Some(closed) = self.open.pop() else { return };
        if let Some(Fragment { part: Part::Prefix { len, .. }, .. }) =
            self.fragments.get_mut(closed.prefix)
        {
            *len = closed.len;
        }
        let len = len_field_len(closed.number, closed.len);
        if len < SMALL_BYTES {
            self.flatten(closed.prefix);
        }
        self.grow(len);
    }

    /// Copies the fragments from `prefix` on together: a whole message.
    fn flatten(&mut self, prefix: usize) {
        let Self { blocks, fragments, fresh, flat, flat_expected, .. } = self;
        if flat.is_empty() {
            flat.reserve(*flat_expected);
        }
        let end = flat.len();
        // Messages in it are the last that were copied, and move behind its prefix.
        let mut start = end;
        let mut fresh_start = fresh.len();
        let is_top = fragments.get(prefix).is_some_and(|fragment| fragment.is_top);
        for Fragment { part, .. } in fragments.drain(prefix..) {
            match part {
                Part::Prefix { number, len } => put_len_prefix(flat, number, len),
                Part::Slice(span) => flat.extend_from_slice(span.bytes(blocks)),
                Part::Fresh(range) => {
                    fresh_start = fresh_start.min(range.start);
                    flat.extend_from_slice(&fresh[range]);
                }
                Part::Flat(range) => {
                    start = start.min(range.start);
                    flat.extend_from_within(range);
                }
            }
        }
        fresh.truncate(fresh_start);
        flat.drain(start..end);
        match fragments.last_mut() {
            Some(Fragment { part: Part::Flat(last), is_top: was_top })
                if (last.end, *was_top) == (start, is_top) =>
            {
                last.end = flat.len();
            }
            _ => fragments.push(Fragment { part: Part::Flat(start..flat.len()), is_top }),
        }
    }

    /// Closes a message in which nothing changed: it stays as it was, at `field`.
    pub(crate) fn close_unchanged(&mut self, field: Span) {
        if let Some(closed) = self.open.pop() {
            self.fragments.truncate(closed.prefix);
            self.slice(field);
        }
    }

    /// Ends the request and begins the next; open messages end with it.
    pub(crate) fn take(&mut self) -> Rope {
        while !self.open.is_empty() {
            self.close();
        }
        let is_pinning = self.pinned() > PINNED_TIMES_MAX * self.len;
        let is_fine = self.len < SMALL_BYTES * self.fragments.len();
        let rope = if is_pinning || is_fine { self.copied() } else { self.shared() };
        self.fragments.clear();
        self.fresh.clear();
        self.flat.clear();
        self.len = 0;
        rope
    }

    fn grow(&mut self, added: usize) {
        match self.open.last_mut() {
            Some(open) => open.len += added,
            None => self.len += added,
        }
    }

    fn shared(&mut self) -> Rope {
        let mut flat = std::mem::take(&mut self.flat);
        if flat.len() < flat.capacity() / 2 {
            flat.shrink_to_fit();
        }
        let flat = Bytes::from(flat);
        let mut writer = Writer::default();
        for fragment in &self.fragments {
            if fragment.is_top {
                writer.begin_field();
            }
            match &fragment.part {
                Part::Prefix { number, len } => {
                    writer.write(|out| put_len_prefix(out, *number, *len));
                }
                Part::Slice(span) => {
                    writer.share_part(&self.blocks[span.block], span.start..span.end);
                }
                Part::Fresh(range) => writer.copy(&self.fresh[range.clone()]),
                Part::Flat(range) => writer.share_part(&flat, range.clone()),
            }
        }
        writer.finish()
    }

    fn copied(&self) -> Rope {
        let mut out = Vec::with_capacity(self.len);
        for fragment in &self.fragments {
            match &fragment.part {
                Part::Prefix { number, len } => put_len_prefix(&mut out, *number, *len),
                Part::Slice(span) => out.extend_from_slice(span.bytes(self.blocks)),
                Part::Fresh(range) => out.extend_from_slice(&self.fresh[range.clone()]),
                Part::Flat(range) => out.extend_from_slice(&self.flat[range.clone()]),
            }
        }
        Rope::of(out.into())
    }

    /// The size of the buffers that the result would keep alive.
    fn pinned(&self) -> usize {
        let mut last = usize::MAX;
        let mut pinned = 0;
        for fragment in &self.fragments {
            if let Part::Slice(span) = fragment.part
                && span.block != last
            {
                last = span.block;
                pinned += self.blocks[span.block].len();
            }
        }
        pinned
    }
}
