//! The server side: what a receiver needs to accept TLS connections, with client certificates.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use config::Faults;
use config::value::{Duration as Period, Secret};
use pipeline::StartError;
use runtime::clock::Clock;
use runtime::task::Scope;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::material::{Material, Origins, TlsError};
use super::parameters::{Names, Parameters};
use super::reload::{Recipe, Reloaded};
use super::verifier::AnchoredClients;
use super::{HTTP1, HTTP2};

/// How often client authorities are looked at when only `client_ca_file_reload` is set.
const CLIENT_CA_INTERVAL: Duration = Duration::from_secs(10);

/// TLS of a receiver.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ServerWords {
    /// File with the server's certificate chain, PEM.
    pub cert_file: PathBuf,
    /// The server's certificate chain itself, PEM; instead of `cert_file`.
    pub cert_pem: Secret,
    /// File with the private key of the certificate, PEM.
    pub key_file: PathBuf,
    /// The private key itself, PEM; instead of `key_file`.
    pub key_pem: Secret,
    /// File with the authorities that client certificates must come from, PEM. When set, a client
    /// without a valid certificate is refused (mutual TLS).
    pub client_ca_file: PathBuf,
    /// Reads `client_ca_file` again when it changes, every 10 s unless `reload_interval` is set.
    pub client_ca_file_reload: bool,
    /// Lowest TLS version: `"1.2"` (the default) or `"1.3"`; `"1.0"` and `"1.1"` mean `"1.2"`.
    pub min_version: String,
    /// Highest TLS version: `"1.2"` or `"1.3"` (the default).
    pub max_version: String,
    /// Cipher suites, by their names in the RFCs; none means all.
    pub cipher_suites: Vec<String>,
    /// Key exchange groups in order of preference: X25519, P256, P384, X25519MLKEM768.
    pub curve_preferences: Vec<String>,
    /// How often the files are looked at for changes; 0 means never.
    pub reload_interval: Period,
    /// Has no meaning on the server side; use `client_ca_file`.
    pub ca_file: PathBuf,
    /// Has no meaning on the server side; use `client_ca_file`.
    pub ca_pem: Secret,
    /// Has no meaning on the server side.
    pub include_system_ca_certs_pool: bool,
}

/// TLS of a receiver, checked.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    recipe: ServerRecipe,
    reload_interval: Option<Duration>,
}

/// Accepts TLS connections. Clones are the same acceptor.
#[derive(Clone, Debug)]
pub struct Acceptor {
    current: Reloaded<ServerRecipe>,
}

#[derive(Clone, Debug)]
struct ServerRecipe {
    origins: Origins,
    parameters: Parameters,
    protocols: Vec<Vec<u8>>,
}

impl ServerWords {
    /// Checks everything that can be checked without reading files.
    pub fn validate(self) -> Result<ServerSettings, Faults> {
        let mut faults = Faults::default();
        let names = Names {
            version_min: &self.min_version,
            version_max: &self.max_version,
            cipher_suites: &self.cipher_suites,
            curves: &self.curve_preferences,
        };
        let parameters = faults.take("", names.validate());
        self.check_presence(&mut faults);
        let reload_interval = self.interval();
        let origins = Origins {
            certificate: Origins::choose("cert", &self.cert_file, &self.cert_pem, &mut faults),
            key: Origins::choose("key", &self.key_file, &self.key_pem, &mut faults),
            authorities: Origins::file(&self.client_ca_file),
        };
        match parameters {
            Some(parameters) => faults.or(|| {
                let protocols = vec![HTTP2.to_vec(), HTTP1.to_vec()];
                let recipe = ServerRecipe { origins, parameters, protocols };
                ServerSettings { recipe, reload_interval }
            }),
            None => Err(faults),
        }
    }

    fn check_presence(&self, faults: &mut Faults) {
        if self.cert_file.as_os_str().is_empty() && self.cert_pem.is_empty() {
            faults.add("cert_file", "a server needs a certificate: set `cert_file` or `cert_pem`");
        }
        if self.key_file.as_os_str().is_empty() && self.key_pem.is_empty() {
            faults.add("key_file", "a server needs a private key: set `key_file` or `key_pem`");
        }
        let misplaced = [
            ("ca_file", !self.ca_file.as_os_str().is_empty()),
            ("ca_pem", !self.ca_pem.is_empty()),
            ("include_system_ca_certs_pool", self.include_system_ca_certs_pool),
        ];
        for (key, _) in misplaced.into_iter().filter(|(_, is_set)| *is_set) {
            faults.add_with_remedy(
                key,
                "has no effect on the server side: clients would not be verified with it",
                "to demand client certificates set `client_ca_file`; else remove the key",
            );
        }
        if self.client_ca_file_reload && self.client_ca_file.as_os_str().is_empty() {
            faults.add("client_ca_file_reload", "has no effect without `client_ca_file`");
        }
    }

    fn interval(&self) -> Option<Duration> {
        let interval = Duration::from(self.reload_interval);
        if interval.is_zero() {
            return self.client_ca_file_reload.then_some(CLIENT_CA_INTERVAL);
        }
        Some(interval)
    }
}

impl ServerSettings {
    /// Offers these protocols by ALPN instead of `h2` and `http/1.1`, the preferred one first.
    #[must_use]
    pub fn with_protocols(mut self, protocols: &[&[u8]]) -> Self {
        self.recipe.protocols = protocols.iter().map(|name| name.to_vec()).collect();
        self
    }

    /// Reads the files and makes the acceptor; it looks at them again from a task in `scope`.
    pub fn acceptor(self, clock: Clock, scope: &Scope) -> Result<Acceptor, StartError> {
        let current = Reloaded::start(self.recipe, self.reload_interval, clock, scope)
            .map_err(|error| StartError::new(format!("TLS of the server: {error}")))?;
        Ok(Acceptor { current })
    }
}

impl Acceptor {
    /// Performs the handshake of one connection. The caller bounds the wait.
    pub async fn accept<S>(&self, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        TlsAcceptor::from(self.current.current()).accept(stream).await
    }

    /// Looks at the files now; says whether they had changed. New connections use what was read.
    pub fn reload(&self) -> Result<bool, TlsError> {
        self.current.reload()
    }
}

impl Recipe for ServerRecipe {
    type Config = ServerConfig;

    fn origins(&self) -> &Origins {
        &self.origins
    }

    fn build(&self, material: &Material) -> Result<Arc<ServerConfig>, TlsError> {
        let provider = Arc::clone(&self.parameters.provider);
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&self.parameters.versions)
            .map_err(TlsError::Parameters)?;
        let mut roots = RootCertStore::empty();
        let builder = match material.add_authorities(&mut roots)? {
            Some(origin) => {
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                        .build()
                        .map_err(|error| TlsError::Verifier { origin, error })?;
                let own = material.authorities()?;
                builder.with_client_cert_verifier(Arc::new(AnchoredClients::new(verifier, own)))
            }
            None => builder.with_no_client_auth(),
        };
        let identity = material.required_identity()?;
        let mut config = identity.bind(|chain, key| builder.with_single_cert(chain, key))?;
        config.alpn_protocols.clone_from(&self.protocols);
        Ok(Arc::new(config))
    }
}
