//! Footer: what a segment contains, without the bodies of data.
//!
//! Written when the segment is full, inside a frame; a trailer of fixed size at the end of the file
//! says where. About 14 bytes for a record of data.

use crate::frame::{self, Kind};
use crate::record::Record;
use crate::varint;

use super::scan::Found;

pub(crate) const TRAILER_BYTES: usize = 32;

const MAGIC: [u8; 8] = *b"TIDEFOOT";

/// The records of one segment in the order of their offsets, encoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Footer {
    entries: Vec<u8>,
    last: u32,
    frames: u32,
    digest: u32,
}

/// The end of a segment that is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trailer {
    pub(crate) number: u32,
    /// Where the frame of the footer stands.
    pub(crate) footer: u32,
    pub(crate) frames: u32,
    /// The checksum over the checksums of all frames before the footer.
    pub(crate) digest: u32,
}

/// The records that a footer names.
#[derive(Clone, Debug)]
pub(crate) struct Contents<'a> {
    entries: &'a [u8],
    last: u32,
}

impl Footer {
    /// Adds the frame at `offset`: `bytes` of contents, of which `detail` is kept.
    pub(crate) fn push(&mut self, found: &Found<'_>) {
        let Found { offset, kind, bytes, checksum, detail } = *found;
        self.entries.push(kind as u8);
        varint::put(&mut self.entries, u64::from(offset - self.last) / frame::ALIGNMENT as u64);
        varint::put(&mut self.entries, bytes.into());
        varint::put(&mut self.entries, detail.len() as u64);
        self.entries.extend(detail);
        self.last = offset;
        self.frames += 1;
        self.digest = crc32c::crc32c_append(self.digest, &checksum.to_le_bytes());
    }

    /// Takes the contents of a footer over; `None` when they are no records.
    pub(crate) fn read(entries: &[u8], trailer: &Trailer) -> Option<Self> {
        let mut contents = Contents::of(entries);
        let (mut last, mut frames) = (0, 0);
        for (entry, _) in contents.by_ref() {
            let end = entry.offset as usize + frame::padded(entry.bytes as usize);
            if (trailer.footer as usize) < end {
                return None;
            }
            (last, frames) = (entry.offset, frames + 1);
        }
        let is_whole = contents.left() == 0 && frames == trailer.frames;
        let digest = trailer.digest;
        is_whole.then(|| Self { entries: entries.to_vec(), last, frames, digest })
    }

    pub(crate) fn bytes(&self) -> usize {
        self.entries.len()
    }

    /// The most bytes that one more frame adds.
    pub(crate) fn growth(detail: usize) -> usize {
        1 + 5 + 5 + 3 + detail
    }

    pub(crate) fn encoded(&self) -> &[u8] {
        &self.entries
    }

    pub(crate) fn contents(&self) -> Contents<'_> {
        Contents::of(&self.entries)
    }

    pub(crate) fn trailer(&self, number: u32, footer: u32) -> Trailer {
        Trailer { number, footer, frames: self.frames, digest: self.digest }
    }
}

impl<'a> Contents<'a> {
    pub(crate) fn of(entries: &'a [u8]) -> Self {
        Self { entries, last: 0 }
    }

    /// Bytes that were not read yet.
    pub(crate) fn left(&self) -> usize {
        self.entries.len()
    }

    fn take(&mut self) -> Option<(Entry, Record<'a>)> {
        let (kind, rest) = self.entries.split_first()?;
        let (kind, mut rest) = (Kind::of(*kind)?, rest);
        let delta = varint::take_u32(&mut rest)?.checked_mul(frame::ALIGNMENT as u32)?;
        let offset = self.last.checked_add(delta)?;
        let bytes = varint::take_u32(&mut rest)?;
        let detail = usize::try_from(varint::take(&mut rest)?).ok()?;
        let (detail, rest) = rest.split_at_checked(detail)?;
        let record = Record::decode(kind, detail)?;
        (self.entries, self.last) = (rest, offset);
        Some((Entry { offset, bytes }, record))
    }
}

/// Where a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) offset: u32,
    /// The contents of its frame.
    pub(crate) bytes: u32,
}

impl<'a> Iterator for Contents<'a> {
    type Item = (Entry, Record<'a>);

    /// `None` at the end, and at what is no record: then some bytes are left.
    fn next(&mut self) -> Option<Self::Item> {
        self.take()
    }
}

impl Trailer {
    pub(crate) fn encoded(&self) -> [u8; TRAILER_BYTES] {
        let mut bytes = [0; TRAILER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        let numbers = [self.number, self.footer, self.frames, self.digest];
        for (place, number) in bytes[8..].chunks_exact_mut(4).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        let checksum = crc32c::crc32c(&bytes[..28]);
        bytes[28..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// Reads the end of a file; `None` when the segment was not filled, or its end is broken.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; TRAILER_BYTES] = bytes.last_chunk()?;
        let number = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|byte| bytes[at + byte]));
        if bytes[..8] != MAGIC || crc32c::crc32c(&bytes[..28]) != number(28) {
            return None;
        }
        Some(Self { number: number(8), footer: number(12), frames: number(16), digest: number(20) })
    }
}
