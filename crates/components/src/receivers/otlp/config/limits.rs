//! The words of `limits`: bounds that the OpenTelemetry Collector has no keys for.

use config::Faults;
use config::value::{ByteSize, Duration};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::receivers::otlp::intake::Pace;
use crate::receivers::otlp::transport::Settings;
use crate::vigil::Patience;

/// What must arrive of an unfinished body within `body_progress_timeout`.
const PROGRESS_BYTES_MIN: usize = 1 << 10;
/// Hyper takes no smaller one.
const HEADER_BYTES_MIN: usize = 1 << 10;

/// Bounds on the connections of a port.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LimitWords {
    /// The most connections at a time; one more is closed at once.
    pub connections: usize,
    /// The longest time for the TLS handshake, and again for the first bytes of HTTP.
    pub handshake_timeout: Duration,
    /// The longest time in which a kibibyte of an unfinished body must arrive.
    pub body_progress_timeout: Duration,
    /// The most that the headers of a request may take.
    pub header_size: ByteSize,
}

impl Default for LimitWords {
    fn default() -> Self {
        Self {
            connections: runtime::net::CONNECTIONS_MAX,
            handshake_timeout: Duration::from_secs(10),
            body_progress_timeout: Duration::from_secs(30),
            header_size: ByteSize::from_bytes(16 << 10),
        }
    }
}

impl LimitWords {
    pub(super) fn check(&self, faults: &mut Faults) {
        if self.connections == 0 {
            faults.add("limits.connections", "must be greater than 0");
        }
        for (key, period) in [
            ("limits.handshake_timeout", self.handshake_timeout),
            ("limits.body_progress_timeout", self.body_progress_timeout),
        ] {
            if period.is_zero() {
                faults.add(key, "must be greater than 0");
            }
        }
        let size = self.header_size.as_usize();
        if size < HEADER_BYTES_MIN || u32::try_from(size).is_err() {
            faults.add("limits.header_size", "must be between 1 KiB and 4 GiB");
        }
    }

    pub(super) fn pace(&self) -> Pace {
        Pace { bytes_min: PROGRESS_BYTES_MIN, period: self.body_progress_timeout.get() }
    }

    /// A connection with these limits, and the defaults of all others.
    pub(super) fn transport(&self) -> Settings {
        Settings {
            streams_max: 200,
            header_bytes_max: u32::try_from(self.header_size.get()).unwrap_or(u32::MAX),
            patience: Patience {
                head: self.handshake_timeout.get(),
                idle: std::time::Duration::from_secs(300),
                write: std::time::Duration::from_secs(30),
                age: None,
                grace: std::time::Duration::from_secs(10),
            },
            ping: None,
            ping_policy: None,
            is_kept_alive: true,
        }
    }
}
