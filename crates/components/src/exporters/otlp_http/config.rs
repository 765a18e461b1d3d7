//! The words of `otlp_http`, as upstream's confighttp and exporter helper have them.

use std::time::Duration as Period;

use config::section::Words;
use config::value::{ByteSize, Duration, Headers};
use config::{ComponentId, Faults, Gates};
use delivery::config::{QueueWords, RetryWords, RoadWords};
use http::HeaderMap;
use pipeline::StorageUse;
use pipeline::factory::Plans;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wire::Signal;
use wire::format::Format;

use super::target::{Endpoints, Target};
use crate::client::{Keepalive, Limits, Policy, Protocol, Proxy};
use crate::exporters::otlp::client::{self, CommonWords};
use crate::exporters::otlp::compression::{Compression, CompressionName, CompressionParams};
use crate::exporters::otlp::credentials::AuthWords;
use crate::exporters::otlp::way::Way;
use crate::tls::{ClientSettings, ClientWords};

/// Sends to an OTLP server over HTTP.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The server's base URL, such as `https://host:4318`; `/v1/logs` and the like are appended.
    pub endpoint: String,
    /// The URL for logs, used as it is.
    pub logs_endpoint: String,
    /// The URL for traces, used as it is.
    pub traces_endpoint: String,
    /// The URL for metrics, used as it is.
    pub metrics_endpoint: String,
    /// The URL for profiles, used as it is.
    pub profiles_endpoint: String,
    /// The format of requests: `proto` or `json`.
    pub encoding: Encoding,
    /// How connections to `https://` endpoints are encrypted.
    pub tls: ClientWords,
    /// Headers of every request, with values that are never shown.
    pub headers: Headers,
    /// How requests are compressed: `gzip`, `zstd`, `snappy`, `x-snappy-framed`, `deflate` or
    /// `none`.
    pub compression: CompressionName,
    /// Details of the compression.
    pub compression_params: CompressionParams,
    /// Which extension adds credentials.
    pub auth: Option<AuthWords>,
    /// The proxy to go through, instead of the one that `HTTP_PROXY` or `HTTPS_PROXY` names.
    pub proxy_url: String,
    /// Keeps the cookies that the server sets, for load balancers that want them.
    pub cookies: CookiesWords,
    /// Accepted for compatibility; reads are sized by what arrives.
    pub read_buffer_size: ByteSize,
    /// Accepted for compatibility; requests wait where they are, and are not copied to be sent.
    pub write_buffer_size: ByteSize,
    /// How many idle HTTP/1 connections are kept for each address; 0 sets no limit.
    pub max_idle_conns: usize,
    /// As `max_idle_conns`; the smaller one counts.
    pub max_idle_conns_per_host: usize,
    /// How many HTTP/1 connections each address may have; 0 sets no limit.
    pub max_conns_per_host: usize,
    /// When an idle HTTP/1 connection is closed; 0 keeps it.
    pub idle_conn_timeout: Duration,
    /// Uses each HTTP/1 connection for one request only.
    pub disable_keep_alives: bool,
    /// Speaks HTTP/2 when TLS can agree on it.
    pub force_attempt_http2: bool,
    /// On HTTP/2, a ping is sent after this long without a sign of life; 0 sends none.
    pub http2_read_idle_timeout: Duration,
    /// How long the answer to a ping may take before the connection is given up; 0 means 15 s.
    pub http2_ping_timeout: Duration,
    /// How many redirects (307 and 308, to the same server) are followed.
    pub max_redirects: usize,
    /// How long one attempt may take; 0 leaves it to the deadlines of the callers.
    pub timeout: Duration,
    /// When to send again what was not accepted.
    pub retry_on_failure: RetryWords,
    /// A queue in front of the exporter, and batching; off until the key is written.
    pub sending_queue: Option<QueueWords>,
}

/// The format of requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    #[default]
    Proto,
    Json,
}

/// Cookies.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CookiesWords {
    /// Whether cookies are kept and sent.
    pub enabled: bool,
}

