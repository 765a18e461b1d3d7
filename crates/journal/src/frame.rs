//! Frame: bytes in a segment with their kind, length and checksum.
//!
//! The checksum covers where the frame stands, too, so that a frame which the disk put in another
//! place, or left there from another journal, is not taken for one of this place.
//! Cost: 16 bytes a frame and up to 7 of padding; the body is read once, for the checksum.

use bytes::Bytes;

/// Bytes in front of the contents.
pub(crate) const HEADER_BYTES: usize = 16;

/// Frames start at multiples of this.
pub(crate) const ALIGNMENT: usize = 8;

/// The segment that a frame stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Salt {
    pub(crate) journal: u64,
    pub(crate) segment: u32,
}

/// What a frame contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Data = 1,
    Forget = 2,
    Declare = 3,
    Undeclare = 4,
    Footer = 5,
    /// Nothing, but that what stands before it is on disk.
    Mark = 6,
}

/// A frame as it was read, verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) kind: Kind,
    /// Bytes of the segment that were known to be on disk when this was written.
    pub(crate) synced: u32,
    pub(crate) checksum: u32,
    pub(crate) head: &'a [u8],
    pub(crate) body: &'a [u8],
}

/// What stands in front of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    pub(crate) synced: u32,
    pub(crate) checksum: u32,
    pub(crate) head_bytes: usize,
    /// Head and body together.
    pub(crate) bytes: usize,
}

/// Why there is no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoFrame {
    /// Nothing was ever written there.
    Blank,
    /// What is there is not what was written.
    Broken,
}

impl Kind {
    pub(crate) fn of(byte: u8) -> Option<Self> {
        [Self::Data, Self::Forget, Self::Declare, Self::Undeclare, Self::Footer, Self::Mark]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
    }
}

/// Bytes that a frame takes with contents of `bytes`.
pub(crate) fn padded(bytes: usize) -> usize {
    (HEADER_BYTES + bytes).next_multiple_of(ALIGNMENT)
}

/// What stands in front of a frame of these contents at `offset`.
pub(crate) fn header(
    salt: Salt,
    offset: u32,
    (kind, synced): (Kind, u32),
    head: &[u8],
    body: &[Bytes],
) -> Header {
    let bytes = head.len() + body.iter().map(Bytes::len).sum::<usize>();
    let mut header = Header { kind, synced, checksum: 0, head_bytes: head.len(), bytes };
    let checksum = crc32c::crc32c_append(header.seed(salt, offset), head);
    header.checksum = body.iter().fold(checksum, |sum, part| crc32c::crc32c_append(sum, part));
    header
}

impl Header {
    pub(crate) fn encoded(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        let length = u32::try_from(self.bytes).expect("a frame is smaller than a segment");
        let head = u8::try_from(self.head_bytes).expect("a head is a few numbers");
        bytes[..4].copy_from_slice(&length.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.checksum.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.synced.to_le_bytes());
        bytes[12] = head;
        bytes[13] = self.kind as u8;
        bytes
    }

    /// Reads what stands in front of a frame; nothing says yet that it is whole.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, NoFrame> {
        let bytes: &[u8; HEADER_BYTES] = bytes.first_chunk().ok_or(NoFrame::Blank)?;
        if *bytes == [0; HEADER_BYTES] {
            return Err(NoFrame::Blank);
        }
        let number = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|byte| bytes[at + byte]));
        let kind = Kind::of(bytes[13]).ok_or(NoFrame::Broken)?;
        let (length, head_bytes) = (number(0) as usize, usize::from(bytes[12]));
        if length < head_bytes || bytes[14..] != [0, 0] {
            return Err(NoFrame::Broken);
        }
        let (checksum, synced) = (number(4), number(8));
        Ok(Self { kind, synced, checksum, head_bytes, bytes: length })
    }

    /// The checksum of everything but the contents.
    fn seed(&self, salt: Salt, offset: u32) -> u32 {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&salt.journal.to_le_bytes());
        bytes[8..12].copy_from_slice(&salt.segment.to_le_bytes());
        bytes[12..16].copy_from_slice(&offset.to_le_bytes());
        bytes[16..].copy_from_slice(&Self { checksum: 0, ..*self }.encoded());
        crc32c::crc32c(&bytes)
    }
}

/// Reads the frame at the start of `bytes`, which stand at `offset`.
pub(crate) fn decode(salt: Salt, offset: u32, bytes: &[u8]) -> Result<Frame<'_>, NoFrame> {
    let header = Header::decode(bytes)?;
    let contents = bytes[HEADER_BYTES..].get(..header.bytes).ok_or(NoFrame::Broken)?;
    if crc32c::crc32c_append(header.seed(salt, offset), contents) != header.checksum {
        return Err(NoFrame::Broken);
    }
    let (head, body) = contents.split_at(header.head_bytes);
    let Header { kind, synced, checksum, .. } = header;
    Ok(Frame { kind, synced, checksum, head, body })
}

#[cfg(test)]
mod tests;
