//! The word `compression` and its level.

use config::Faults;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::compression::{Algorithm, Codec};

/// How requests are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CompressionName {
    #[default]
    Gzip,
    Zstd,
    Snappy,
    /// Snappy in frames, over HTTP only.
    #[serde(rename = "x-snappy-framed")]
    SnappyFramed,
    Deflate,
    /// The same as `deflate`.
    Zlib,
    #[serde(alias = "")]
    None,
}

/// Details of the compression.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CompressionParams {
    /// How hard to try: 1 to 9 for gzip and deflate, 1 to 22 for zstd; 0 and -1 mean the default.
    pub level: i32,
}

/// A way to compress, and its name on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Compression {
    pub(crate) codec: Codec,
    pub(crate) name: &'static str,
}

impl CompressionName {
    /// For gRPC, where `snappy` means frames.
    pub(crate) fn for_grpc(
        self,
        params: &CompressionParams,
    ) -> Result<Option<Compression>, Faults> {
        match self {
            Self::SnappyFramed => {
                let mut faults = Faults::default();
                faults.add("compression", "gRPC has `snappy`, not `x-snappy-framed`");
                Err(faults)
            }
            Self::Snappy => compression(Algorithm::SnappyFramed, "snappy", params).map(Some),
            other => other.for_http(params),
        }
    }

    /// For HTTP, where `snappy` means one block.
    pub(crate) fn for_http(
        self,
        params: &CompressionParams,
    ) -> Result<Option<Compression>, Faults> {
        let (algorithm, name) = match self {
            Self::Gzip => (Algorithm::Gzip, "gzip"),
            Self::Zstd => (Algorithm::Zstd, "zstd"),
            Self::Snappy => (Algorithm::Snappy, "snappy"),
            Self::SnappyFramed => (Algorithm::SnappyFramed, "x-snappy-framed"),
            Self::Deflate | Self::Zlib => (Algorithm::Zlib, "deflate"),
            Self::None => return Ok(None),
        };
        compression(algorithm, name, params).map(Some)
    }
}

fn compression(
    algorithm: Algorithm,
    name: &'static str,
    params: &CompressionParams,
) -> Result<Compression, Faults> {
    let codec = Codec::with_level(algorithm, params.level).map_err(|error| {
        let mut faults = Faults::default();
        faults.add("compression_params.level", error.to_string());
        faults
    })?;
    Ok(Compression { codec, name })
}
