//! Text: whether bytes are UTF-8, fast for the short ASCII words that telemetry is full of.

const SHORT_MAX: usize = 128;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// Whether the bytes are UTF-8.
#[inline(always)]
pub(super) fn is_utf8(bytes: &[u8]) -> bool {
    if bytes.len() < SHORT_MAX && is_ascii(bytes) {
        return true;
    }
    is_any_utf8(bytes)
}

#[inline(never)]
fn is_any_utf8(bytes: &[u8]) -> bool {
    simdutf8::basic::from_utf8(bytes).is_ok()
}

#[inline]
fn is_ascii(bytes: &[u8]) -> bool {
    let Some(last) = bytes.last_chunk::<8>() else {
        return bytes.iter().fold(0, |seen, byte| seen | byte) < 0x80;
    };
    // The last word overlaps the one before it, so that no byte is left over.
    let (words, _) = bytes.as_chunks::<8>();
    let mut seen = u64::from_le_bytes(*last);
    for word in words {
        seen |= u64::from_le_bytes(*word);
    }
    seen & HIGH_BITS == 0
}
