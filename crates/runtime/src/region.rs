//! Region: a place for one large body, which it does not outgrow.
//!
//! A large region is pages of its own: only what was written to is resident, it never moves while it
//! fills, and all of it goes back to the system with the last of its bytes, whereas an allocator
//! keeps what was freed for a while. Small ones come from the allocator, which is quicker.
//! Bounds: the size given at the start. Cost: a page fault for each 4 KiB of a large one.

use std::fmt;
use std::future::Future as _;
use std::io;
use std::ops::Deref;
use std::pin::pin;
use std::task::{Context, Poll, ready};

use bytes::{BufMut as _, Bytes};
use memmap2::{Advice, MmapMut};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// From this size on a region is pages of its own.
const PAGES_BYTES_MIN: usize = 1 << 20;
/// What a small region makes ready for writing at once.
const STEP_BYTES: usize = 64 << 10;

/// Memory of a fixed size that is filled from its beginning.
pub struct Region {
    place: Place,
    filled: usize,
    bytes_max: usize,
}

enum Place {
    /// As long as what is filled, or longer by what was made ready for writing.
    Heap(Vec<u8>),
    Pages(MmapMut),
}

/// The bytes are more than the region takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than {bytes_max} bytes")]
pub struct Full {
    pub bytes_max: usize,
}

impl Region {
    /// A region for exactly so many bytes.
    #[must_use]
    pub fn of(bytes: usize) -> Self {
        Self { place: Place::of(bytes), filled: 0, bytes_max: bytes }
    }

    /// A region for an unknown number of bytes: it begins small, and moves once if there are many.
    #[must_use]
    pub fn up_to(bytes_max: usize) -> Self {
        Self { place: Place::Heap(Vec::new()), filled: 0, bytes_max }
    }

    /// Appends `bytes`.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Full> {
        let needed = self.filled.saturating_add(bytes.len());
        if self.bytes_max < needed {
            return Err(Full { bytes_max: self.bytes_max });
        }
        self.make_place(needed);
        match &mut self.place {
            Place::Heap(heap) => {
                heap.truncate(self.filled);
                heap.extend_from_slice(bytes);
            }
            Place::Pages(pages) => pages[self.filled..needed].copy_from_slice(bytes),
        }
        self.filled = needed;
        Ok(())
    }

    /// Room to write to, empty when the region is full; [`Region::fill`] tells how much was used.
    pub fn room(&mut self) -> &mut [u8] {
        let until = self.bytes_max.min(self.filled.saturating_add(STEP_BYTES));
        self.room_until(until)
    }

    /// All the room that is left.
    pub fn all_room(&mut self) -> &mut [u8] {
        self.room_until(self.bytes_max)
    }

    /// Counts the next `count` bytes of the room as filled.
    pub fn fill(&mut self, count: usize) {
        assert!(count <= self.bytes_max - self.filled, "no more is filled than there was room for");
        self.filled += count;
    }

    /// Reads from `source` once, at most `bytes_max`, into room that is not cleared before; gives how much
    /// came, which is nothing at the end of the source, or when the region is full.
    pub fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        source: &mut (impl AsyncRead + Unpin),
        bytes_max: usize,
    ) -> Poll<io::Result<usize>> {
        let until = self.bytes_max.min(self.filled.saturating_add(bytes_max));
        self.make_place(until);
        let count = match &mut self.place {
            Place::Heap(heap) => {
                heap.truncate(self.filled);
                heap.reserve(until - self.filled);
                let mut room = heap.limit(until - self.filled);
                ready!(pin!(source.read_buf(&mut room)).poll(cx))?
            }
            Place::Pages(pages) => {
                let mut room = &mut pages[self.filled..until];
                ready!(pin!(source.read_buf(&mut room)).poll(cx))?
            }
        };
        self.filled += count;
        Poll::Ready(Ok(count))
    }

    /// What was filled, to be shared. Pages of which little is used are let go of.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        let Self { place, filled, .. } = self;
        match place {
            Place::Heap(mut heap) => {
                heap.truncate(filled);
                heap.shrink_to_fit();
                heap.into()
            }
            Place::Pages(pages) if filled < PAGES_BYTES_MIN => {
                Bytes::copy_from_slice(&pages[..filled])
            }
            Place::Pages(pages) => Bytes::from_owner(Filled { pages, filled }),
        }
    }

    fn room_until(&mut self, until: usize) -> &mut [u8] {
        self.make_place(until);
        match &mut self.place {
            Place::Heap(heap) => {
                if heap.len() < until {
                    heap.resize(until, 0);
                }
                &mut heap[self.filled..until]
            }
            Place::Pages(pages) => &mut pages[self.filled..until],
        }
    }

    /// Sees to it that `needed` bytes have a place; one that began small moves at most once.
    fn make_place(&mut self, needed: usize) {
        if let Place::Heap(heap) = &mut self.place
            && heap.capacity() < needed
            && PAGES_BYTES_MIN <= needed
        {
            let filled = &heap[..self.filled];
            let mut place = Place::of(self.bytes_max);
            place.begin_with(filled);
            self.place = place;
        }
    }
}

impl Place {
    fn of(bytes: usize) -> Self {
        if bytes < PAGES_BYTES_MIN {
            return Self::Heap(Vec::with_capacity(bytes));
        }
        match MmapMut::map_anon(bytes) {
            Ok(pages) => {
                // A huge page is resident as a whole, however little of it is used. A kernel that
                // has none refuses, which is as well.
                pages.advise(Advice::NoHugePage).ok();
                Self::Pages(pages)
            }
            // The system has no more mappings; the allocator may have memory all the same.
            Err(_) => Self::Heap(Vec::with_capacity(bytes)),
        }
    }

    fn begin_with(&mut self, bytes: &[u8]) {
        match self {
            Self::Heap(heap) => heap.extend_from_slice(bytes),
            Self::Pages(pages) => pages[..bytes.len()].copy_from_slice(bytes),
        }
    }
}

impl Deref for Region {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.place {
            Place::Heap(heap) => &heap[..self.filled],
            Place::Pages(pages) => &pages[..self.filled],
        }
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Region({} of {} bytes)", self.filled, self.bytes_max)
    }
}

/// Pages that are shared.
struct Filled {
    pages: MmapMut,
    filled: usize,
}

impl AsRef<[u8]> for Filled {
    fn as_ref(&self) -> &[u8] {
        &self.pages[..self.filled]
    }
}

#[cfg(test)]
mod tests;
