//! JSON: OTLP's JSON form, read into protobuf and written from it, without structs in between.
//!
//! Both ways follow the schema table. Reading takes what protobuf's own JSON parsers take (either
//! spelling of names, numbers as text, enum names) with OTLP's hex ids; writing is one canonical line.
//! Bounds: reading takes at most `EXPANSION_MAX` times the text, writing 16 times the request (a field
//! of two bytes can have a name of 22); both nest as deep as a payload may.

mod draft;
mod read;
mod scalar;
mod write;

use crate::{Payload, Signal, schema};

/// How many times longer than its JSON a request can be: `0,` makes eight bytes in a packed field.
pub const EXPANSION_MAX: usize = 4;

/// What is wrong with a JSON text, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot read JSON at line {line}, column {column}{}: {what}", shown(path))]
pub struct JsonError {
    /// From 1.
    pub line: usize,
    /// In bytes, from 1; 0 when the text ends before the line begins.
    pub column: usize,
    /// Such as `resourceLogs[0].resource`; empty at the top.
    pub path: String,
    pub what: String,
}

/// Translates the JSON of an export request into protobuf.
pub fn to_protobuf(signal: Signal, text: &[u8]) -> Result<Vec<u8>, JsonError> {
    Ok(to_protobuf_within(signal, text, usize::MAX)?.unwrap_or_default())
}

/// Translates the JSON of an export request into protobuf, or into `None` if that would take more
/// than `bytes_max`; usually it takes half of the text, but see `EXPANSION_MAX`.
pub fn to_protobuf_within(
    signal: Signal,
    text: &[u8],
    bytes_max: usize,
) -> Result<Option<Vec<u8>>, JsonError> {
    read::read(schema::request(signal), text, bytes_max)
}

/// Writes a payload as one line of JSON, without a line feed.
#[must_use]
pub fn from_payload(payload: &Payload) -> Vec<u8> {
    // Field names and hex make JSON about twice as long.
    let mut out = Vec::with_capacity(payload.bytes_len() * 2);
    write_payload(payload, &mut out);
    out
}

/// Appends a payload as one line of JSON, without a line feed.
pub fn write_payload(payload: &Payload, out: &mut Vec<u8>) {
    write::write(schema::request(payload.signal()), &payload.to_bytes(), out);
}

fn shown(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!(" ({path})") }
}

#[cfg(test)]
mod tests;
