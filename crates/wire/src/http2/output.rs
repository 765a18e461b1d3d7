//! Output: what is to be written, in order: frames of a few bytes, and payloads by reference.
//!
//! Bounds: none of its own; the connection puts payload in only while little is waiting.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

/// Payloads shorter than this are copied beside their heads: a piece of its own costs more.
const SMALL_BYTES: usize = 512;

/// Bytes that wait for the peer to take them.
#[derive(Debug, Default)]
pub(super) struct Output {
    pieces: VecDeque<Bytes>,
    pieces_bytes: usize,
    /// The last piece, still growing.
    tail: BytesMut,
}

impl Output {
    pub(super) fn bytes(&self) -> usize {
        self.pieces_bytes + self.tail.len()
    }

    /// Where short frames are written.
    pub(super) fn tail(&mut self) -> &mut BytesMut {
        &mut self.tail
    }

    pub(super) fn push(&mut self, payload: Bytes) {
        if payload.len() < SMALL_BYTES {
            return self.tail.extend_from_slice(&payload);
        }
        self.end_tail();
        self.pieces_bytes += payload.len();
        self.pieces.push_back(payload);
    }

    /// Moves all of it behind `pieces`.
    pub(super) fn take(&mut self, pieces: &mut VecDeque<Bytes>) {
        self.end_tail();
        pieces.append(&mut self.pieces);
        // An idle connection keeps no room for frames.
        *self = Self::default();
    }

    fn end_tail(&mut self) {
        if !self.tail.is_empty() {
            self.pieces_bytes += self.tail.len();
            self.pieces.push_back(self.tail.split().freeze());
        }
    }
}
