//! Record: a position as it stands in the journal. The first byte is the version of the format, the
//! second says whether everything before was delivered; version 1 did not know.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::receivers::file_log::identity::{Anchor, Identity, Position, Stamp};
use crate::receivers::file_log::tracker::Record;

const VERSION: u8 = 2;
const VERSION_WITHOUT_WHOLE: u8 = 1;

pub(super) fn encode(record: &Record) -> Vec<u8> {
    let Record { identity, path, position, is_whole } = record;
    let Identity { stamp, handle } = identity;
    let mut out = vec![VERSION, u8::from(*is_whole)];
    let Position { offset, anchor } = position;
    let numbers = [
        stamp.device,
        stamp.inode,
        stamp.born,
        *offset,
        anchor.end,
        u64::from(anchor.len),
        anchor.hash,
    ];
    numbers.iter().for_each(|number| out.extend_from_slice(&number.to_be_bytes()));
    let handle = handle.as_deref().unwrap_or_default();
    for bytes in [handle, path.as_os_str().as_bytes()] {
        let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        out.extend_from_slice(&len.to_be_bytes());
        out.extend_from_slice(bytes);
    }
    out
}

/// `None` for what this version did not write.
pub(super) fn decode(bytes: &[u8]) -> Option<Record> {
    let (is_whole, mut rest) = match bytes {
        [VERSION, is_whole @ (0 | 1), rest @ ..] => (*is_whole == 1, rest),
        [VERSION_WITHOUT_WHOLE, rest @ ..] => (false, rest),
        _ => return None,
    };
    let mut numbers = [0; 7];
    for number in &mut numbers {
        *number = u64::from_be_bytes(*take(&mut rest)?);
    }
    let [device, inode, born, offset, end, len, hash] = numbers;
    let (handle, path) = (slice(&mut rest)?, slice(&mut rest)?);
    let identity = Identity {
        stamp: Stamp { device, inode, born },
        handle: (!handle.is_empty()).then(|| handle.into()),
    };
    let anchor = Anchor { end, len: u32::try_from(len).ok()?, hash };
    let path = Path::new(OsStr::from_bytes(path)).into();
    let position = Position { offset, anchor };
    rest.is_empty().then_some(Record { identity, path, position, is_whole })
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
