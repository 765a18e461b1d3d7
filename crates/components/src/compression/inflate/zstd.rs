//! Zstd, whose window is the output itself: a frame may name one of any size.

use ::zstd::zstd_safe::{self, zstd_sys::ZSTD_ErrorCode};
use runtime::region::Region;

use super::{Expected, Flaw};

/// The size that the first frame declares; without one a few bytes may hold anything.
pub(super) fn expected(compressed: &[u8]) -> Expected {
    let declared = zstd_safe::get_frame_content_size(compressed).ok().flatten();
    declared.map_or(Expected::Guessed(usize::MAX), |size| {
        Expected::Declared(usize::try_from(size).unwrap_or(usize::MAX))
    })
}

/// Inflates all frames.
pub(super) fn inflate(compressed: &[u8], output: &mut Region) -> Result<(), Flaw> {
    let is_full = (ZSTD_ErrorCode::ZSTD_error_dstSize_tooSmall as usize).wrapping_neg();
    let room = output.all_room();
    match zstd_safe::decompress(room, compressed) {
        Ok(count) => output.fill(count),
        Err(code) if code == is_full => return Err(Flaw::Longer { room: room.len() }),
        Err(code) => {
            return Err(Flaw::Corrupt(format!("zstd: {}", zstd_safe::get_error_name(code))));
        }
    }
    Ok(())
}
