//! The `file_log` receiver, from the bytes of a file to log records.
//!
//! In the order of the data: `encoding` and `split` make tokens of bytes, `entry` is a log record in
//! the making, `operators` (with `expression`) change entries, `assemble` makes payloads of them.

pub mod encoding;
pub mod split;

pub mod entry;
pub mod expression;
pub mod operators;
mod pattern;

pub mod assemble;
pub mod content;
pub mod header;
