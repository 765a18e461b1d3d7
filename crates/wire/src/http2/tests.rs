//! One end against frames by hand, and two ends against each other.

mod client;
mod pair;
mod raw;
mod server;

use super::Limits;

/// Limits that tests can reach.
const LIMITS: Limits = Limits {
    streams_max: 3,
    header_bytes_max: 1_000,
    frame_bytes_max: 16_384,
    stream_window: 65_535,
    connection_window: 131_070,
};
