//! Writes whatever parses as JSON.
#![no_main]

#[path = "../exercise/json.rs"]
#[allow(dead_code, reason = "each target uses its part")]
mod exercise;

libfuzzer_sys::fuzz_target!(|input: &[u8]| exercise::write(input));
