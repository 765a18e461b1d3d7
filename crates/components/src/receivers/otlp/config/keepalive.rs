//! The words of `keepalive`: how long gRPC connections live.

use config::value::Duration;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::receivers::otlp::transport::{PingPolicy, Settings};

const PING_TIME_MIN: std::time::Duration = std::time::Duration::from_secs(300);

/// How long connections live, and how their life is checked.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KeepaliveWords {
    /// What the server does.
    pub server_parameters: Option<ServerParameterWords>,
    /// What clients may do. Without it they may ping as often as they like.
    pub enforcement_policy: Option<EnforcementPolicyWords>,
}

/// What the server does to keep connections alive, and to end them.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ServerParameterWords {
    /// After this time without a request a client is asked to go; 0 means 5 minutes.
    pub max_connection_idle: Duration,
    /// After this time a client is asked to go; 0 means never.
    pub max_connection_age: Duration,
    /// How long requests may go on after `max_connection_age`; 0 means for ever, which the
    /// receiver's `timeout` bounds.
    pub max_connection_age_grace: Duration,
    /// After this time without a sign of life the client is pinged; 0 means 2 hours.
    pub time: Duration,
    /// How long the answer to a ping may take; 0 means 20 s.
    pub timeout: Duration,
}

/// What clients may do: one that pings too soon for the third time is sent away.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EnforcementPolicyWords {
    /// The shortest time between pings of a client; 0 means 5 minutes.
    pub min_time: Duration,
    /// Whether a client may ping that often while it has no request; else once in 2 hours.
    pub permit_without_stream: bool,
}

impl KeepaliveWords {
    /// What the OpenTelemetry Collector's keys mean for a connection; `timeout` bounds requests.
    pub(super) fn apply(&self, settings: &mut Settings, timeout: std::time::Duration) {
        let words = self.server_parameters.clone().unwrap_or_default();
        let patience = &mut settings.patience;
        patience.idle = words.max_connection_idle.unless_zero().unwrap_or(patience.idle);
        patience.age = words.max_connection_age.unless_zero();
        patience.grace = words.max_connection_age_grace.unless_zero().unwrap_or(timeout);
        settings.ping_policy = self.enforcement_policy.as_ref().map(|policy| PingPolicy {
            time_min: policy.min_time.unless_zero().unwrap_or(PING_TIME_MIN),
            is_idle_permitted: policy.permit_without_stream,
        });
        let after = words.time.unless_zero();
        let within = words.timeout.unless_zero();
        settings.ping = Some((
            after.unwrap_or(std::time::Duration::from_secs(2 * 3600)),
            within.unwrap_or(std::time::Duration::from_secs(20)),
        ));
    }
}
