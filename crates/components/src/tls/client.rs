//! The client side: what an exporter needs to open TLS connections, with a certificate of its own.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use config::Faults;
use config::value::{Duration as Period, Secret};
use pipeline::StartError;
use runtime::clock::Clock;
use runtime::task::Scope;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::material::{Material, Origins, TlsError};
use super::parameters::{Names, Parameters};
use super::reload::{Recipe, Reloaded};
use super::verifier::{Anchored, Trusting};

/// TLS of an exporter.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClientWords {
    /// Connects without TLS, unless the endpoint says `https://` or an authority is set.
    pub insecure: bool,
    /// Does not verify the server's certificate.
    pub insecure_skip_verify: bool,
    /// The name that the server's certificate must have, instead of the endpoint's host.
    pub server_name_override: String,
    /// File with the authorities that the server's certificate must come from, PEM; none means the
    /// system's.
    pub ca_file: PathBuf,
    /// The authorities themselves, PEM; instead of `ca_file`.
    pub ca_pem: Secret,
    /// Trusts the system's authorities beside those of `ca_file` or `ca_pem`.
    pub include_system_ca_certs_pool: bool,
    /// File with the certificate chain shown to the server (mutual TLS), PEM.
    pub cert_file: PathBuf,
    /// The certificate chain itself, PEM; instead of `cert_file`.
    pub cert_pem: Secret,
    /// File with the private key of the certificate, PEM.
    pub key_file: PathBuf,
    /// The private key itself, PEM; instead of `key_file`.
    pub key_pem: Secret,
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
}

/// TLS of an exporter, checked.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    recipe: ClientRecipe,
    server_name: Option<ServerName<'static>>,
    is_insecure: bool,
    security_key: Option<&'static str>,
    reload_interval: Option<Duration>,
}

/// Opens TLS connections. Clones are the same connector.
#[derive(Clone, Debug)]
pub struct Connector {
    current: Reloaded<ClientRecipe>,
    server_name: Option<ServerName<'static>>,
}

#[derive(Clone, Debug)]
struct ClientRecipe {
    origins: Origins,
    parameters: Parameters,
    protocols: Vec<Vec<u8>>,
    is_verifying: bool,
    includes_system: bool,
}

impl ClientWords {
    /// Checks everything that can be checked without reading files.
    pub fn validate(self) -> Result<ClientSettings, Faults> {
        let mut faults = Faults::default();
        let names = Names {
            version_min: &self.min_version,
            version_max: &self.max_version,
            cipher_suites: &self.cipher_suites,
            curves: &self.curve_preferences,
        };
        let parameters = faults.take("", names.validate());
        let server_name = self.server_name(&mut faults);
        let origins = Origins {
            certificate: Origins::choose("cert", &self.cert_file, &self.cert_pem, &mut faults),
            key: Origins::choose("key", &self.key_file, &self.key_pem, &mut faults),
            authorities: Origins::choose("ca", &self.ca_file, &self.ca_pem, &mut faults),
        };
        if origins.certificate.is_some() != origins.key.is_some() {
            let key = if origins.key.is_some() { "cert_file" } else { "key_file" };
            faults.add(key, "a certificate and its private key are set both or not at all");
        }
        let interval = Duration::from(self.reload_interval);
        let reload_interval = (!interval.is_zero()).then_some(interval);
        let is_insecure = self.insecure && origins.authorities.is_none();
        let security_key = self.security_key();
        match parameters {
            Some(parameters) => faults.or(|| {
                let recipe = ClientRecipe {
                    origins,
                    parameters,
                    protocols: Vec::new(),
                    is_verifying: !self.insecure_skip_verify,
                    includes_system: self.include_system_ca_certs_pool,
                };
                ClientSettings { recipe, server_name, is_insecure, security_key, reload_interval }
            }),
            None => Err(faults),
        }
    }

