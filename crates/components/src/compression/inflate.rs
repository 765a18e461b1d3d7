//! Inflate: makes a whole body of its compressed bytes, in a buffer whose size is fixed before.
//!
//! Bounds: the output has the room it is given and does not move, so that no second one lives beside
//! it. What a codec needs besides is below `CODEC_BYTES_MAX`: a zstd window is the output itself.
//! Cost: one pass over the input.

mod gzip;
mod snappy;
mod zstd;

use std::io::{self, Read};

use bytes::Bytes;
use flate2::bufread::ZlibDecoder;
use runtime::region::Region;

use super::Algorithm;

/// What a codec may need besides its input and its output.
pub const CODEC_BYTES_MAX: usize = 256 << 10;

/// Deflate's longest match takes two bits: no stream makes more than this many times its size.
const DEFLATE_EXPANSION_MAX: usize = 1032;

/// Why a body was not inflated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    #[error("cannot decompress the request: {0}")]
    Corrupt(String),
    #[error("the decompressed request is larger than {room} bytes")]
    Longer { room: usize },
}

/// How large a body will be when inflated, as far as can be told before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// It says so, and is refused if that is too much.
    Declared(usize),
    /// It says so or its format allows no more; the truth may be another.
    Guessed(usize),
}

impl Expected {
    /// The bytes to expect.
    #[must_use]
    pub fn bytes(self) -> usize {
        match self {
            Self::Declared(bytes) | Self::Guessed(bytes) => bytes,
        }
    }
}

/// How large `compressed` will be when inflated.
#[must_use]
pub fn expected(algorithm: Algorithm, compressed: &[u8]) -> Expected {
    let deflated = compressed.len().saturating_mul(DEFLATE_EXPANSION_MAX);
    match algorithm {
        // The figure is that of the last member, modulo 4 GiB.
        Algorithm::Gzip => Expected::Guessed(gzip::size(compressed).min(deflated)),
        Algorithm::Zlib => Expected::Guessed(deflated),
        Algorithm::Zstd => zstd::expected(compressed),
        Algorithm::Snappy | Algorithm::SnappyFramed => snappy::expected(compressed),
    }
}

/// Inflates all of `compressed` into a region of `room` bytes.
pub fn inflate(algorithm: Algorithm, compressed: &[u8], room: usize) -> Result<Bytes, Flaw> {
    let mut output = Region::of(room);
    match algorithm {
        Algorithm::Gzip => gzip::inflate(compressed, &mut output),
        Algorithm::Zlib => fill(&mut output, &mut ZlibDecoder::new(compressed)),
        Algorithm::Zstd => zstd::inflate(compressed, &mut output),
        Algorithm::Snappy => snappy::inflate(compressed, &mut output),
        Algorithm::SnappyFramed => {
            fill(&mut output, &mut snap::read::FrameDecoder::new(compressed))
        }
    }?;
    Ok(output.into_bytes())
}

/// Takes all that `source` has.
fn fill(output: &mut Region, source: &mut dyn Read) -> Result<(), Flaw> {
    loop {
        let room = output.room();
        if room.is_empty() {
            let is_at_end = read(source, &mut [0])? == 0;
            return if is_at_end { Ok(()) } else { Err(Flaw::Longer { room: output.len() }) };
        }
        match read(source, room)? {
            0 => return Ok(()),
            count => output.fill(count),
        }
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
