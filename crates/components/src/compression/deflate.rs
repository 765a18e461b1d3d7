//! Deflate: compresses the segments of a request into one body.
//!
//! Cost: each byte is read once where it lies; the output starts at a quarter of the input's size.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use super::Algorithm;

/// The level of gzip and zlib unless one is configured: a quarter of the time of level 6, for
/// bodies that are a third larger.
pub const ZLIB_LEVEL: u32 = 1;
/// The level of zstd unless one is configured.
pub const ZSTD_LEVEL: i32 = 1;

/// An algorithm, and how hard it tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Codec {
    algorithm: Algorithm,
    level: Option<i32>,
}

/// The level does not exist for the algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLevel {
    #[error("the levels of gzip and deflate are 1 to 9")]
    Zlib,
    #[error("the levels of zstd are 1 to 22")]
    Zstd,
    #[error("snappy has no levels")]
    Snappy,
}

impl Codec {
    /// The algorithm at its usual level.
    #[must_use]
    pub const fn new(algorithm: Algorithm) -> Self {
        Self { algorithm, level: None }
    }

    /// The algorithm at `level`; 0 and -1 leave the usual one.
    pub fn with_level(algorithm: Algorithm, level: i32) -> Result<Self, InvalidLevel> {
        if level == 0 || level == -1 {
            return Ok(Self::new(algorithm));
        }
        let (allowed, error) = match algorithm {
            Algorithm::Gzip | Algorithm::Zlib => (1..=9, InvalidLevel::Zlib),
            Algorithm::Zstd => (1..=22, InvalidLevel::Zstd),
            Algorithm::Snappy | Algorithm::SnappyFramed => return Err(InvalidLevel::Snappy),
        };
        let is_allowed = allowed.contains(&level);
        is_allowed.then_some(Self { algorithm, level: Some(level) }).ok_or(error)
    }

    /// Compresses `segments` as one body.
    pub fn deflate(self, segments: &[Bytes]) -> io::Result<Bytes> {
        let bytes = segments.iter().map(Bytes::len).sum::<usize>();
        let out = Vec::with_capacity(bytes / 4 + 64);
        let level = self.level.and_then(|level| u32::try_from(level).ok()).unwrap_or(ZLIB_LEVEL);
        let level = Compression::new(level);
        let out = match self.algorithm {
            Algorithm::Gzip => {
                let mut encoder = GzEncoder::new(out, level);
                write(&mut encoder, segments)?;
                encoder.finish()?
            }
            Algorithm::Zlib => {
                let mut encoder = ZlibEncoder::new(out, level);
                write(&mut encoder, segments)?;
                encoder.finish()?
            }
            Algorithm::Zstd => {
                let level = self.level.unwrap_or(ZSTD_LEVEL);
                let mut encoder = zstd::Encoder::new(out, level)?;
                // With the size in its header, the receiver reserves what is needed, not its limit.
                encoder.set_pledged_src_size(Some(bytes as u64))?;
                encoder.include_contentsize(true)?;
                write(&mut encoder, segments)?;
                encoder.finish()?
            }
            Algorithm::Snappy => snap::raw::Encoder::new().compress_vec(&segments.concat())?,
            Algorithm::SnappyFramed => {
                let mut encoder = snap::write::FrameEncoder::new(out);
                write(&mut encoder, segments)?;
                encoder.into_inner().map_err(|error| io::Error::other(error.to_string()))?
            }
        };
        Ok(out.into())
    }
}

fn write(encoder: &mut impl Write, segments: &[Bytes]) -> io::Result<()> {
    segments.iter().try_for_each(|segment| encoder.write_all(segment))
}

#[cfg(test)]
mod tests;
