//! The configuration of the `otlp` receiver.

mod authentication;
mod cors;
mod grpc;
mod http;
mod keepalive;
mod limits;
mod place;

use config::section::Words;
use config::value::Duration;
use config::{Faults, Gates};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::settings::Settings;
use grpc::GrpcWords;
use http::HttpWords;

/// Receives OTLP over gRPC and HTTP.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The protocols to listen for; each is on only if its key is present.
    pub protocols: ProtocolWords,
    /// Until a request is answered at the latest; a client can ask for less, not for more.
    pub timeout: Duration,
    /// The least time that a client may ask for; one that leaves less is told at once to try again,
    /// because its answer would come too late. 0 turns away only those that leave none.
    pub min_timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            protocols: ProtocolWords::default(),
            timeout: Duration::from_secs(30),
            min_timeout: Duration::default(),
        }
    }
}

/// The protocols of the receiver.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProtocolWords {
    /// OTLP over gRPC.
    #[serde(deserialize_with = "present")]
    pub grpc: Option<GrpcWords>,
    /// OTLP over HTTP, in protobuf and JSON.
    #[serde(deserialize_with = "present")]
    pub http: Option<HttpWords>,
}

impl Words for Config {
    type Settings = Settings;

    fn validate(self, _gates: &Gates) -> Result<Settings, Faults> {
        let mut faults = Faults::default();
        let ProtocolWords { grpc, http } = self.protocols;
        if grpc.is_none() && http.is_none() {
            faults.add_with_remedy(
                "protocols",
                "must specify at least one protocol when using the OTLP receiver",
                "add `grpc:` or `http:`",
            );
        }
        if self.timeout.is_zero() {
            faults.add("timeout", "must be greater than 0: every request gets an answer in time");
        }
        let timeout = self.timeout.get();
        let timeout_min = self.min_timeout.get();
        if timeout < timeout_min {
            faults.add("min_timeout", "must not be greater than `timeout`");
        }
        let grpc = grpc.and_then(|words| faults.take("protocols.grpc", words.validate(timeout)));
        let http = http.and_then(|words| faults.take("protocols.http", words.validate(timeout)));
        faults.or(|| Settings { grpc, http }.with_timeout_min(timeout_min))
    }
}

/// A key that is present without a value stands for its defaults.
fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::<T>::deserialize(deserializer).map(|words| Some(words.unwrap_or_default()))
}

#[cfg(test)]
mod tests;
