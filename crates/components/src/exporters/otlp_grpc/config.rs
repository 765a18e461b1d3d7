//! The words of `otlp_grpc`, as upstream's configgrpc and exporter helper have them.

use config::section::Words;
use config::value::{ByteSize, Duration, Headers};
use config::{ComponentId, Faults, Gates};
use delivery::config::{QueueWords, RetryWords, RoadWords, TIMEOUT};
use http::HeaderMap;
use http::uri::Authority;
use pipeline::StorageUse;
use pipeline::factory::Plans;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::client::{Endpoint, Host, Keepalive, Limits, Policy, Protocol, Scheme};
use crate::exporters::otlp::client::{self, CommonWords};
use crate::exporters::otlp::compression::{Compression, CompressionName, CompressionParams};
use crate::exporters::otlp::credentials::AuthWords;
use crate::exporters::otlp::way::{self, Way};
use crate::tls::ClientWords;

/// Sends to an OTLP server over gRPC.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The server: `host:port`, `https://host:port`, `dns:///host:port` or `unix:///path`.
    pub endpoint: String,
    /// How connections are encrypted; on, with the system's authorities, unless `insecure: true`.
    pub tls: ClientWords,
    /// Headers of every request, with values that are never shown.
    pub headers: Headers,
    /// How requests are compressed: `gzip`, `zstd`, `snappy`, `deflate` or `none`.
    pub compression: CompressionName,
    /// Details of the compression.
    pub compression_params: CompressionParams,
    /// How a dead connection is noticed.
    pub keepalive: KeepaliveWords,
    /// Which addresses of the name are used: `round_robin` (all that answer, in turn) or
    /// `pick_first`.
    pub balancer_name: Balancer,
    /// Waits for a connection, within `timeout`, when no address answers; else the attempt fails
    /// at once and is retried.
    pub wait_for_ready: bool,
    /// The `:authority` of requests, if not the endpoint's.
    pub authority: String,
    /// Which extension adds credentials.
    pub auth: Option<AuthWords>,
    /// An HTTP proxy to tunnel through, instead of the one that `HTTPS_PROXY` names.
    pub proxy_url: String,
    /// Accepted for compatibility; reads are sized by what arrives.
    pub read_buffer_size: ByteSize,
    /// Accepted for compatibility; requests wait where they are, and are not copied to be sent.
    pub write_buffer_size: ByteSize,
    /// How long one attempt may take; 0 leaves it to the deadlines of the callers.
    pub timeout: Duration,
    /// When to send again what was not accepted.
    pub retry_on_failure: RetryWords,
    /// A queue in front of the exporter, and batching; off until the key is written.
    pub sending_queue: Option<QueueWords>,
}

/// How a dead connection is noticed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KeepaliveWords {
    /// A ping is sent after this long without a sign of life; 0 sends none.
    pub time: Duration,
    /// How long the answer to a ping may take before the connection is given up.
    pub timeout: Duration,
    /// Sends pings when no request is under way, too. Servers may not like it.
    pub permit_without_stream: bool,
}

/// Which addresses of a name are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Balancer {
    #[default]
    #[serde(alias = "")]
    RoundRobin,
    PickFirst,
}

/// The words, checked and complete.
#[derive(Debug)]
pub struct Settings {
    pub(super) host: Host,
    pub(super) is_tls: bool,
    /// Of the URLs that HTTP/2 wants: scheme and authority.
    pub(super) authority: Authority,
    pub(super) way: Way,
    pub(super) headers: HeaderMap,
    pub(super) compression: Option<Compression>,
    pub(super) authenticator: Option<ComponentId>,
    pub(super) road: delivery::Settings,
    warnings: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            endpoint: String::new(),
            tls: ClientWords::default(),
            headers: Headers::default(),
            compression: CompressionName::default(),
            compression_params: CompressionParams::default(),
            keepalive: KeepaliveWords::default(),
            balancer_name: Balancer::default(),
            wait_for_ready: false,
            authority: String::new(),
            auth: None,
            proxy_url: String::new(),
            read_buffer_size: ByteSize::default(),
            write_buffer_size: ByteSize::from_bytes(512 << 10),
            timeout: TIMEOUT,
            retry_on_failure: RetryWords::default(),
            sending_queue: None,
        }
    }
}

impl Default for KeepaliveWords {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(10),
            timeout: Duration::from_secs(10),
            permit_without_stream: false,
        }
    }
}

impl Words for Config {
    type Settings = Settings;

