//! The words of `protocols.http`.

use std::collections::BTreeMap;

use config::Faults;
use config::value::{ByteSize, Duration, Headers};
use http::{HeaderName, HeaderValue};
use schemars::JsonSchema;
use serde::Deserialize;
use wire::Signal;

use super::authentication::AuthWords;
use super::cors::CorsWords;
use super::limits::LimitWords;
use super::place;
use crate::compression::Algorithm;
use crate::receivers::otlp::http::Coding;
use crate::receivers::otlp::intake::Limits;
use crate::receivers::otlp::settings::{HttpSettings, PortSettings};
use crate::receivers::otlp::transport::Settings;
use crate::tls::{HTTP1, HTTP2, ServerWords};

const BODY_BYTES_MAX: usize = 20 << 20;
/// The encodings that are taken unless the configuration names them.
const CODINGS: [&str; 6] = ["gzip", "zstd", "zlib", "snappy", "deflate", "x-snappy-framed"];

/// OTLP over HTTP.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HttpWords {
    /// Where to listen: `host:port`, or the path of a Unix socket with `transport: unix`.
    pub endpoint: String,
    /// What to listen on: `tcp` or `unix`.
    pub transport: String,
    /// Certificates; without them the port speaks plain text.
    pub tls: Option<ServerWords>,
    /// Who checks the clients; without it everybody may send.
    pub auth: Option<AuthWords>,
    /// Which web pages may send; without it none.
    pub cors: Option<CorsWords>,
    /// The path of log requests.
    pub logs_url_path: String,
    /// The path of trace requests.
    pub traces_url_path: String,
    /// The path of metric requests.
    pub metrics_url_path: String,
    /// The path of profile requests.
    pub profiles_url_path: String,
    /// The largest body, before and after decompression; 0 means 20 MiB.
    pub max_request_body_size: ByteSize,
    /// The compressions that are taken; none means all: gzip, zstd, zlib, deflate, snappy and
    /// x-snappy-framed.
    pub compression_algorithms: Vec<String>,
    /// Keeps the headers of requests, for processors and exporters that ask for them.
    pub include_metadata: bool,
    /// Headers that every answer has.
    pub response_headers: Headers,
    /// The longest time for a request to arrive; 0 means only the receiver's `timeout` counts.
    pub read_timeout: Duration,
    /// The longest time for the head of a request to arrive.
    pub read_header_timeout: Duration,
    /// The longest time in which a client must take some of its answer.
    pub write_timeout: Duration,
    /// After this time without a request a connection is closed; 0 means 5 minutes.
    pub idle_timeout: Duration,
    /// Whether a connection may carry more than one request.
    pub keep_alives_enabled: bool,
    /// Further bounds on connections.
    pub limits: LimitWords,
}

impl Default for HttpWords {
    fn default() -> Self {
        Self {
            endpoint: "localhost:4318".to_owned(),
            transport: "tcp".to_owned(),
            tls: None,
            auth: None,
            cors: None,
            logs_url_path: "/v1/logs".to_owned(),
            traces_url_path: "/v1/traces".to_owned(),
            metrics_url_path: "/v1/metrics".to_owned(),
            profiles_url_path: "/v1development/profiles".to_owned(),
            max_request_body_size: ByteSize::default(),
            compression_algorithms: Vec::new(),
            include_metadata: false,
            response_headers: Headers::default(),
            read_timeout: Duration::default(),
            read_header_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(300),
            keep_alives_enabled: true,
            limits: LimitWords::default(),
        }
    }
}

impl HttpWords {
    pub(super) fn validate(self, timeout: std::time::Duration) -> Result<HttpSettings, Faults> {
        let mut faults = Faults::default();
        let paths = self.paths(&mut faults);
        let codings = self.codings(&mut faults);
        let headers = self.headers(&mut faults);
        let endpoint = place::address(&self.endpoint, &self.transport, &mut faults);
        let transport = self.transport();
        let bytes_max = match self.max_request_body_size.as_usize() {
            0 => BODY_BYTES_MAX,
            bytes => bytes,
        };
        self.limits.check(&mut faults);
        let tls = self.tls.and_then(|words| faults.take("tls", words.validate()));
        let auth = self.auth.and_then(|words| faults.take("auth", words.validate()));
        let cors = self.cors.and_then(|words| faults.take("cors", words.validate())).flatten();
        let port = PortSettings {
            endpoint,
            connections_max: self.limits.connections,
            transport,
            limits: Limits {
                bytes_max,
                timeout,
                timeout_min: std::time::Duration::ZERO,
                reading_max: self.read_timeout.unless_zero().unwrap_or(timeout),
                pace: self.limits.pace(),
            },
            handshake_timeout: self.limits.handshake_timeout.get(),
            tls: tls.map(|tls| tls.with_protocols(&[HTTP2, HTTP1])),
            auth,
            includes_metadata: self.include_metadata,
        };
        faults.or(|| HttpSettings { port, paths, codings, headers, cors })
    }

    fn transport(&self) -> Settings {
        let mut transport = self.limits.transport();
        let patience = &mut transport.patience;
        patience.head = self.read_header_timeout.unless_zero().unwrap_or(patience.head);
        patience.write = self.write_timeout.unless_zero().unwrap_or(patience.write);
        patience.idle = self.idle_timeout.unless_zero().unwrap_or(patience.idle);
        transport.is_kept_alive = self.keep_alives_enabled;
        transport
    }

    fn paths(&self, faults: &mut Faults) -> BTreeMap<String, Signal> {
        let mut paths = BTreeMap::new();
        for (key, path, signal) in [
            ("logs_url_path", &self.logs_url_path, Signal::Logs),
            ("traces_url_path", &self.traces_url_path, Signal::Traces),
            ("metrics_url_path", &self.metrics_url_path, Signal::Metrics),
            ("profiles_url_path", &self.profiles_url_path, Signal::Profiles),
        ] {
            let path = if path.starts_with('/') { path.clone() } else { format!("/{path}") };
            if paths.insert(path, signal).is_some() {
                faults.add(key, "is the path of another signal too");
            }
        }
        paths
    }

    fn codings(&self, faults: &mut Faults) -> Vec<Coding> {
        let named: Vec<&str> = match self.compression_algorithms.is_empty() {
            true => CODINGS.to_vec(),
            false => self.compression_algorithms.iter().map(String::as_str).collect(),
        };
        let mut codings = vec![Coding { name: "identity".to_owned(), algorithm: None }];
        for (index, name) in named.into_iter().enumerate() {
            let algorithm = Algorithm::from_name(name);
            if algorithm.is_none() && !matches!(name, "" | "none" | "identity") {
                faults.add_with_remedy(
                    format!("compression_algorithms[{index}]"),
                    format!("`{name}` cannot be decompressed"),
                    format!("use {}", CODINGS.join(", ")),
                );
            }
            codings.push(Coding { name: name.to_owned(), algorithm });
        }
        codings
    }

    fn headers(&self, faults: &mut Faults) -> Vec<(HeaderName, HeaderValue)> {
        let mut headers = Vec::new();
        for (name, value) in self.response_headers.iter() {
            match (name.parse(), HeaderValue::from_str(value.expose())) {
                (Ok(name), Ok(value)) => headers.push((name, value)),
                _ => faults.add(format!("response_headers.{name}"), "is not a valid header"),
            }
        }
        headers
    }
}
