//! Assembler: puts the pieces together from parts of the blocks and new prefixes.
//!
//! Bounds: a list entry for each gap between the parts of one piece.
//! Invariant: the containers open in the composer are the outermost of those open in the walk.

use std::ops::Range;

use bytes::Bytes;

use super::walk::{Choice, Shown, Visit};
use crate::rope::compose::{Composer, Span};
use crate::{Payload, Signal};

/// Makes one payload per range, or one of all.
#[derive(Debug)]
pub(super) struct Assembler<'a> {
    signal: Signal,
    ranges: &'a [Range<usize>],
    is_joining: bool,
    /// How many items went by.
    position: usize,
    /// The open containers, the request first.
    containers: Vec<Container>,
    composer: Composer<'a>,
    items: usize,
    made: Vec<Payload>,
}

#[derive(Debug)]
struct Container {
    /// Its field number; 0 for the request, which has no prefix.
    number: u32,
    headers: Vec<Span>,
    /// Whether the piece holds something of it.
    is_used: bool,
}

impl<'a> Assembler<'a> {
    pub(super) fn new(signal: Signal, blocks: &'a [Bytes], ranges: &'a [Range<usize>]) -> Self {
        Self {
            signal,
            ranges,
            is_joining: false,
            position: 0,
            containers: Vec::new(),
            composer: Composer::new(blocks),
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
        for container in self.containers.iter_mut().filter(|container| !container.is_used) {
            container.is_used = true;
            if 0 < container.number {
                self.composer.open(container.number);
            }
            for header in &container.headers {
                self.composer.slice(*header);
            }
        }
        self.composer.slice(field);
        self.items += items;
    }

    fn end_piece(&mut self) {
        let rope = self.composer.take();
        self.made.push(Payload::trusted(self.signal, self.items, rope));
        self.items = 0;
        for container in &mut self.containers {
            container.is_used = false;
        }
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
        self.containers.push(Container { number, headers, is_used: false });
    }

    fn close(&mut self) {
        let is_request = self.containers.len() == 1;
        if is_request {
            // What the ranges still ask for ends here.
            self.position = usize::MAX;
            self.advance();
            if self.is_joining {
                self.end_piece();
            }
        }
        if let Some(container) = self.containers.pop()
            && container.is_used
            && 0 < container.number
        {
            self.composer.close();
        }
    }
}