    fn validate(self, gates: &Gates) -> Result<Settings, Faults> {
        let mut faults = Faults::default();
        match self.checked(gates, &mut faults) {
            Some(settings) => faults.or(|| settings),
            None => Err(faults),
        }
    }
}

impl Config {
    /// Checks all parts before giving up on any, so that every fault is told at once.
    fn checked(self, gates: &Gates, faults: &mut Faults) -> Option<Settings> {
        let endpoint = self.endpoint(faults);
        let authority = self.authority(endpoint.as_ref(), faults);
        let compression = faults.take("", self.compression.for_grpc(&self.compression_params));
        let common = CommonWords {
            tls: self.tls,
            headers: self.headers,
            auth: self.auth,
            proxy_url: self.proxy_url,
            road: RoadWords {
                timeout: self.timeout,
                retry_on_failure: self.retry_on_failure,
                sending_queue: self.sending_queue,
            },
        };
        let common = common.validate(is_reserved, gates, faults);
        let (endpoint, tls) = (endpoint?, common.tls?);
        let is_tls = faults.take("tls", way::is_tls(&endpoint, Protocol::Http2, &tls))?;
        let warnings = warnings(&endpoint, is_tls);
        let way = Way {
            tls,
            protocol: Protocol::Http2,
            offers_http2: true,
            proxy: common.proxy,
            keepalive: self.keepalive.settings(),
            policy: self.balancer_name.policy(),
            limits: Limits { open_max: 1, idle_max: 1, idle_timeout: None },
            is_waiting_for_ready: self.wait_for_ready,
            is_closing: false,
        };
        Some(Settings {
            host: endpoint.host,
            is_tls,
            authority: authority?,
            way,
            headers: common.headers?,
            compression: compression?,
            authenticator: common.authenticator,
            road: common.road?,
            warnings,
        })
    }

    fn endpoint(&self, faults: &mut Faults) -> Option<Endpoint> {
        if self.endpoint.is_empty() {
            faults.add_with_remedy(
                "endpoint",
                "an exporter needs to know where to send",
                "write `endpoint: host:4317`",
            );
            return None;
        }
        match Endpoint::grpc(&self.endpoint) {
            Ok(Endpoint { user: Some(_), .. }) => {
                let remedy = "use an authenticator, or `headers`";
                faults.add_with_remedy("endpoint", "credentials have no effect here", remedy);
                None
            }
            Ok(endpoint) => Some(endpoint),
            Err(what) => {
                faults.add("endpoint", what);
                None
            }
        }
    }

    fn authority(&self, endpoint: Option<&Endpoint>, faults: &mut Faults) -> Option<Authority> {
        let text = match (self.authority.as_str(), endpoint) {
            ("", Some(endpoint)) => endpoint.host.to_string(),
            ("", None) => return None,
            (text, _) => text.to_owned(),
        };
        let key = if self.authority.is_empty() { "endpoint" } else { "authority" };
        let authority = Authority::try_from(text);
        authority.map_err(|_| faults.add(key, "is not the authority of a URL")).ok()
    }
}

impl KeepaliveWords {
    fn settings(&self) -> Option<Keepalive> {
        let interval = self.time.unless_zero()?;
        let timeout = self.timeout.unless_zero().unwrap_or(interval);
        Some(Keepalive { interval, timeout, while_idle: self.permit_without_stream })
    }
}

impl Balancer {
    fn policy(self) -> Policy {
        match self {
            Self::RoundRobin => Policy::RoundRobin,
            Self::PickFirst => Policy::PickFirst,
        }
    }
}

impl Plans for Settings {
    fn stores(&self) -> Vec<StorageUse> {
        self.road.stores()
    }

    fn answers_from_memory(&self) -> bool {
        self.road.answers_from_memory()
    }

    fn extensions(&self) -> Vec<(ComponentId, String)> {
        client::extensions(self.authenticator.as_ref())
    }

    fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }
}

fn warnings(endpoint: &Endpoint, is_tls: bool) -> Vec<String> {
    if endpoint.scheme == Some(Scheme::Http) && is_tls {
        let text = "the endpoint says `http://`, but connections are encrypted: to send in plain \
                    text write `tls: {insecure: true}`";
        return vec![text.to_owned()];
    }
    Vec::new()
}

/// Headers that belong to gRPC or to HTTP/2.
fn is_reserved(name: &str) -> bool {
    name.starts_with("grpc-")
        || matches!(name, "content-type" | "content-length" | "te" | "host" | "connection")
}
