//! The words of `protocols.grpc`.

use config::Faults;
use config::value::{ByteSize, Duration};
use schemars::JsonSchema;
use serde::Deserialize;

use super::authentication::AuthWords;
use super::keepalive::KeepaliveWords;
use super::limits::LimitWords;
use super::place;
use crate::receivers::otlp::intake::Limits;
use crate::receivers::otlp::settings::PortSettings;
use crate::receivers::otlp::transport::Settings;
use crate::tls::{HTTP2, ServerWords};

/// The largest message unless configured, in MiB: that of gRPC's libraries.
const MESSAGE_MIB: usize = 4;

/// OTLP over gRPC.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GrpcWords {
    /// Where to listen: `host:port`, or the path of a Unix socket with `transport: unix`.
    pub endpoint: String,
    /// What to listen on: `tcp` or `unix`.
    pub transport: String,
    /// Certificates; without them the port speaks plain text.
    pub tls: Option<ServerWords>,
    /// Who checks the clients; without it everybody may send.
    pub auth: Option<AuthWords>,
    /// The largest message, in MiB, before and after decompression; 0 means 4.
    pub max_recv_msg_size_mib: usize,
    /// The most requests that one connection may carry at a time; 0 means 200.
    pub max_concurrent_streams: u32,
    /// Accepted for compatibility; buffers follow the load. In bytes.
    pub read_buffer_size: ByteSize,
    /// Accepted for compatibility; buffers follow the load. In bytes.
    pub write_buffer_size: ByteSize,
    /// The longest time in which a client must take some of its answer.
    pub write_timeout: Duration,
    /// How long connections live.
    pub keepalive: Option<KeepaliveWords>,
    /// Keeps the metadata of requests, for processors and exporters that ask for it.
    pub include_metadata: bool,
    /// Further bounds on connections.
    pub limits: LimitWords,
}

impl Default for GrpcWords {
    fn default() -> Self {
        Self {
            endpoint: "localhost:4317".to_owned(),
            transport: "tcp".to_owned(),
            tls: None,
            auth: None,
            max_recv_msg_size_mib: 0,
            max_concurrent_streams: 0,
            read_buffer_size: ByteSize::from_bytes(512 << 10),
            write_buffer_size: ByteSize::from_bytes(32 << 10),
            write_timeout: Duration::from_secs(30),
            keepalive: None,
            include_metadata: false,
            limits: LimitWords::default(),
        }
    }
}

impl GrpcWords {
    pub(super) fn validate(self, timeout: std::time::Duration) -> Result<PortSettings, Faults> {
        let mut faults = Faults::default();
        let endpoint = place::address(&self.endpoint, &self.transport, &mut faults);
        let transport = self.transport(timeout);
        let mib =
            if self.max_recv_msg_size_mib == 0 { MESSAGE_MIB } else { self.max_recv_msg_size_mib };
        let bytes_max = mib.checked_mul(1 << 20).filter(|bytes| u32::try_from(*bytes).is_ok());
        if bytes_max.is_none() {
            faults.add("max_recv_msg_size_mib", "must be at most 4095: a length has 32 bits");
        }
        self.limits.check(&mut faults);
        if self.write_timeout.is_zero() {
            faults.add("write_timeout", "must be greater than 0");
        }
        let tls = self.tls.and_then(|words| faults.take("tls", words.validate()));
        let auth = self.auth.and_then(|words| faults.take("auth", words.validate()));
        faults.or(|| PortSettings {
            endpoint,
            connections_max: self.limits.connections,
            transport,
            limits: Limits {
                bytes_max: bytes_max.unwrap_or_default(),
                timeout,
                timeout_min: std::time::Duration::ZERO,
                reading_max: timeout,
                pace: self.limits.pace(),
            },
            handshake_timeout: self.limits.handshake_timeout.get(),
            tls: tls.map(|tls| tls.with_protocols(&[HTTP2])),
            auth,
            includes_metadata: self.include_metadata,
        })
    }

    fn transport(&self, timeout: std::time::Duration) -> Settings {
        let mut transport = self.limits.transport();
        if self.max_concurrent_streams != 0 {
            transport.streams_max = self.max_concurrent_streams;
        }
        transport.patience.write = self.write_timeout.get();
        self.keepalive.clone().unwrap_or_default().apply(&mut transport, timeout);
        transport
    }
}
