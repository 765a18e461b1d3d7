//! Layers: the containers that are open, and how long each is in the piece that is being made.
//!
//! Invariant: the lengths of the layers in use are those of the piece so far, all prefixes included.

use super::walk::Span;
use crate::protobuf::len_field_len;

/// An open container.
#[derive(Debug)]
pub(super) struct Layer {
    /// Its field number; 0 for the request, which has no prefix.
    pub(super) number: u32,
    pub(super) headers: Vec<Span>,
    headers_len: usize,
    /// Length of its body in the piece; `None` while the piece holds nothing of it.
    len: Option<usize>,
}

/// The open containers, the request first.
#[derive(Debug, Default)]
pub(super) struct Layers(Vec<Layer>);

impl Layer {
    fn new(number: u32, headers: Vec<Span>) -> Self {
        let headers_len = headers.iter().map(|span| span.len()).sum();
        Self { number, headers, headers_len, len: None }
    }

    /// Length of its body in the piece.
    pub(super) fn len(&self) -> usize {
        self.len.unwrap_or(0)
    }

    /// Whether the piece holds something of it.
    pub(super) fn is_used(&self) -> bool {
        self.len.is_some()
    }

    /// Its length as a field, with a body that was `len` long and grew by `added`;
    /// and by how much the field grew.
    fn grown(&self, added: usize) -> (usize, usize) {
        let body = self.len.unwrap_or(self.headers_len) + added;
        if self.number == 0 {
            return (body, body - self.len());
        }
        let before = self.len.map_or(0, |len| len_field_len(self.number, len));
        (body, len_field_len(self.number, body) - before)
    }
}

impl Layers {
    pub(super) fn open(&mut self, number: u32, headers: Vec<Span>) {
        self.0.push(Layer::new(number, headers));
    }

    pub(super) fn close(&mut self) -> Option<Layer> {
        self.0.pop()
    }

    /// From the request inwards.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Layer> {
        self.0.iter()
    }

    /// How deep the innermost is; 1 for the request.
    pub(super) fn depth(&self) -> usize {
        self.0.len()
    }

    /// Length of the piece if `added` bytes were put into the innermost.
    pub(super) fn piece_len_with(&self, added: usize) -> usize {
        let grow = |(_, added), layer: &Layer| layer.grown(added);
        self.0.iter().rev().fold((0, added), grow).0
    }

    /// Puts `added` bytes into the innermost.
    pub(super) fn add(&mut self, added: usize) {
        self.0.iter_mut().rev().fold(added, |added, layer| {
            let (body, grown) = layer.grown(added);
            layer.len = Some(body);
            grown
        });
    }

    /// Length of the piece.
    pub(super) fn piece_len(&self) -> usize {
        self.0.first().map_or(0, Layer::len)
    }

    /// Begins the next piece.
    pub(super) fn clear_lengths(&mut self) {
        for layer in &mut self.0 {
            layer.len = None;
        }
    }
}
