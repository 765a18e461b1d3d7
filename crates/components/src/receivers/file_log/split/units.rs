//! Units: line ends in encodings of one and of two bytes.

use crate::receivers::file_log::encoding::{Encoding, Endian};

/// The end of the first line of `bytes`, which begin at `start` in the file; with its line end.
#[inline]
pub(super) fn line_end(bytes: &[u8], start: u64, encoding: Encoding) -> Option<usize> {
    let Encoding::Utf16(endian) = encoding else {
        return memchr::memchr(b'\n', bytes).map(|at| at + 1);
    };
    memchr::memchr_iter(b'\n', bytes).find_map(|at| {
        let is_first = (start + at as u64).is_multiple_of(2);
        match endian {
            Endian::Little => (is_first && bytes.get(at + 1) == Some(&0)).then_some(at + 2),
            Endian::Big => {
                let before = at.checked_sub(1).and_then(|before| bytes.get(before));
                (!is_first && before == Some(&0)).then_some(at + 1)
            }
        }
    })
}

/// The line without its line end, if it has one.
#[inline]
pub(super) fn without_line_end(line: &[u8], encoding: Encoding) -> &[u8] {
    let (feed, back): (&[u8], &[u8]) = match encoding {
        Encoding::Utf16(Endian::Little) => (b"\n\0", b"\r\0"),
        Encoding::Utf16(Endian::Big) => (b"\0\n", b"\0\r"),
        _ => (b"\n", b"\r"),
    };
    let Some(text) = line.strip_suffix(feed) else { return line };
    text.strip_suffix(back).unwrap_or(text)
}
