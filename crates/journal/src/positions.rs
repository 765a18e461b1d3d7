//! Positions: where the live records of one stream stand.
//!
//! Chunks of 64 neighbouring positions: a bit for each that lives, and its place, packed. A live record
//! costs 16 bytes, and its chunk some 60; a chunk without live records costs nothing.

use std::collections::BTreeMap;
use std::ops::{Bound, RangeBounds};

/// Where a record stands, and what it weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) segment: u32,
    pub(crate) offset: u32,
    /// The contents of its frame.
    pub(crate) bytes: u32,
    pub(crate) weight: u32,
}

/// The live records of one stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Positions {
    chunks: BTreeMap<u64, Chunk>,
    len: usize,
}

#[derive(Clone, Debug, Default)]
struct Chunk {
    live: u64,
    /// In the order of the bits.
    places: Vec<Place>,
}

const CHUNK: u64 = 64;

impl Positions {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Adds or moves a record; gives where it was.
    pub(crate) fn insert(&mut self, position: u64, place: Place) -> Option<Place> {
        let chunk = self.chunks.entry(position / CHUNK).or_default();
        let (at, is_there) = chunk.find(position % CHUNK);
        if is_there {
            return Some(std::mem::replace(&mut chunk.places[at], place));
        }
        chunk.live |= 1 << (position % CHUNK);
        chunk.places.insert(at, place);
        self.len += 1;
        None
    }

    /// Removes a record; gives where it was.
    pub(crate) fn remove(&mut self, position: u64) -> Option<Place> {
        let chunk = self.chunks.get_mut(&(position / CHUNK))?;
        let (at, is_there) = chunk.find(position % CHUNK);
        if !is_there {
            return None;
        }
        chunk.live &= !(1 << (position % CHUNK));
        let place = chunk.places.remove(at);
        if chunk.live == 0 {
            self.chunks.remove(&(position / CHUNK));
        } else if chunk.places.len() * 4 < chunk.places.capacity() {
            chunk.places.shrink_to(chunk.places.len() * 2);
        }
        self.len -= 1;
        Some(place)
    }

    pub(crate) fn place(&self, position: u64) -> Option<Place> {
        let chunk = self.chunks.get(&(position / CHUNK))?;
        let (at, is_there) = chunk.find(position % CHUNK);
        is_there.then(|| chunk.places[at])
    }

    /// The live records in `range`, in order.
    pub(crate) fn within(
        &self,
        range: impl RangeBounds<u64>,
    ) -> impl Iterator<Item = (u64, Place)> {
        let first = match range.start_bound() {
            Bound::Included(start) | Bound::Excluded(start) => start / CHUNK,
            Bound::Unbounded => 0,
        };
        let (start, end) = (range.start_bound().cloned(), range.end_bound().cloned());
        let chunks = self.chunks.range(first..);
        let records = chunks.flat_map(|(at, chunk)| chunk.records(at * CHUNK));
        let records =
            records.skip_while(move |(position, _)| !(start, Bound::Unbounded).contains(position));
        records.take_while(move |(position, _)| (Bound::Unbounded, end).contains(position))
    }

    /// The first live record.
    pub(crate) fn first(&self) -> Option<u64> {
        let (at, chunk) = self.chunks.first_key_value()?;
        Some(at * CHUNK + u64::from(chunk.live.trailing_zeros()))
    }
}

impl Chunk {
    fn find(&self, bit: u64) -> (usize, bool) {
        let below = self.live & ((1 << bit) - 1);
        (below.count_ones() as usize, self.live >> bit & 1 == 1)
    }

    fn records(&self, base: u64) -> impl Iterator<Item = (u64, Place)> {
        let bits = (0..CHUNK).filter(|bit| self.live >> bit & 1 == 1);
        bits.map(move |bit| base + bit).zip(self.places.iter().copied())
    }
}

#[cfg(test)]
mod tests;
