//! Snappy, in both formats.

use runtime::region::Region;

use super::{Expected, Flaw, fill};

/// What the framed format begins with.
const STREAM_IDENTIFIER: &[u8] = b"\xff\x06\x00\x00sNaPpY";
/// A copy element of three bytes makes at most 64 bytes.
const EXPANSION_MAX: usize = 64;

/// The size that a block declares, or the most that frames can hold.
pub(super) fn expected(compressed: &[u8]) -> Expected {
    let possible = compressed.len().saturating_mul(EXPANSION_MAX);
    if compressed.starts_with(STREAM_IDENTIFIER) {
        return Expected::Guessed(possible);
    }
    snap::raw::decompress_len(compressed).map_or(Expected::Guessed(possible), Expected::Declared)
}

/// Inflates a block, or a framed stream under the same name.
pub(super) fn inflate(compressed: &[u8], output: &mut Region) -> Result<(), Flaw> {
    if compressed.starts_with(STREAM_IDENTIFIER) {
        return fill(output, &mut snap::read::FrameDecoder::new(compressed));
    }
    let corrupt = |error: snap::Error| Flaw::Corrupt(error.to_string());
    let size = snap::raw::decompress_len(compressed).map_err(corrupt)?;
    let room = output.all_room();
    let Some(room) = room.get_mut(..size) else { return Err(Flaw::Longer { room: room.len() }) };
    // Whatever it declares, a block cannot hold more than this many times its own size.
    if compressed.len().saturating_mul(EXPANSION_MAX) < size {
        return Err(Flaw::Corrupt("snappy: the declared size is impossible".to_owned()));
    }
    snap::raw::Decoder::new().decompress(compressed, room).map_err(corrupt)?;
    output.fill(size);
    Ok(())
}
