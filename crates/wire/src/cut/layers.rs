//! Layers: how long each open container is in the piece that is being planned.
//!
//! Invariant: the lengths of the layers in use are those of the piece so far, all prefixes included.

use crate::protobuf::len_field_len;

/// An open container.
#[derive(Debug)]
struct Layer {
    /// Its field number; 0 for the request, which has no prefix.
    number: u32,
    /// Length of what stands beside the items, and is repeated in each piece.
    headers_len: usize,
    /// Length of its body in the piece; `None` while the piece holds nothing of it.
    len: Option<usize>,
}

/// The open containers, the request first.
#[derive(Debug, Default)]
pub(super) struct Layers(Vec<Layer>);

impl Layer {
    /// The length of its body with `added` bytes more, and by how much its field grows by that.
    fn grown(&self, added: usize) -> (usize, usize) {
        let body = self.len.unwrap_or(self.headers_len) + added;
        if self.number == 0 {
            return (body, body - self.len.unwrap_or(0));
        }
        let before = self.len.map_or(0, |len| len_field_len(self.number, len));
        (body, len_field_len(self.number, body) - before)
    }
}

impl Layers {
    pub(super) fn open(&mut self, number: u32, headers_len: usize) {
        self.0.push(Layer { number, headers_len, len: None });
    }

    pub(super) fn close(&mut self) {
        self.0.pop();
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

    /// Begins the next piece.
    pub(super) fn clear_lengths(&mut self) {
        for layer in &mut self.0 {
            layer.len = None;
        }
    }
}
