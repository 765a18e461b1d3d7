//! The words of `protocols.grpc`.

use std::time::Duration;

use config::Faults;
use schemars::JsonSchema;
use serde::Deserialize;

use super::server;
use crate::receivers::otlp::intake::Limits;
use crate::receivers::otlp::settings::PortSettings;
use crate::receivers::otlp::transport;

const MIB: usize = 1 << 20;

/// OTLP over gRPC.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GrpcWords {
    /// Where to listen: `host:port`.
    pub endpoint: String,
    /// The largest message, in MiB, before and after decompression; 0 means 4.
    pub max_recv_msg_size_mib: usize,
    /// The most requests that one connection may carry at a time; 0 means 200.
    pub max_concurrent_streams: u32,
    /// Accepted for compatibility; buffers follow the load. In bytes.
    pub read_buffer_size: usize,
    /// Accepted for compatibility; buffers follow the load. In bytes.
    pub write_buffer_size: usize,
    /// Keeps the metadata of requests, for processors and exporters that ask for it.
    pub include_metadata: bool,
}

impl Default for GrpcWords {
    fn default() -> Self {
        Self {
            endpoint: "localhost:4317".to_owned(),
            max_recv_msg_size_mib: 0,
            max_concurrent_streams: 0,
            read_buffer_size: 512 << 10,
            write_buffer_size: 32 << 10,
            include_metadata: false,
        }
    }
}

impl GrpcWords {
    pub(super) fn validate(self, timeout: Duration) -> Result<PortSettings, Faults> {
        let defaults = server::transport();
        let streams_max = match self.max_concurrent_streams {
            0 => defaults.streams_max,
            streams => streams,
        };
        let message_mib =
            if self.max_recv_msg_size_mib == 0 { 4 } else { self.max_recv_msg_size_mib };
        Ok(PortSettings {
            endpoint: self.endpoint,
            connections_max: server::CONNECTIONS_MAX,
            transport: transport::Settings { streams_max, ..defaults },
            limits: Limits { bytes_max: message_mib * MIB, timeout, pace: server::PACE },
            includes_metadata: self.include_metadata,
        })
    }
}
