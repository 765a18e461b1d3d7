//! Snappy, in both formats.

use super::{Flaw, Output};

/// What the framed format begins with.
const STREAM_IDENTIFIER: &[u8] = b"\xff\x06\x00\x00sNaPpY";

/// The size that a block declares.
pub(super) fn declared_size(compressed: &[u8]) -> Option<usize> {
    if compressed.starts_with(STREAM_IDENTIFIER) {
        return None;
    }
    snap::raw::decompress_len(compressed).ok()
}

/// Inflates a block, or a framed stream under the same name.
pub(super) fn fill(compressed: &[u8], output: &mut Output<'_>) -> Result<(), Flaw> {
    if compressed.starts_with(STREAM_IDENTIFIER) {
        return output.fill(&mut snap::read::FrameDecoder::new(compressed));
    }
    let corrupt = |error: snap::Error| Flaw::Corrupt(error.to_string());
    let size = snap::raw::decompress_len(compressed).map_err(corrupt)?;
    // A block cannot hold more than this many times its own size, whatever it declares.
    if compressed.len().saturating_mul(EXPANSION_MAX) < size {
        return Err(Flaw::Corrupt("snappy: the declared size is impossible".to_owned()));
    }
    let space = output.whole(size)?;
    snap::raw::Decoder::new().decompress(compressed, space).map_err(corrupt)?;
    Ok(())
}

/// A copy element of three bytes makes at most 64 bytes.
const EXPANSION_MAX: usize = 64;
