//! Both ends of an HTTP/2 connection, against a peer that sends anything.
#![no_main]

#[path = "../exercise/http2.rs"]
#[allow(dead_code, reason = "each target uses its part")]
mod exercise;

libfuzzer_sys::fuzz_target!(|input: &[u8]| exercise::talk(input));
