//! Endpoints: the forms in which a configuration names a destination.

use std::fmt;
use std::path::PathBuf;

use runtime::metrics::Labels;

/// What stands before `://`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Scheme {
    Http,
    Https,
}

/// Who is called.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Host {
    /// A DNS name or an IP address (without brackets), and a port.
    Name(String, u16),
    /// A socket in the file system.
    Unix(PathBuf),
}

/// A destination, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) scheme: Option<Scheme>,
    pub(crate) host: Host,
    /// User and password, for proxies.
    pub(crate) user: Option<String>,
    /// Path and query, without a trailing slash; often empty.
    pub(crate) path: String,
}

impl Endpoint {
    /// Reads the endpoint of a gRPC exporter: `host:port`, `http://…`, `https://…`, `dns:///…`,
    /// `unix:path` or `unix:///path`.
    pub(crate) fn grpc(text: &str) -> Result<Self, &'static str> {
        if let Some(path) = text.strip_prefix("unix:") {
            return Self::unix(path);
        }
        let text = match text.strip_prefix("dns:") {
            Some(rest) => match rest.strip_prefix("///") {
                Some(name) => name,
                None if rest.starts_with("//") => {
                    return Err(
                        "a DNS server of its own is not supported: write `dns:///host:port`",
                    );
                }
                None => rest,
            },
            None => text.strip_prefix("passthrough:///").unwrap_or(text),
        };
        let endpoint = Self::parse(text, None)?;
        if endpoint.path.is_empty() { Ok(endpoint) } else { Err("a gRPC endpoint has no path") }
    }

    /// Reads the endpoint of an HTTP exporter or of a proxy: `http://…` or `https://…`.
    pub(crate) fn http(text: &str) -> Result<Self, &'static str> {
        let port = |scheme| match scheme {
            Scheme::Http => 80,
            Scheme::Https => 443,
        };
        let endpoint = Self::parse(text, Some(port))?;
        if endpoint.scheme.is_none() {
            return Err("must start with `http://` or `https://`");
        }
        Ok(endpoint)
    }

    fn unix(path: &str) -> Result<Self, &'static str> {
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() {
            return Err("`unix:` is followed by the path of a socket");
        }
        let host = Host::Unix(PathBuf::from(path));
        Ok(Self { scheme: None, host, user: None, path: String::new() })
    }

    fn parse(text: &str, default_port: Option<fn(Scheme) -> u16>) -> Result<Self, &'static str> {
        let (scheme, rest) = match text.split_once("://") {
            Some(("http", rest)) => (Some(Scheme::Http), rest),
            Some(("https", rest)) => (Some(Scheme::Https), rest),
            Some(_) => return Err("the scheme is neither `http` nor `https`"),
            None => (None, text),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if path.contains('#') {
            return Err("a fragment (`#…`) has no meaning here");
        }
        let (user, address) = match authority.rsplit_once('@') {
            Some((user, address)) => (Some(user.to_owned()), address),
            None => (None, authority),
        };
        let default_port = scheme.and_then(|scheme| default_port.map(|port| port(scheme)));
        let host = host(address, default_port)?;
        let path = path.trim_end_matches('/').to_owned();
        Ok(Self { scheme, host, user, path })
    }
}

fn host(address: &str, default_port: Option<u16>) -> Result<Host, &'static str> {
    let (name, port) = match address.strip_prefix('[') {
        Some(rest) => {
            let (name, after) = rest.split_once(']').ok_or("`[` is not closed")?;
            (name, after.strip_prefix(':'))
        }
        None => match address.split_once(':') {
            Some((_, port)) if port.contains(':') => {
                return Err("an IPv6 address is written in brackets: `[::1]:4317`");
            }
            Some((name, port)) => (name, Some(port)),
            None => (address, None),
        },
    };
    if name.is_empty() {
        return Err("has no host name");
    }
    if name.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err("the host name contains white space");
    }
    let port = match port {
        Some(port) => port.parse::<u16>().map_err(|_| "the port is not a number up to 65535")?,
        None => default_port.ok_or("has no port: write `host:port`")?,
    };
    Ok(Host::Name(name.to_owned(), port))
}

impl Host {
    /// The name that a certificate is checked against.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Name(name, _) => name,
            Self::Unix(_) => "localhost",
        }
    }

    /// What names it on metrics, as the conventions of OpenTelemetry say.
    pub(crate) fn labels(&self) -> Labels {
        match self {
            Self::Name(name, port) => {
                vec![("server.address", name.clone()), ("server.port", port.to_string())]
            }
            Self::Unix(path) => vec![("server.address", path.display().to_string())],
        }
    }
}

impl fmt::Display for Host {
    /// Writes it as the authority of a URL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name, port) if name.contains(':') => write!(f, "[{name}]:{port}"),
            Self::Name(name, port) => write!(f, "{name}:{port}"),
            Self::Unix(_) => f.write_str("localhost"),
        }
    }
}

#[cfg(test)]
mod tests;
