//! Gzip: a body of one plain member is inflated at once, any other as a stream.
//!
//! What inflates at once does not tell how much it read, so it is used only where no second member can
//! follow: every member begins with [`MAGIC`], which must not be there again. By chance it is in one
//! body of a hundred, which takes twice the time then.

use flate2::bufread::MultiGzDecoder;
use libdeflater::{DecompressionError, Decompressor, crc32};
use memchr::memmem;
use runtime::region::Region;

use super::{Flaw, fill};

/// How each member begins: the number of the format, and the only method that there is.
const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];
/// A head without a name, a comment or other fields of any length.
const HEAD_BYTES: usize = 10;
const TRAILER_BYTES: usize = 8;

pub(super) fn inflate(compressed: &[u8], output: &mut Region) -> Result<(), Flaw> {
    match Member::only_one_in(compressed).and_then(|member| member.inflate(output)) {
        Some(inflated) => inflated,
        None => fill(output, &mut MultiGzDecoder::new(compressed)),
    }
}

/// ISIZE, the last four bytes of the last member.
pub(super) fn size(compressed: &[u8]) -> usize {
    let size = compressed.last_chunk::<4>().map(|size| u32::from_le_bytes(*size));
    size.and_then(|size| usize::try_from(size).ok()).unwrap_or(usize::MAX)
}

/// A plain member that no other follows.
struct Member<'a> {
    deflated: &'a [u8],
    /// The checksum of the content, and its size modulo 4 GiB.
    trailer: [u8; TRAILER_BYTES],
}

impl<'a> Member<'a> {
    fn only_one_in(compressed: &'a [u8]) -> Option<Self> {
        let ([magic @ .., flags, _, _, _, _, _, _], rest) =
            compressed.split_first_chunk::<HEAD_BYTES>()?;
        let is_plain = *magic == MAGIC && *flags == 0;
        let (deflated, trailer) = rest.split_last_chunk::<TRAILER_BYTES>()?;
        let is_only_one = is_plain && memmem::find(rest, &MAGIC).is_none();
        is_only_one.then_some(Self { deflated, trailer: *trailer })
    }

    /// Nothing if it is not well formed; what is wrong, the stream will tell.
    fn inflate(&self, output: &mut Region) -> Option<Result<(), Flaw>> {
        let room = output.all_room();
        let bytes = match Decompressor::new().deflate_decompress(self.deflated, room) {
            Ok(bytes) => bytes,
            Err(DecompressionError::InsufficientSpace) => {
                return Some(Err(Flaw::Longer { room: room.len() }));
            }
            Err(DecompressionError::BadData) => return None,
        };
        let (checksum, size) = (crc32(&room[..bytes]).to_le_bytes(), (bytes as u32).to_le_bytes());
        if self.trailer != *[checksum, size].as_flattened() {
            return None;
        }
        output.fill(bytes);
        Some(Ok(()))
    }
}
