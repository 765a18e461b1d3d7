//! Opens, looks through and repairs a journal of one segment.
#![no_main]

#[path = "../exercise/journal.rs"]
mod exercise;

libfuzzer_sys::fuzz_target!(|input: &[u8]| exercise::segment(input));
