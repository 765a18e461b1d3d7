//! Zstd, with a bounded window.

use ::zstd::stream::read::Decoder;
use ::zstd::zstd_safe;

use super::{Flaw, Output};

/// The window that every decoder should support (RFC 8878, section 3.1.1.1.2): 8 MiB.
const WINDOW_LOG_MAX: u32 = 23;

/// The size that the first frame declares.
pub(super) fn declared_size(compressed: &[u8]) -> Option<usize> {
    let size = zstd_safe::get_frame_content_size(compressed).ok().flatten()?;
    usize::try_from(size).ok()
}

/// Inflates all frames.
pub(super) fn fill(compressed: &[u8], output: &mut Output<'_>) -> Result<(), Flaw> {
    let corrupt = |error: std::io::Error| Flaw::Corrupt(error.to_string());
    let mut decoder = Decoder::with_buffer(compressed).map_err(corrupt)?;
    decoder.window_log_max(WINDOW_LOG_MAX).map_err(corrupt)?;
    output.fill(&mut decoder)
}
