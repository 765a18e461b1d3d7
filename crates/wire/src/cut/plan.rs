//! Plan: where to cut so that no piece is longer than asked.
//!
//! Cost: a few additions per item or whole container; nothing is written.

use std::ops::Range;

use super::layers::Layers;
use super::walk::{Choice, Shown, Visit};
use crate::rope::compose::Span;

/// Fills piece after piece with as many items as fit.
#[derive(Debug)]
pub(super) struct Planner {
    bytes_max: usize,
    layers: Layers,
    cuts: Vec<Range<usize>>,
    /// The items of the piece that is being filled.
    piece: Range<usize>,
}

impl Planner {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, layers: Layers::default(), cuts: Vec::new(), piece: 0..0 }
    }

    pub(super) fn finish(mut self) -> Vec<Range<usize>> {
        self.end_piece();
        self.cuts
    }

    fn end_piece(&mut self) {
        if !self.piece.is_empty() {
            self.cuts.push(self.piece.clone());
        }
        self.piece = self.piece.end..self.piece.end;
        self.layers.clear_lengths();
    }
}

impl Visit for Planner {
    fn field(&mut self, field: &Shown) -> Choice {
        let len = field.span.len();
        let is_over = self.bytes_max < self.layers.piece_len_with(len);
        if !field.is_tidy || (is_over && 1 < field.items) {
            return Choice::Open;
        }
        if is_over {
            self.end_piece();
        }
        self.layers.add(len);
        self.piece.end += field.items;
        Choice::Done
    }

    fn open(&mut self, number: u32, headers: Vec<Span>) {
        self.layers.open(number, headers.iter().map(|span| span.len()).sum());
    }

    fn close(&mut self) {
        self.layers.close();
    }
}
