//! Record: the bytes of one request in the file, and where whole records end.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use wire::{Payload, json};

use super::config::{Format, Settings};

const LENGTH_BYTES: usize = 4;
const CHUNK_BYTES: u64 = 64 << 10;

/// The record of a request.
pub(super) fn encode(settings: &Settings, payload: &Payload) -> io::Result<Vec<u8>> {
    if is_line(settings) {
        let mut line = json::from_payload(payload);
        line.push(b'\n');
        return Ok(line);
    }
    let body = match settings.format {
        Format::Json => json::from_payload(payload),
        Format::Proto => payload.to_bytes().to_vec(),
    };
    let body = match settings.is_compressed {
        true => zstd::bulk::compress(&body, zstd::DEFAULT_COMPRESSION_LEVEL)?,
        false => body,
    };
    let too_long = |_| io::Error::new(io::ErrorKind::InvalidData, "the request has over 4 GiB");
    let length = u32::try_from(body.len()).map_err(too_long)?;
    Ok([&length.to_be_bytes()[..], &body].concat())
}

/// How many bytes of the file are whole records; a crash may have left a torn one behind them.
pub(super) fn whole_bytes(settings: &Settings, file: &mut File) -> io::Result<u64> {
    let bytes = file.metadata()?.len();
    if is_line(settings) { whole_lines(file, bytes) } else { whole_frames(file, bytes) }
}

fn is_line(settings: &Settings) -> bool {
    settings.format == Format::Json && !settings.is_compressed
}

fn whole_lines(file: &mut File, bytes: u64) -> io::Result<u64> {
    let mut end = bytes;
    let mut chunk = Vec::new();
    while 0 < end {
        let start = end.saturating_sub(CHUNK_BYTES);
        file.seek(SeekFrom::Start(start))?;
        chunk.clear();
        Read::by_ref(file).take(end - start).read_to_end(&mut chunk)?;
        if let Some(at) = chunk.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

fn whole_frames(file: &mut File, bytes: u64) -> io::Result<u64> {
    let header = LENGTH_BYTES as u64;
    let mut at = 0;
    while at + header <= bytes {
        file.seek(SeekFrom::Start(at))?;
        let mut length = [0; LENGTH_BYTES];
        file.read_exact(&mut length)?;
        let next = at + header + u64::from(u32::from_be_bytes(length));
        if bytes < next {
            break;
        }
        at = next;
    }
    Ok(at)
}
