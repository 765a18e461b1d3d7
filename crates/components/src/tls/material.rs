//! Material: certificates, keys and authorities, read from PEM files or from the configuration.
//!
//! Bounds: a file is read up to [`PEM_BYTES_MAX`].

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use config::Faults;
use config::value::Secret;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

const PEM_BYTES_MAX: u64 = 1 << 20;

/// Why certificates could not be used; names the file or key.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("cannot read {origin}: {error}")]
    Read { origin: String, error: io::Error },
    #[error("{origin} is larger than 1 MiB")]
    TooLarge { origin: String },
    #[error("{origin} holds no {wanted} in PEM format")]
    Absent { origin: String, wanted: &'static str },
    #[error("{origin} is not valid PEM: {error}")]
    Pem { origin: String, error: rustls::pki_types::pem::Error },
    #[error("{origin} holds a certificate that cannot be used: {error}")]
    Certificate { origin: String, error: rustls::Error },
    #[error("{certificate} and {key} cannot be used together: {error}")]
    Identity { certificate: String, key: String, error: rustls::Error },
    #[error("client authorities of {origin} cannot be used: {error}")]
    Verifier { origin: String, error: rustls::server::VerifierBuilderError },
    #[error("the system has no certificate authorities ({0}); set `ca_file`")]
    NoSystemAuthorities(String),
    #[error("these TLS settings do not fit together: {0}")]
    Parameters(rustls::Error),
}

/// Where a PEM text comes from.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Source {
    File(PathBuf),
    /// Written in the configuration under this key, without its `_pem`.
    Inline(&'static str, Secret),
}

/// Where all PEM texts of one side come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Origins {
    pub(super) certificate: Option<Source>,
    pub(super) key: Option<Source>,
    pub(super) authorities: Option<Source>,
}

/// What was read from [`Origins`].
pub(super) struct Material {
    certificate: Option<Pem>,
    key: Option<Pem>,
    authorities: Option<Pem>,
}

struct Pem {
    origin: String,
    text: Vec<u8>,
}

/// A certificate chain and its key, and where they came from.
pub(super) struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    certificate_origin: String,
    key_origin: String,
}

impl Origins {
    /// Reads all that is named.
    pub(super) fn read(&self) -> Result<Material, TlsError> {
        let read = |source: &Option<Source>| source.as_ref().map(Source::read).transpose();
        Ok(Material {
            certificate: read(&self.certificate)?,
            key: read(&self.key)?,
            authorities: read(&self.authorities)?,
        })
    }

    /// The source of a PEM text that may be named by a file or written out.
    pub(super) fn choose(
        stem: &'static str,
        file: &Path,
        inline: &Secret,
        faults: &mut Faults,
    ) -> Option<Source> {
        if inline.is_empty() {
            return Self::file(file);
        }
        if !file.as_os_str().is_empty() {
            let message = format!("`{stem}_file` and `{stem}_pem` exclude each other");
            faults.add(format!("{stem}_pem"), message);
        }
        Some(Source::Inline(stem, inline.clone()))
    }

    /// The source that a file name gives.
    pub(super) fn file(file: &Path) -> Option<Source> {
        (!file.as_os_str().is_empty()).then(|| Source::File(file.to_owned()))
    }

    /// Whether anything could change without a change of the configuration.
    pub(super) fn has_files(&self) -> bool {
        let all = [&self.certificate, &self.key, &self.authorities];
        all.into_iter().flatten().any(|source| matches!(source, Source::File(_)))
    }
}

impl Source {
    fn read(&self) -> Result<Pem, TlsError> {
        let origin = self.to_string();
        let text = match self {
            Self::File(path) => {
                let mut text = Vec::new();
                let file = File::open(path)
                    .and_then(|file| file.take(PEM_BYTES_MAX + 1).read_to_end(&mut text));
                match file {
                    Ok(length) if length as u64 > PEM_BYTES_MAX => {
                        return Err(TlsError::TooLarge { origin });
                    }
                    Ok(_) => text,
                    Err(error) => return Err(TlsError::Read { origin, error }),
                }
            }
            Self::Inline(_, text) => text.expose().as_bytes().to_vec(),
        };
        Ok(Pem { origin, text })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Inline(stem, _) => write!(f, "`{stem}_pem`"),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Material {
    /// Tells two readings apart without keeping keys around.
    pub(super) fn fingerprint(&self) -> Vec<u8> {
        let mut context = digest::Context::new(&digest::SHA256);
        for pem in [&self.certificate, &self.key, &self.authorities] {
            let text = pem.as_ref().map_or(&[][..], |pem| pem.text.as_slice());
            context.update(&text.len().to_le_bytes());
            context.update(text);
        }
        context.finish().as_ref().to_vec()
    }

    /// The certificate chain and its key; `None` when neither is configured.
    pub(super) fn identity(&self) -> Result<Option<Identity>, TlsError> {
        let (Some(certificate), Some(key)) = (&self.certificate, &self.key) else {
            return Ok(None);
        };
        let key_text = PrivateKeyDer::from_pem_slice(&key.text).map_err(|error| match error {
            rustls::pki_types::pem::Error::NoItemsFound => {
                TlsError::Absent { origin: key.origin.clone(), wanted: "private key" }
            }
            error => TlsError::Pem { origin: key.origin.clone(), error },
        })?;
        Ok(Some(Identity {
            chain: certificate.certificates()?,
            key: key_text,
            certificate_origin: certificate.origin.clone(),
            key_origin: key.origin.clone(),
        }))
    }

    /// The certificate chain and its key, without which a server cannot be.
    pub(super) fn required_identity(&self) -> Result<Identity, TlsError> {
        let absent =
            || TlsError::Absent { origin: "the configuration".into(), wanted: "certificate" };
        self.identity()?.ok_or_else(absent)
    }

    /// Adds the configured authorities to `store`; gives their origin, if there are any.
    pub(super) fn add_authorities(
        &self,
        store: &mut RootCertStore,
    ) -> Result<Option<String>, TlsError> {
        let Some(origin) = self.authorities.as_ref().map(|pem| pem.origin.clone()) else {
            return Ok(None);
        };
        for certificate in self.authorities()? {
            store
                .add(certificate)
                .map_err(|error| TlsError::Certificate { origin: origin.clone(), error })?;
        }
        Ok(Some(origin))
    }

    /// The configured authorities.
    pub(super) fn authorities(&self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        self.authorities.as_ref().map_or(Ok(Vec::new()), Pem::certificates)
    }
}

impl Pem {
    fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let all = CertificateDer::pem_slice_iter(&self.text).collect::<Result<Vec<_>, _>>();
        let all = all.map_err(|error| TlsError::Pem { origin: self.origin.clone(), error })?;
        if all.is_empty() {
            return Err(TlsError::Absent { origin: self.origin.clone(), wanted: "certificate" });
        }
        Ok(all)
    }
}

impl Identity {
    /// Hands chain and key to `use_both`, and explains it when they do not fit together.
    pub(super) fn bind<T>(
        self,
        use_both: impl FnOnce(
            Vec<CertificateDer<'static>>,
            PrivateKeyDer<'static>,
        ) -> Result<T, rustls::Error>,
    ) -> Result<T, TlsError> {
        let (certificate, key) = (self.certificate_origin, self.key_origin);
        use_both(self.chain, self.key).map_err(|error| TlsError::Identity {
            certificate,
            key,
            error,
        })
    }
}