/// The words, checked and complete.
#[derive(Debug)]
pub struct Settings {
    pub(super) targets: Vec<Target>,
    pub(super) format: Format,
    pub(super) way: Way,
    pub(super) headers: HeaderMap,
    pub(super) compression: Option<Compression>,
    pub(super) authenticator: Option<ComponentId>,
    pub(super) keeps_cookies: bool,
    pub(super) redirects_max: usize,
    pub(super) road: delivery::Settings,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            endpoint: String::new(),
            logs_endpoint: String::new(),
            traces_endpoint: String::new(),
            metrics_endpoint: String::new(),
            profiles_endpoint: String::new(),
            encoding: Encoding::default(),
            tls: ClientWords::default(),
            headers: Headers::default(),
            compression: CompressionName::default(),
            compression_params: CompressionParams::default(),
            auth: None,
            proxy_url: String::new(),
            cookies: CookiesWords::default(),
            read_buffer_size: ByteSize::default(),
            write_buffer_size: ByteSize::from_bytes(512 << 10),
            max_idle_conns: 100,
            max_idle_conns_per_host: 0,
            max_conns_per_host: 0,
            idle_conn_timeout: Duration::from_secs(90),
            disable_keep_alives: false,
            force_attempt_http2: true,
            http2_read_idle_timeout: Duration::default(),
            http2_ping_timeout: Duration::default(),
            max_redirects: 10,
            timeout: Duration::from_secs(30),
            retry_on_failure: RetryWords::default(),
            sending_queue: None,
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
        let compression = faults.take("", self.compression.for_http(&self.compression_params));
        let common = CommonWords {
            tls: self.tls.clone(),
            headers: self.headers.clone(),
            auth: self.auth.clone(),
            proxy_url: self.proxy_url.clone(),
            road: RoadWords {
                timeout: self.timeout,
                retry_on_failure: self.retry_on_failure.clone(),
                sending_queue: self.sending_queue.clone(),
            },
        };
        let common = common.validate(is_reserved, gates, faults);
        let tls = common.tls?;
        let mut headers = common.headers.unwrap_or_default();
        let targets = faults.take("", self.endpoints().targets(&tls, &mut headers));
        Some(Settings {
            targets: targets?,
            format: self.encoding.format(),
            way: self.way(tls, common.proxy),
            headers,
            compression: compression?,
            authenticator: common.authenticator,
            keeps_cookies: self.cookies.enabled,
            redirects_max: self.max_redirects,
            road: common.road?,
        })
    }

    fn endpoints(&self) -> Endpoints<'_> {
        let own = [
            (Signal::Logs, "logs_endpoint", self.logs_endpoint.as_str()),
            (Signal::Traces, "traces_endpoint", self.traces_endpoint.as_str()),
            (Signal::Metrics, "metrics_endpoint", self.metrics_endpoint.as_str()),
            (Signal::Profiles, "profiles_endpoint", self.profiles_endpoint.as_str()),
        ];
        Endpoints { all: &self.endpoint, own }
    }

    fn way(&self, tls: ClientSettings, proxy: Option<Proxy>) -> Way {
        let ping_timeout = self.http2_ping_timeout.unless_zero();
        let keepalive = self.http2_read_idle_timeout.unless_zero().map(|interval| Keepalive {
            interval,
            timeout: ping_timeout.unwrap_or(Period::from_secs(15)),
            while_idle: true,
        });
        Way {
            tls,
            protocol: Protocol::Negotiated,
            offers_http2: self.force_attempt_http2,
            proxy,
            keepalive,
            policy: Policy::RoundRobin,
            limits: Limits {
                open_max: limit(self.max_conns_per_host),
                idle_max: limit(self.max_idle_conns).min(limit(self.max_idle_conns_per_host)),
                idle_timeout: self.idle_conn_timeout.unless_zero(),
            },
            is_waiting_for_ready: false,
            is_closing: self.disable_keep_alives,
        }
    }
}

impl Encoding {
    fn format(self) -> Format {
        match self {
            Self::Proto => Format::Protobuf,
            Self::Json => Format::Json,
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
        let has_target = |signal| self.targets.iter().any(|target| target.signal == signal);
        let without = Signal::ALL.into_iter().filter(|signal| !has_target(*signal));
        let without = without.map(Signal::name).collect::<Vec<_>>().join(", ");
        if without.is_empty() {
            return Vec::new();
        }
        vec![format!("there is no endpoint for {without}: such data would be refused")]
    }
}

fn limit(words: usize) -> usize {
    if words == 0 { usize::MAX } else { words }
}

/// Headers that belong to HTTP or tell the format of the body.
fn is_reserved(name: &str) -> bool {
    matches!(
        name,
        "content-type"
            | "content-length"
            | "content-encoding"
            | "transfer-encoding"
            | "connection"
            | "upgrade"
    )
}
