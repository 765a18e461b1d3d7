//! The words of `protocols.http`.

use std::collections::BTreeMap;
use std::time::Duration;

use config::Faults;
use schemars::JsonSchema;
use serde::Deserialize;
use wire::Signal;

use super::server;
use crate::compression::Algorithm;
use crate::receivers::otlp::http::Coding;
use crate::receivers::otlp::intake::Limits;
use crate::receivers::otlp::settings::{HttpSettings, PortSettings};

const BODY_BYTES_MAX: usize = 20 << 20;
/// The encodings that are taken unless the configuration names them.
const CODINGS: [&str; 7] = ["", "identity", "gzip", "zstd", "zlib", "snappy", "deflate"];

/// OTLP over HTTP.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HttpWords {
    /// Where to listen: `host:port`.
    pub endpoint: String,
    /// The path of log requests.
    pub logs_url_path: String,
    /// The path of trace requests.
    pub traces_url_path: String,
    /// The path of metric requests.
    pub metrics_url_path: String,
    /// The path of profile requests.
    pub profiles_url_path: String,
    /// The largest body in bytes, before and after decompression; 0 means 20 MiB.
    pub max_request_body_size: usize,
    /// Keeps the headers of requests, for processors and exporters that ask for them.
    pub include_metadata: bool,
}

impl Default for HttpWords {
    fn default() -> Self {
        Self {
            endpoint: "localhost:4318".to_owned(),
            logs_url_path: "/v1/logs".to_owned(),
            traces_url_path: "/v1/traces".to_owned(),
            metrics_url_path: "/v1/metrics".to_owned(),
            profiles_url_path: "/v1development/profiles".to_owned(),
            max_request_body_size: 0,
            include_metadata: false,
        }
    }
}

impl HttpWords {
    pub(super) fn validate(self, timeout: Duration) -> Result<HttpSettings, Faults> {
        let mut faults = Faults::default();
        let paths = self.paths(&mut faults);
        let bytes_max = if self.max_request_body_size == 0 {
            BODY_BYTES_MAX
        } else {
            self.max_request_body_size
        };
        let codings = CODINGS
            .map(|name| Coding { name: name.to_owned(), algorithm: Algorithm::from_name(name) });
        faults.or(|| HttpSettings {
            port: PortSettings {
                endpoint: self.endpoint,
                connections_max: server::CONNECTIONS_MAX,
                transport: server::transport(),
                limits: Limits { bytes_max, timeout, pace: server::PACE },
                includes_metadata: self.include_metadata,
            },
            paths,
            codings: codings.to_vec(),
            headers: Vec::new(),
        })
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
}
