//! Parameters: protocol versions, cipher suites and curves, by their names in Go and in RFCs.

use std::sync::Arc;

use config::Faults;
use rustls::crypto::aws_lc_rs::{ALL_CIPHER_SUITES, default_provider, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::{SupportedCipherSuite, SupportedProtocolVersion, version};

/// The names that the configuration uses, as written.
#[derive(Debug)]
pub(super) struct Names<'a> {
    pub(super) version_min: &'a str,
    pub(super) version_max: &'a str,
    pub(super) cipher_suites: &'a [String],
    pub(super) curves: &'a [String],
}

/// What a handshake may agree on.
#[derive(Clone, Debug)]
pub(super) struct Parameters {
    pub(super) provider: Arc<CryptoProvider>,
    pub(super) versions: Vec<&'static SupportedProtocolVersion>,
}

impl Names<'_> {
    /// Checks all names at once.
    pub(super) fn validate(&self) -> Result<Parameters, Faults> {
        let mut faults = Faults::default();
        let versions = self.versions(&mut faults);
        let provider = CryptoProvider {
            cipher_suites: self.cipher_suites(&mut faults),
            kx_groups: self.groups(&mut faults),
            ..default_provider()
        };
        faults.or(|| Parameters { provider: Arc::new(provider), versions })
    }

    fn versions(&self, faults: &mut Faults) -> Vec<&'static SupportedProtocolVersion> {
        // TLS 1.0 and 1.1 are never spoken: as a minimum they allow what we have, as a maximum
        // they leave nothing.
        let lowest = match self.version_min {
            "" | "1.0" | "1.1" | "1.2" => 2,
            "1.3" => 3,
            other => unknown_version(faults, "min_version", other),
        };
        let highest = match self.version_max {
            "" | "1.3" => 3,
            "1.2" => 2,
            "1.0" | "1.1" => {
                faults.add_with_remedy(
                    "max_version",
                    "TLS 1.0 and 1.1 are not supported",
                    "use \"1.2\" or \"1.3\"",
                );
                3
            }
            other => unknown_version(faults, "max_version", other),
        };
        if highest < lowest {
            faults.add("min_version", "is above `max_version`");
        }
        let mut versions = Vec::new();
        if highest == 3 {
            versions.push(&version::TLS13);
        }
        if lowest == 2 {
            versions.push(&version::TLS12);
        }
        versions
    }

    /// As in Go, a list of TLS 1.2 suites leaves those of TLS 1.3 alone.
    fn cipher_suites(&self, faults: &mut Faults) -> Vec<SupportedCipherSuite> {
        let mut named = Vec::new();
        for name in self.cipher_suites {
            match ALL_CIPHER_SUITES.iter().find(|suite| go_name(suite) == name.trim()) {
                Some(suite) => named.push(*suite),
                None => unknown_suite(faults, name),
            }
        }
        let is_13 = |suite: &SupportedCipherSuite| suite.tls13().is_some();
        let has_12 = named.iter().any(|suite| !is_13(suite));
        let has_13 = named.iter().any(is_13);
        let kept = ALL_CIPHER_SUITES.iter().filter(|suite| {
            named.contains(suite) || (if is_13(suite) { !has_13 } else { !has_12 && !has_13 })
        });
        if named.is_empty() { ALL_CIPHER_SUITES.to_vec() } else { kept.copied().collect() }
    }

    fn groups(&self, faults: &mut Faults) -> Vec<&'static dyn SupportedKxGroup> {
        let mut groups = Vec::new();
        for name in self.curves {
            match name.trim() {
                "X25519" => groups.push(kx_group::X25519),
                "P256" => groups.push(kx_group::SECP256R1),
                "P384" => groups.push(kx_group::SECP384R1),
                "X25519MLKEM768" => groups.push(kx_group::X25519MLKEM768),
                other => faults.add_with_remedy(
                    "curve_preferences",
                    format!("there is no curve `{other}`"),
                    "use X25519, P256, P384 or X25519MLKEM768",
                ),
            }
        }
        if groups.is_empty() { default_provider().kx_groups } else { groups }
    }
}

fn unknown_version(faults: &mut Faults, key: &str, version: &str) -> u8 {
    faults.add_with_remedy(
        key,
        format!("there is no TLS version `{version}`"),
        "use \"1.2\" or \"1.3\"",
    );
    3
}

fn unknown_suite(faults: &mut Faults, name: &str) {
    let all = ALL_CIPHER_SUITES.iter().map(go_name).collect::<Vec<_>>().join(", ");
    let message = format!("cipher suite `{name}` is not offered");
    faults.add_with_remedy("cipher_suites", message, format!("choose from {all}"));
}

/// Go and the RFCs write `TLS_AES_…` where rustls writes `TLS13_AES_…`.
fn go_name(suite: &SupportedCipherSuite) -> String {
    format!("{:?}", suite.suite()).replacen("TLS13_", "TLS_", 1)
}
