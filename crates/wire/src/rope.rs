//! Rope: an encoded request as slices of several buffers, in order.
//!
//! Cost: joining moves slices; only slices below `SMALL_BYTES` are copied, together.
//! Invariant: the slices of a block, one behind the other, are whole top-level fields. Most blocks
//! are one slice; a request that was cut has blocks of several, which are joined when looked into.

use std::ops::Range;

use bytes::Bytes;

pub(crate) mod compose;

/// Slices shorter than this are copied together: a slice of its own costs more than the copy.
pub(crate) const SMALL_BYTES: usize = 2048;

/// Slices of buffers, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rope {
    segments: Vec<Bytes>,
    /// The segments that begin inside a top-level field, ascending.
    inner: Vec<usize>,
}

impl Rope {
    pub(crate) fn of(encoded: Bytes) -> Self {
        let segments = if encoded.is_empty() { Vec::new() } else { vec![encoded] };
        Self { segments, inner: Vec::new() }
    }

    pub(crate) fn bytes_len(&self) -> usize {
        self.segments.iter().map(Bytes::len).sum()
    }

    pub(crate) fn segments(&self) -> &[Bytes] {
        &self.segments
    }

    /// Each block in one piece; copies those that are several slices.
    pub(crate) fn blocks(&self) -> Vec<Bytes> {
        if self.inner.is_empty() {
            return self.segments.clone();
        }
        let is_inner = |at: usize| self.inner.binary_search(&at).is_ok();
        let mut blocks = Vec::new();
        let mut start = 0;
        while start < self.segments.len() {
            let len = (start + 1..self.segments.len()).take_while(|at| is_inner(*at)).count() + 1;
            blocks.push(join(&self.segments[start..start + len]));
            start += len;
        }
        blocks
    }

    pub(crate) fn to_bytes(&self) -> Bytes {
        join(&self.segments)
    }
}

fn join(segments: &[Bytes]) -> Bytes {
    match segments {
        [] => Bytes::new(),
        [only] => only.clone(),
        many => many.concat().into(),
    }
}

/// Writes a rope from front to back.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    rope: Rope,
    /// What is copied together and becomes the next segment.
    pending: Vec<u8>,
    is_pending_inner: bool,
    /// Whether the last write ended inside a top-level field.
    is_inside: bool,
}

impl Writer {
    /// Joins ropes, one behind the other.
    pub(crate) fn join(ropes: Vec<Rope>) -> Rope {
        let mut writer = Self::default();
        ropes.into_iter().for_each(|rope| writer.append(rope));
        writer.finish()
    }

    /// Tells that the next write begins a top-level field.
    pub(crate) fn begin_field(&mut self) {
        self.is_inside = false;
    }

    /// Appends a part of a buffer; shares it unless it is small.
    pub(crate) fn share_part(&mut self, buffer: &Bytes, part: Range<usize>) {
        if part.len() < SMALL_BYTES {
            self.copy(&buffer[part]);
            return;
        }
        self.end_pending();
        self.push(buffer.slice(part), self.is_inside);
        self.is_inside = true;
    }

    /// Appends a copy.
    pub(crate) fn copy(&mut self, bytes: &[u8]) {
        self.write(|pending| pending.extend_from_slice(bytes));
    }

    /// Appends what `write` appends.
    pub(crate) fn write(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        if self.pending.is_empty() {
            self.is_pending_inner = self.is_inside;
        }
        write(&mut self.pending);
        self.is_inside = true;
    }

    /// Appends another rope, whose first segment begins a top-level field.
    pub(crate) fn append(&mut self, rope: Rope) {
        let mut inner = rope.inner.into_iter().peekable();
        for (at, segment) in rope.segments.into_iter().enumerate() {
            if inner.next_if_eq(&at).is_none() {
                self.begin_field();
            }
            self.share_part(&segment, 0..segment.len());
        }
    }

    pub(crate) fn finish(mut self) -> Rope {
        self.end_pending();
        self.rope
    }

    fn end_pending(&mut self) {
        if !self.pending.is_empty() {
            let pending = std::mem::take(&mut self.pending);
            self.push(pending.into(), self.is_pending_inner);
        }
    }

    fn push(&mut self, segment: Bytes, is_inner: bool) {
        if is_inner {
            self.rope.inner.push(self.rope.segments.len());
        }
        self.rope.segments.push(segment);
    }
}

#[cfg(test)]
mod tests;
