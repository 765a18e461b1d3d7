//! Assembler: puts the pieces together from slices of the blocks and new prefixes.
//!
//! Bounds: a list entry for each gap between the slices of one piece.
//! Invariant: prefixes are filled in when their container closes or the piece ends.

use std::ops::Range;

use bytes::Bytes;

use super::layers::Layers;
use super::walk::{Choice, Shown, Span, Visit};
use crate::protobuf::put_len_prefix;
use crate::rope::{Rope, Writer};
use crate::{Payload, Signal};

/// A piece is copied when it would pin buffers of more than this many times its size.
const PINNED_TIMES_MAX: usize = 4;

/// A part of a piece.
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
}

/// Makes one payload per range, or one of all.
#[derive(Debug)]
pub(super) struct Assembler<'a> {
    signal: Signal,
    blocks: &'a [Bytes],
    ranges: &'a [Range<usize>],
    is_joining: bool,
    /// How many items went by.
    position: usize,
    layers: Layers,
    /// The place of each used layer's prefix, but for the request, which has none.
    prefixes: Vec<usize>,
    fragments: Vec<Fragment>,
    items: usize,
    made: Vec<Payload>,
}

impl<'a> Assembler<'a> {
    pub(super) fn new(signal: Signal, blocks: &'a [Bytes], ranges: &'a [Range<usize>]) -> Self {
        Self {
            signal,
            blocks,
            ranges,
            is_joining: false,
            position: 0,
            layers: Layers::default(),
            prefixes: Vec::new(),
            fragments: Vec::new(),
            items: 0,
            made: Vec::new(),
        }
    }

    /// Makes one payload of all ranges.
    pub(super) fn joining(signal: Signal, blocks: &'a [Bytes], ranges: &'a [Range<usize>]) -> Self {
        Self { is_joining: true, ..Self::new(signal, blocks, ranges) }
    }

    pub(super) fn finish(self) -> Vec<Payload> {
        self.made
    }

    /// Moves on to the range that ends behind the current position.
    fn advance(&mut self) {
        while let Some((first, rest)) = self.ranges.split_first()
            && first.end <= self.position
        {
            self.ranges = rest;
            if !self.is_joining {
                self.end_piece();
            }
        }
    }

    fn take(&mut self, items: usize, field: Span) {
        self.use_layers();
        self.push_slice(field, self.layers.depth() == 1);
        self.layers.add(field.len());
        self.items += items;
    }

    /// Writes the headers of the open containers that the piece does not hold yet.
    fn use_layers(&mut self) {
        let mut fresh = Vec::new();
        for (depth, layer) in self.layers.iter().enumerate().filter(|(_, layer)| !layer.is_used()) {
            if 0 < layer.number {
                self.prefixes.push(self.fragments.len() + fresh.len());
                let part = Part::Prefix { number: layer.number, len: 0 };
                fresh.push(Fragment { part, is_top: depth == 1 });
            }
            let slice = |span: &Span| Fragment { part: Part::Slice(*span), is_top: depth == 0 };
            fresh.extend(layer.headers.iter().map(slice));
        }
        self.fragments.append(&mut fresh);
    }

    fn push_slice(&mut self, span: Span, is_top: bool) {
        if let Some(Fragment { part: Part::Slice(last), is_top: was_top }) =
            self.fragments.last_mut()
            && (last.block, last.end, *was_top) == (span.block, span.start, is_top)
        {
            last.end = span.end;
            return;
        }
        self.fragments.push(Fragment { part: Part::Slice(span), is_top });
    }

    fn fill_prefix(&mut self, at: usize, body_len: usize) {
        if let Some(Fragment { part: Part::Prefix { len, .. }, .. }) = self.fragments.get_mut(at) {
            *len = body_len;
        }
    }

    fn end_piece(&mut self) {
        let lens: Vec<usize> = self
            .layers
            .iter()
            .skip(1)
            .filter(|layer| layer.is_used())
            .map(|layer| layer.len())
            .collect();
        for (at, len) in std::mem::take(&mut self.prefixes).into_iter().zip(lens) {
            self.fill_prefix(at, len);
        }
        let rope = self.rope();
        self.made.push(Payload::trusted(self.signal, self.items, rope));
        self.fragments.clear();
        self.items = 0;
        self.layers.clear_lengths();
    }

    fn rope(&self) -> Rope {
        if self.pinned() > PINNED_TIMES_MAX * self.layers.piece_len() {
            return self.copied();
        }
        let mut writer = Writer::default();
        for fragment in &self.fragments {
            if fragment.is_top {
                writer.begin_field();
            }
            match fragment.part {
                Part::Prefix { number, len } => {
                    writer.write(|out| put_len_prefix(out, number, len));
                }
                Part::Slice(span) => {
                    writer.share(self.blocks[span.block].slice(span.start..span.end));
                }
            }
        }
        writer.finish()
    }

    fn copied(&self) -> Rope {
        let mut out = Vec::with_capacity(self.layers.piece_len());
        for fragment in &self.fragments {
            match fragment.part {
                Part::Prefix { number, len } => put_len_prefix(&mut out, number, len),
                Part::Slice(span) => {
                    out.extend_from_slice(&self.blocks[span.block][span.start..span.end]);
                }
            }
        }
        Rope::of(out.into())
    }

    /// The size of the buffers that slices of the piece would keep alive.
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

impl Visit for Assembler<'_> {
    fn field(&mut self, field: &Shown) -> Choice {
        self.advance();
        let end = self.position + field.items;
        if let Some(range) = self.ranges.first().filter(|range| range.start < end) {
            let is_inside = range.start <= self.position && end <= range.end;
            if !(is_inside && field.is_tidy) {
                return Choice::Open;
            }
            self.take(field.items, field.span);
        }
        self.position = end;
        Choice::Done
    }

    fn open(&mut self, number: u32, headers: Vec<Span>) {
        self.layers.open(number, headers);
    }

    fn close(&mut self) {
        let is_request = self.layers.depth() == 1;
        if is_request {
            // What the ranges still ask for ends here.
            self.position = usize::MAX;
            self.advance();
            if self.is_joining {
                self.end_piece();
            }
        }
        if let Some(layer) = self.layers.close()
            && layer.is_used()
            && let Some(at) = self.prefixes.pop()
        {
            self.fill_prefix(at, layer.len());
        }
    }
}
