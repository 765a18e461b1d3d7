//! A server of HTTP/1.1, against a client that sends anything.
#![no_main]

#[path = "../exercise/http1.rs"]
#[allow(dead_code, reason = "each target uses its part")]
mod exercise;

libfuzzer_sys::fuzz_target!(|input: &[u8]| exercise::talk(input));
