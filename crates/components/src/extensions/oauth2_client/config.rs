//! The configuration of the `oauth2client` extension.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use config::section::Words;
use config::value::Secret;
use config::{Faults, Gates};
use http::Uri;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::client::{Endpoint, Host, Scheme};
use crate::tls::{ClientSettings, ClientWords};

/// The longest wait for a token when `timeout` is 0.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);

/// Where tokens are fetched, and as whom.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The id of the client.
    pub client_id: String,
    /// A file with the id, instead of `client_id`; read for every token.
    pub client_id_file: PathBuf,
    /// The secret of the client.
    pub client_secret: Secret,
    /// A file with the secret, instead of `client_secret`; read for every token.
    pub client_secret_file: PathBuf,
    /// The URL of the authorization server's token endpoint. Required.
    pub token_url: String,
    /// The scopes to ask for.
    pub scopes: Vec<String>,
    /// Further parameters of the request, such as `audience`.
    pub endpoint_params: BTreeMap<String, Vec<String>>,
    /// TLS of the connection to the authorization server.
    pub tls: ClientWords,
    /// How long fetching a token may take; 0 means 30 s.
    pub timeout: config::value::Duration,
    /// How long before its end a token is replaced.
    pub expiry_buffer: config::value::Duration,
}

/// The checked configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(super) client_id: Text,
    pub(super) client_secret: Text,
    pub(super) url: Uri,
    pub(super) host: Host,
    pub(super) is_tls: bool,
    pub(super) scopes: Vec<String>,
    pub(super) parameters: BTreeMap<String, Vec<String>>,
    pub(super) tls: ClientSettings,
    pub(super) timeout: Duration,
    pub(super) expiry_buffer: Duration,
}

/// A text that is written in the configuration or stands in a file.
#[derive(Clone, Debug)]
pub(super) enum Text {
    Written(Secret),
    File(PathBuf),
}

impl Default for Config {
    fn default() -> Self {
        Self {
            client_id: String::new(),
            client_id_file: PathBuf::new(),
            client_secret: Secret::default(),
            client_secret_file: PathBuf::new(),
            token_url: String::new(),
            scopes: Vec::new(),
            endpoint_params: BTreeMap::new(),
            tls: ClientWords::default(),
            timeout: config::value::Duration::default(),
            expiry_buffer: config::value::Duration::from_secs(300),
        }
    }
}

impl Words for Config {
    type Settings = Settings;

    fn validate(self, _gates: &Gates) -> Result<Settings, Faults> {
        let mut faults = Faults::default();
        let id = Secret::from(self.client_id);
        let client_id = one_of("client_id", id, self.client_id_file, &mut faults);
        let secret = self.client_secret;
        let client_secret = one_of("client_secret", secret, self.client_secret_file, &mut faults);
        let tls = faults.take("tls", self.tls.validate());
        let place = place(&self.token_url, &mut faults);
        let (Some(tls), Some((url, host, is_tls))) = (tls, place) else { return Err(faults) };
        if let Some(key) = tls.security_key().filter(|_| !is_tls) {
            let message = "has no effect, because connections are not encrypted";
            let remedy = "write `token_url` with `https://`";
            faults.add_with_remedy(format!("tls.{key}"), message, remedy);
        }
        faults.or(|| Settings {
            client_id,
            client_secret,
            url,
            host,
            is_tls,
            scopes: self.scopes,
            parameters: self.endpoint_params,
            tls,
            timeout: self.timeout.unless_zero().unwrap_or(TIMEOUT_DEFAULT),
            expiry_buffer: self.expiry_buffer.get(),
        })
    }
}

fn one_of(key: &str, written: Secret, file: PathBuf, faults: &mut Faults) -> Text {
    let has_file = !file.as_os_str().is_empty();
    if has_file != written.is_empty() {
        faults.add(key, format!("one of `{key}` and `{key}_file` is needed, not both"));
    }
    if has_file { Text::File(file) } else { Text::Written(written) }
}

fn place(token_url: &str, faults: &mut Faults) -> Option<(Uri, Host, bool)> {
    let endpoint = Endpoint::http(token_url);
    let parsed = endpoint.and_then(|endpoint| match token_url.parse::<Uri>() {
        Ok(url) if endpoint.user.is_none() => {
            let is_tls = endpoint.scheme == Some(Scheme::Https);
            Ok((url, endpoint.host, is_tls))
        }
        _ => Err("is not a URL without credentials"),
    });
    parsed
        .map_err(|what| {
            let remedy = "write `token_url: https://host/path`";
            faults.add_with_remedy("token_url", format!("`token_url` {what}"), remedy);
        })
        .ok()
}
