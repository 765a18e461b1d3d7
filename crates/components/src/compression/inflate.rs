//! Inflate: makes a whole body of its compressed bytes, within a limit and a reservation.
//!
//! Pure. Bounds: the output grows by doubling and only as far as its [`Room`] allows, so a body
//! that inflates to more than it says is cut there; a zstd window is 8 MiB at most (RFC 8878).
//! Cost: one pass over the input, one copy of the output for each doubling.

mod snappy;
mod zstd;

use std::io::{self, Read};

use bytes::Bytes;
use flate2::read::{MultiGzDecoder, ZlibDecoder};

use super::Algorithm;

/// The first step of an output whose size is not known.
const STEP_BYTES: usize = 16 << 10;

/// Memory for an output.
pub trait Room {
    /// Makes room for an output of `bytes` in all; it is never asked for less than before.
    fn grow(&mut self, bytes: usize) -> Result<(), Flaw>;
}

/// Why a body was not inflated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    #[error("cannot decompress the request: {0}")]
    Corrupt(String),
    #[error("the request is larger than {bytes_max} bytes when decompressed")]
    TooLarge { bytes_max: usize },
    #[error("there is no memory to decompress the request now")]
    NoRoom,
}

/// The size that a compressed body declares for its output. It may lie.
#[must_use]
pub fn declared_size(algorithm: Algorithm, compressed: &[u8]) -> Option<usize> {
    match algorithm {
        Algorithm::Gzip => gzip_size(compressed),
        Algorithm::Zstd => zstd::declared_size(compressed),
        Algorithm::Snappy => snappy::declared_size(compressed),
        Algorithm::Zlib | Algorithm::SnappyFramed => None,
    }
}

/// Inflates all of `compressed` to at most `bytes_max` bytes.
pub fn inflate(
    algorithm: Algorithm,
    compressed: &[u8],
    bytes_max: usize,
    room: &mut dyn Room,
) -> Result<Bytes, Flaw> {
    let declared = declared_size(algorithm, compressed);
    // Gzip's figure is that of its last member, modulo 4 GiB: it refuses nothing.
    if algorithm != Algorithm::Gzip && declared.is_some_and(|size| bytes_max < size) {
        return Err(Flaw::TooLarge { bytes_max });
    }
    let expected = declared.map(|size| size.min(bytes_max));
    let mut output = Output { bytes: Vec::new(), filled: 0, expected, bytes_max, room };
    match algorithm {
        Algorithm::Gzip => output.fill(&mut MultiGzDecoder::new(compressed))?,
        Algorithm::Zlib => output.fill(&mut ZlibDecoder::new(compressed))?,
        Algorithm::Zstd => zstd::fill(compressed, &mut output)?,
        Algorithm::Snappy => snappy::fill(compressed, &mut output)?,
        Algorithm::SnappyFramed => output.fill(&mut snap::read::FrameDecoder::new(compressed))?,
    }
    output.bytes.shrink_to_fit();
    Ok(output.bytes.into())
}

/// ISIZE, the last four bytes of the last member.
fn gzip_size(compressed: &[u8]) -> Option<usize> {
    let size = compressed.last_chunk::<4>().map(|size| u32::from_le_bytes(*size))?;
    usize::try_from(size).ok()
}

/// An output that grows within its room.
struct Output<'a> {
    bytes: Vec<u8>,
    filled: usize,
    expected: Option<usize>,
    bytes_max: usize,
    room: &'a mut dyn Room,
}

impl Output<'_> {
    /// Takes all that `source` has.
    fn fill(&mut self, source: &mut dyn Read) -> Result<(), Flaw> {
        loop {
            if self.filled == self.bytes.len() && self.has_ended(source)? {
                break;
            }
            let count = read(source, &mut self.bytes[self.filled..])?;
            self.filled += count;
            if count == 0 {
                break;
            }
        }
        self.bytes.truncate(self.filled);
        Ok(())
    }

    /// At a full buffer: whether the source has ended too; else makes room for more.
    fn has_ended(&mut self, source: &mut dyn Read) -> Result<bool, Flaw> {
        let is_as_expected = self.expected == Some(self.filled);
        if !is_as_expected && self.filled < self.bytes_max {
            self.grow()?;
            return Ok(false);
        }
        let mut probe = [0];
        if read(source, &mut probe)? == 0 {
            return Ok(true);
        }
        self.grow()?;
        self.bytes[self.filled] = probe[0];
        self.filled += 1;
        Ok(false)
    }

    fn grow(&mut self) -> Result<(), Flaw> {
        let next = match self.expected {
            Some(size) if self.filled < size => size,
            _ => (2 * self.bytes.len()).max(STEP_BYTES).min(self.bytes_max),
        };
        if next <= self.bytes.len() {
            return Err(Flaw::TooLarge { bytes_max: self.bytes_max });
        }
        self.room.grow(next)?;
        self.bytes.resize(next, 0);
        Ok(())
    }

    /// All the space for `size` bytes at once.
    fn whole(&mut self, size: usize) -> Result<&mut [u8], Flaw> {
        self.room.grow(size)?;
        self.bytes.resize(size, 0);
        Ok(&mut self.bytes)
    }
}

fn read(source: &mut dyn Read, buffer: &mut [u8]) -> Result<usize, Flaw> {
    loop {
        match source.read(buffer) {
            Ok(count) => return Ok(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Flaw::Corrupt(error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests;
