//! Reads configurations, writes them and reads them again.
#![no_main]

#[path = "../exercise/configuration.rs"]
#[allow(dead_code, reason = "each target uses its part")]
mod exercise;

libfuzzer_sys::fuzz_target!(|input: &[u8]| exercise::read(input));