    /// A key that only makes sense when connections are encrypted.
    fn security_key(&self) -> Option<&'static str> {
        let is_file = |path: &PathBuf| !path.as_os_str().is_empty();
        let keys = [
            ("ca_file", is_file(&self.ca_file)),
            ("ca_pem", !self.ca_pem.is_empty()),
            ("include_system_ca_certs_pool", self.include_system_ca_certs_pool),
            ("cert_file", is_file(&self.cert_file)),
            ("cert_pem", !self.cert_pem.is_empty()),
            ("server_name_override", !self.server_name_override.is_empty()),
            ("min_version", !self.min_version.is_empty()),
            ("max_version", !self.max_version.is_empty()),
            ("cipher_suites", !self.cipher_suites.is_empty()),
            ("curve_preferences", !self.curve_preferences.is_empty()),
        ];
        keys.into_iter().find(|(_, is_set)| *is_set).map(|(key, _)| key)
    }

    fn server_name(&self, faults: &mut Faults) -> Option<ServerName<'static>> {
        if self.server_name_override.is_empty() {
            return None;
        }
        let name = ServerName::try_from(self.server_name_override.clone());
        if name.is_err() {
            faults.add("server_name_override", "is neither a DNS name nor an IP address");
        }
        name.ok()
    }
}

impl ClientSettings {
    /// Whether the user asked for connections without TLS.
    #[must_use]
    pub fn is_insecure(&self) -> bool {
        self.is_insecure
    }

    /// A key that was set and has no effect unless connections are encrypted.
    #[must_use]
    pub fn security_key(&self) -> Option<&'static str> {
        self.security_key
    }

    /// Reads the files and makes a connector that offers `protocols` by ALPN; it looks at the
    /// files again from a task in `scope`.
    pub fn connector(
        mut self,
        protocols: &[&[u8]],
        clock: Clock,
        scope: &Scope,
    ) -> Result<Connector, StartError> {
        self.recipe.protocols = protocols.iter().map(|name| name.to_vec()).collect();
        let current = Reloaded::start(self.recipe, self.reload_interval, clock, scope)
            .map_err(|error| StartError::new(format!("TLS of the client: {error}")))?;
        Ok(Connector { current, server_name: self.server_name })
    }
}

impl Connector {
    /// Performs the handshake with the server called `host`. The caller bounds the wait.
    pub async fn connect<S>(&self, host: &str, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let name = match &self.server_name {
            Some(name) => name.clone(),
            None => ServerName::try_from(host.to_owned()).map_err(|_| {
                io::Error::new(io::ErrorKind::InvalidInput, format!("`{host}` is no server name"))
            })?,
        };
        TlsConnector::from(self.current.current()).connect(name, stream).await
    }

    /// Looks at the files now; says whether they had changed. New connections use what was read.
    pub fn reload(&self) -> Result<bool, TlsError> {
        self.current.reload()
    }
}

impl Recipe for ClientRecipe {
    type Config = ClientConfig;

    fn origins(&self) -> &Origins {
        &self.origins
    }

    fn build(&self, material: &Material) -> Result<Arc<ClientConfig>, TlsError> {
        let provider = Arc::clone(&self.parameters.provider);
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&self.parameters.versions)
            .map_err(TlsError::Parameters)?;
        let verifier: Arc<dyn ServerCertVerifier> = if self.is_verifying {
            Arc::new(self.anchored(material, provider)?)
        } else {
            Arc::new(Trusting(provider))
        };
        let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
        let mut config = match material.identity()? {
            Some(identity) => {
                identity.bind(|chain, key| builder.with_client_auth_cert(chain, key))?
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols.clone_from(&self.protocols);
        Ok(Arc::new(config))
    }
}

impl ClientRecipe {
    /// Trusts the configured authorities, the system's, or both.
    fn anchored(
        &self,
        material: &Material,
        provider: Arc<CryptoProvider>,
    ) -> Result<Anchored, TlsError> {
        let mut roots = RootCertStore::empty();
        let own = material.add_authorities(&mut roots)?;
        if own.is_none() || self.includes_system {
            let system = rustls_native_certs::load_native_certs();
            let (added, _) = roots.add_parsable_certificates(system.certs);
            if added == 0 {
                let errors = system.errors.iter().map(ToString::to_string).collect::<Vec<_>>();
                return Err(TlsError::NoSystemAuthorities(errors.join("; ")));
            }
        }
        let chains = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|error| {
                let origin = own.unwrap_or_else(|| "the system's authorities".to_owned());
                TlsError::Verifier { origin, error }
            })?;
        Ok(Anchored::new(chains, material.authorities()?))
    }
}
