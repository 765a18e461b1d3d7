//! What the ports of both protocols have in common.

use std::time::Duration;

use crate::receivers::otlp::intake::Pace;
use crate::receivers::otlp::transport::{Patience, Settings};

/// Connections of one port.
pub(super) const CONNECTIONS_MAX: usize = 10_000;
/// Streams of one connection.
pub(super) const STREAMS_MAX: u32 = 200;
const HEADER_BYTES_MAX: u32 = 16 << 10;

/// The least that must arrive of a body that is being sent.
pub(super) const PACE: Pace = Pace { bytes_min: 1 << 10, period: Duration::from_secs(30) };

/// The limits of a connection, unless the configuration says otherwise.
pub(super) fn transport() -> Settings {
    Settings {
        streams_max: STREAMS_MAX,
        header_bytes_max: HEADER_BYTES_MAX,
        patience: Patience {
            head: Duration::from_secs(10),
            idle: Duration::from_secs(300),
            write: Duration::from_secs(30),
            age: None,
            grace: Duration::from_secs(10),
        },
        ping: None,
        is_kept_alive: true,
    }
}
