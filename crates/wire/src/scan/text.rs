//! Text: whether bytes are UTF-8, fast for the ASCII words and lines that telemetry is full of.

/// Longer texts are looked at with the widest instructions that there are, for which a function has to
/// be called.
const SHORT_MAX: usize = 512;
const HIGH_BITS: u128 = u128::from_le_bytes([0x80; 16]);

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

/// In blocks, of which the last overlaps the one before it, so that no byte is left over.
#[inline]
fn is_ascii(bytes: &[u8]) -> bool {
    let seen: u128 = if let Some(last) = bytes.last_chunk::<32>() {
        let (blocks, _) = bytes.as_chunks::<32>();
        let seen = blocks.iter().fold(halves(last), |seen, block| {
            let halves = halves(block);
            [seen[0] | halves[0], seen[1] | halves[1]]
        });
        seen[0] | seen[1]
    } else if let Some((first, last)) = ends(bytes) {
        u128::from_le_bytes(first) | u128::from_le_bytes(last)
    } else if let Some((first, last)) = ends(bytes) {
        (u64::from_le_bytes(first) | u64::from_le_bytes(last)).into()
    } else if let Some((first, last)) = ends(bytes) {
        (u32::from_le_bytes(first) | u32::from_le_bytes(last)).into()
    } else {
        bytes.iter().fold(0, |seen, byte| seen | byte).into()
    };
    seen & HIGH_BITS == 0
}

#[inline(always)]
fn halves(block: &[u8; 32]) -> [u128; 2] {
    let (halves, _) = block.as_chunks();
    std::array::from_fn(|at| u128::from_le_bytes(halves[at]))
}

/// The first and the last bytes, which together are all if there are at most twice as many.
#[inline(always)]
fn ends<const N: usize>(bytes: &[u8]) -> Option<([u8; N], [u8; N])> {
    Some((*bytes.first_chunk()?, *bytes.last_chunk()?))
}

#[cfg(test)]
mod tests;
