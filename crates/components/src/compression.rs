//! Compression of requests: the algorithms by their names on the wire.

pub mod deflate;
pub mod inflate;

pub use deflate::{Codec, InvalidLevel};
pub use inflate::{CODEC_BYTES_MAX, Expected, Flaw, expected, inflate};

/// How bytes are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    Gzip,
    /// RFC 1950; HTTP calls it `deflate`.
    Zlib,
    Zstd,
    /// The block format of snappy; the framed one is recognised too, as senders use both names.
    Snappy,
    /// The framed format of snappy.
    SnappyFramed,
}

impl Algorithm {
    /// The algorithm that `Content-Encoding` or `grpc-encoding` names.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "deflate" | "zlib" => Some(Self::Zlib),
            "zstd" => Some(Self::Zstd),
            "snappy" => Some(Self::Snappy),
            "x-snappy-framed" => Some(Self::SnappyFramed),
            _ => None,
        }
    }
}
