//! Nest: length-delimited records that are written before their length is known.
//!
//! Cost: a record of 128 bytes or more is moved by one to four bytes when it ends.

use crate::protobuf;

/// Where a record and its content began.
#[derive(Debug)]
pub(crate) struct Opened {
    record_start: usize,
    content_start: usize,
}

/// Begins a length-delimited record.
pub(crate) fn open(out: &mut Vec<u8>, number: u32) -> Opened {
    let record_start = out.len();
    protobuf::put_tag(out, number, protobuf::LEN);
    // Most records are shorter than 128 bytes: one byte holds their length.
    out.push(0);
    Opened { record_start, content_start: out.len() }
}

/// Ends a record, now that its length is known.
pub(crate) fn close(out: &mut Vec<u8>, opened: Opened) {
    let start = opened.content_start;
    let len = out.len() - start;
    let more = protobuf::varint_len(len as u64) - 1;
    if 0 < more {
        out.resize(start + len + more, 0);
        out.copy_within(start..start + len, start + more);
    }
    let mut rest = len;
    for byte in &mut out[start - 1..start - 1 + more] {
        *byte = rest as u8 | 0x80;
        rest >>= 7;
    }
    out[start - 1 + more] = rest as u8;
}

/// Ends a record, or takes it back when nothing was written into it.
pub(crate) fn close_unless_empty(out: &mut Vec<u8>, opened: Opened) {
    if out.len() == opened.content_start {
        out.truncate(opened.record_start);
    } else {
        close(out, opened);
    }
}

#[cfg(test)]
mod tests;
