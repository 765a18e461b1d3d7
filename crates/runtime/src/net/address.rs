//! Address: where to listen or connect, as users write it.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

/// `host:port`, `[::1]:port`, `:port` (all interfaces), `unix:///path` or `unix:path`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// An empty host stands for all interfaces.
    Tcp {
        host: String,
        port: u16,
    },
    Unix(PathBuf),
}

/// Why a text is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("`{text}` has no port; write `{text}:4317`, for example")]
    NoPort { text: String },
    #[error("`{port}` in `{text}` is not a port from 0 to 65535")]
    BadPort { text: String, port: String },
    #[error("`{text}` has colons in its host; write an IPv6 address as `[::1]:4317`")]
    BareIpv6 { text: String },
    #[error("`{text}` does not close its bracket as `[::1]:4317` does, or holds no IPv6 address")]
    BadBrackets { text: String },
    #[error("`{text}` names no path")]
    NoPath { text: String },
    #[error("`{text}` has a host with spaces or slashes")]
    BadHost { text: String },
}

impl Address {
    /// Whether only this machine can reach a listener on this address.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Unix(_) => true,
            Self::Tcp { host, .. } => {
                is_localhost(host) || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
            }
        }
    }
}

/// Whether `host` is the name that always stands for this machine (RFC 6761).
pub(super) fn is_localhost(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if let Some(path) = text.strip_prefix("unix:") {
            return unix(text, path);
        }
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => bracketed(text, rest)?,
            None => plain(text)?,
        };
        let bad_port = || AddressError::BadPort { text: text.to_owned(), port: port.to_owned() };
        let is_number = !port.is_empty() && port.bytes().all(|c| c.is_ascii_digit());
        let port = if is_number { port.parse().ok() } else { None }.ok_or_else(bad_port)?;
        Ok(Self::Tcp { host: host.to_owned(), port })
    }
}

fn unix(text: &str, path: &str) -> Result<Address, AddressError> {
    // `unix:///run/x` is absolute, `unix:run/x` relative; `unix://run/x` is taken as the latter.
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.is_empty() {
        return Err(AddressError::NoPath { text: text.to_owned() });
    }
    Ok(Address::Unix(PathBuf::from(path)))
}

fn bracketed<'a>(text: &str, rest: &'a str) -> Result<(&'a str, &'a str), AddressError> {
    let bad = || AddressError::BadBrackets { text: text.to_owned() };
    let (host, after) = rest.split_once(']').ok_or_else(bad)?;
    if !matches!(host.parse(), Ok(IpAddr::V6(_))) {
        return Err(bad());
    }
    let no_port = || AddressError::NoPort { text: text.to_owned() };
    let port = after.strip_prefix(':').ok_or_else(no_port)?;
    Ok((host, port))
}

fn plain(text: &str) -> Result<(&str, &str), AddressError> {
    let no_port = || AddressError::NoPort { text: text.to_owned() };
    let (host, port) = text.rsplit_once(':').ok_or_else(no_port)?;
    if host.contains(':') {
        return Err(AddressError::BareIpv6 { text: text.to_owned() });
    }
    if host.contains(|c: char| c.is_whitespace() || c.is_control() || c == '/' || c == '\\') {
        return Err(AddressError::BadHost { text: text.to_owned() });
    }
    Ok((host, port))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) if path.is_absolute() => write!(f, "unix://{}", path.display()),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests;
