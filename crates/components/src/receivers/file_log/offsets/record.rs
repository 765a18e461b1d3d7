//! Record: a position as it stands in the journal. The first byte is the version of the format, the
//! second says whether everything before was delivered; version 1 did not know, and version 2 did not know
//! of copies.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::receivers::file_log::identity::{Anchor, Identity, Position, Stamp};
use crate::receivers::file_log::tracker::Record;

const VERSION: u8 = 3;
const VERSION_WITHOUT_COPIES: u8 = 2;
const VERSION_WITHOUT_WHOLE: u8 = 1;

pub(super) fn encode(record: &Record) -> Vec<u8> {
    let Record { identity, path, position, is_whole, copies } = record;
    let Identity { stamp, handle } = identity;
    let mut out = vec![VERSION, u8::from(*is_whole)];
    put(&mut out, &[stamp.device, stamp.inode, stamp.born]);
    put(&mut out, &numbers(position));
    let handle = handle.as_deref().unwrap_or_default();
    for bytes in [handle, path.as_os_str().as_bytes()] {
        let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        out.extend_from_slice(&len.to_be_bytes());
        out.extend_from_slice(bytes);
    }
    put(&mut out, &[copies.len() as u64]);
    copies.iter().for_each(|copy| put(&mut out, &numbers(copy)));
    out
}

/// `None` for what this version did not write.
pub(super) fn decode(bytes: &[u8]) -> Option<Record> {
    let (is_whole, mut rest) = match bytes {
        [VERSION | VERSION_WITHOUT_COPIES, is_whole @ (0 | 1), rest @ ..] => (*is_whole == 1, rest),
        [VERSION_WITHOUT_WHOLE, rest @ ..] => (false, rest),
        _ => return None,
    };
    let [device, inode, born] = take_numbers(&mut rest)?;
    let position = take_position(&mut rest)?;
    let (handle, path) = (slice(&mut rest)?, slice(&mut rest)?);
    let identity = Identity {
        stamp: Stamp { device, inode, born },
        handle: (!handle.is_empty()).then(|| handle.into()),
    };
    let path = Path::new(OsStr::from_bytes(path)).into();
    let [count] = if bytes[0] == VERSION { take_numbers(&mut rest)? } else { [0] };
    let copies: Option<Vec<_>> = (0..count).map(|_| take_position(&mut rest)).collect();
    let copies = copies?;
    rest.is_empty().then_some(Record { identity, path, position, is_whole, copies })
}

fn numbers(position: &Position) -> [u64; 4] {
    let Position { offset, anchor: Anchor { end, len, hash } } = *position;
    [offset, end, u64::from(len), hash]
}

fn take_position(rest: &mut &[u8]) -> Option<Position> {
    let [offset, end, len, hash] = take_numbers(rest)?;
    let anchor = Anchor { end, len: u32::try_from(len).ok()?, hash };
    Some(Position { offset, anchor })
}

fn put(out: &mut Vec<u8>, numbers: &[u64]) {
    numbers.iter().for_each(|number| out.extend_from_slice(&number.to_be_bytes()));
}

fn take_numbers<const N: usize>(rest: &mut &[u8]) -> Option<[u64; N]> {
    let mut numbers = [0; N];
    for number in &mut numbers {
        *number = u64::from_be_bytes(*take(rest)?);
    }
    Some(numbers)
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (first, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(first)
}

fn slice<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = usize::try_from(u32::from_be_bytes(*take(rest)?)).ok()?;
    let (first, after) = rest.split_at_checked(len)?;
    *rest = after;
    Some(first)
}
