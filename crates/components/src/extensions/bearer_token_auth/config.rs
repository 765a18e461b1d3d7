//! The configuration of the `bearertokenauth` extension.

use std::path::PathBuf;

use config::section::Words;
use config::value::Secret;
use config::{Faults, Gates};
use http::{HeaderName, HeaderValue};
use schemars::JsonSchema;
use serde::Deserialize;

/// One of `token`, `tokens` and `filename`, and how they are sent.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The header that carries the token.
    pub header: String,
    /// The word before the token; empty for none.
    pub scheme: String,
    /// The token.
    pub token: Secret,
    /// Tokens of which clients may use any; exporters send the first.
    pub tokens: Vec<Secret>,
    /// A file with a token in each line; it is read again when it changes.
    pub filename: PathBuf,
}

/// The checked configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(super) header: HeaderName,
    pub(super) scheme: String,
    pub(super) source: Source,
}

/// Where tokens come from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Written(Vec<Secret>),
    File(PathBuf),
}

impl Default for Config {
    fn default() -> Self {
        Self {
            header: "Authorization".to_owned(),
            scheme: "Bearer".to_owned(),
            token: Secret::default(),
            tokens: Vec::new(),
            filename: PathBuf::new(),
        }
    }
}

impl Words for Config {
    type Settings = Settings;

    fn validate(self, _gates: &Gates) -> Result<Settings, Faults> {
        let mut faults = Faults::default();
        let header = HeaderName::from_bytes(self.header.as_bytes()).ok();
        if header.is_none() {
            faults.add("header", "`header` must be the name of a header");
        }
        if HeaderValue::from_str(&self.scheme).is_err() {
            faults.add("scheme", "`scheme` has characters that a header cannot have");
        }
        let ways = [
            !self.token.is_empty(),
            !self.tokens.is_empty(),
            !self.filename.as_os_str().is_empty(),
        ];
        if ways.iter().filter(|is_used| **is_used).count() != 1 {
            faults.add("", "exactly one of `token`, `tokens` and `filename` is needed");
        }
        let tokens = if self.token.is_empty() { self.tokens } else { vec![self.token] };
        let is_valid =
            |token: &Secret| !token.is_empty() && HeaderValue::from_str(token.expose()).is_ok();
        if !tokens.iter().all(is_valid) {
            faults.add("tokens", "a token is empty or has characters that a header cannot have");
        }
        let source = match ways[2] {
            true => Source::File(self.filename),
            false => Source::Written(tokens),
        };
        let Some(header) = header else { return Err(faults) };
        faults.or(|| Settings { header, scheme: self.scheme, source })
    }
}
