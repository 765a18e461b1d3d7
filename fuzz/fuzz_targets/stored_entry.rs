//! Reads and writes entries of a durable queue, and names of their streams.
#![no_main]

#[path = "../exercise/entry.rs"]
mod exercise;

libfuzzer_sys::fuzz_target!(|input: &[u8]| exercise::entry(input));
