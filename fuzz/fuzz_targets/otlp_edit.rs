//! Edits whatever parses.
#![no_main]

#[path = "../exercise/otlp.rs"]
#[allow(dead_code, reason = "each target uses its part")]
mod exercise;

libfuzzer_sys::fuzz_target!(|input: &[u8]| exercise::edit(input));
