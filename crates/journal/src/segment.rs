//! Segment: one file of frames, with a header in front and, once it is full, a footer behind.
//!
//! The footer repeats every record but the bodies of data, so that a journal opens without reading
//! them. Layout and guarantees are in `docs/journal.md`.

mod footer;
mod load;
mod scan;
mod writer;

pub(crate) use footer::{Entry, Footer};
pub(crate) use load::{Ends, Loaded, Source};
pub(crate) use scan::{Salvage, salvage};
pub(crate) use writer::Writer;

use crate::record::STREAM_MAX;

/// Where the first frame stands.
pub(crate) const HEADER_BYTES: usize = 64;

/// The version of the format.
pub(crate) const VERSION: u32 = 1;

/// No journal gets that far.
pub(crate) const NUMBER_MAX: u32 = u32::MAX - (1 << 16);

const MAGIC: [u8; 8] = *b"TIDEJRNL";

/// What stands in front of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) journal: u64,
    pub(crate) number: u32,
    /// Streams below this number were there, or had been.
    pub(crate) next_stream: u32,
    pub(crate) previous: Previous,
    /// Milliseconds since 1970.
    pub(crate) created: u64,
}

/// How the segment before ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Previous {
    /// Zero when there was none.
    pub(crate) number: u32,
    /// Where its frames end; what stands behind was refused and does not count.
    pub(crate) end: u32,
    /// What of it is known to be on disk.
    pub(crate) synced: u32,
}

/// Why there is no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoHeader {
    /// Another program wrote it, or a later version of this one.
    Version(u32),
    Broken,
}

/// The name of the file of a segment.
pub(crate) fn name_of(number: u32) -> String {
    format!("{number:08x}.segment")
}

/// The number of the segment in the file of this name.
pub(crate) fn number_of(name: &str) -> Option<u32> {
    let digits = name.strip_suffix(".segment")?;
    let number = u32::from_str_radix(digits, 16).ok()?;
    (name_of(number) == name && (1..=NUMBER_MAX).contains(&number)).then_some(number)
}

impl Header {
    pub(crate) fn encoded(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[16..24].copy_from_slice(&self.journal.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.created.to_le_bytes());
        // Twice, since without it no frame can be told from noise.
        bytes[52..60].copy_from_slice(&self.journal.to_le_bytes());
        let Previous { number, end, synced } = self.previous;
        let numbers = [
            (8, VERSION),
            (12, self.number),
            (24, number),
            (28, end),
            (32, synced),
            (36, self.next_stream),
            // Twice, so that a turned bit does not look like another version.
            (48, VERSION),
        ];
        for (at, number) in numbers {
            bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
        let checksum = crc32c::crc32c(&bytes[..60]);
        bytes[60..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// The journals that a header names, whether it is whole or not.
    pub(crate) fn claimed_journals(bytes: &[u8; HEADER_BYTES]) -> [u64; 2] {
        let number =
            |at: &[u8]| at.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
        [number(&bytes[16..24]), number(&bytes[52..60])]
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, NoHeader> {
        let bytes: &[u8; HEADER_BYTES] = bytes.first_chunk().ok_or(NoHeader::Broken)?;
        let number = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|byte| bytes[at + byte]));
        let long = |at: usize| u64::from(number(at)) | u64::from(number(at + 4)) << 32;
        if bytes[..8] == MAGIC && number(8) != VERSION && number(8) == number(48) {
            return Err(NoHeader::Version(number(8)));
        }
        let is_whole = bytes[..8] == MAGIC && crc32c::crc32c(&bytes[..60]) == number(60);
        if !is_whole || number(8) != VERSION || STREAM_MAX < number(36) {
            return Err(NoHeader::Broken);
        }
        let previous = Previous { number: number(24), end: number(28), synced: number(32) };
        Ok(Self {
            journal: long(16),
            number: number(12),
            next_stream: number(36),
            previous,
            created: long(40),
        })
    }
}
