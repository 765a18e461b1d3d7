//! Proxies: whether a destination is reached through one, and how to ask it for a tunnel.
//!
//! Bounds: the answer to CONNECT is read up to [`HEAD_BYTES_MAX`].

use std::io;
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use runtime::net::ProxyVariables;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::endpoint::{Endpoint, Host};

const HEAD_BYTES_MAX: usize = 16 << 10;

/// A proxy that connections go through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proxy {
    pub(crate) host: Host,
    /// The value of `Proxy-Authorization`.
    pub(crate) authorization: Option<String>,
}

impl Proxy {
    /// The proxy that `url` names; plain HTTP to the proxy itself.
    pub(crate) fn parse(url: &str) -> Result<Self, &'static str> {
        let url = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let endpoint = Endpoint::http(&url)?;
        if endpoint.scheme == Some(super::Scheme::Https) {
            return Err("a proxy is reached over `http://`; what goes through it may be TLS");
        }
        let authorization = endpoint.user.map(|user| {
            let user = percent_decode_str(&user).collect::<Vec<_>>();
            format!("Basic {}", STANDARD.encode(user))
        });
        Ok(Self { host: endpoint.host, authorization })
    }

    /// The proxy that the environment asks for on the way to `host`.
    pub(crate) fn from_variables(
        variables: &ProxyVariables,
        is_tls: bool,
        host: &Host,
    ) -> Result<Option<Self>, &'static str> {
        let Host::Name(name, port) = host else { return Ok(None) };
        let url = if is_tls { &variables.https } else { &variables.http };
        if url.is_empty() || is_exempt(name, *port, &variables.exempt) {
            return Ok(None);
        }
        Self::parse(url).map(Some)
    }

    /// Asks for a tunnel to `host` over `stream`, which leads to the proxy.
    pub(crate) async fn tunnel<S>(&self, host: &Host, stream: &mut S) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut ask = format!("CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n");
        if let Some(authorization) = &self.authorization {
            ask.push_str(&format!("Proxy-Authorization: {authorization}\r\n"));
        }
        ask.push_str("\r\n");
        stream.write_all(ask.as_bytes()).await?;
        let head = read_head(stream).await?;
        let status = head.split(' ').nth(1).unwrap_or_default();
        if head.starts_with("HTTP/1.") && status.starts_with('2') && status.len() == 3 {
            return Ok(());
        }
        let first = head.lines().next().unwrap_or_default().to_owned();
        Err(io::Error::other(format!("the proxy refused a tunnel to {host}: {first}")))
    }
}

/// Reads to the empty line and not a byte further: what follows belongs to the tunnel.
async fn read_head<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == HEAD_BYTES_MAX {
            return Err(io::Error::other("the proxy's answer has no end"));
        }
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// Whether `NO_PROXY` or being local exempts a host, by the rules that Go follows.
fn is_exempt(name: &str, port: u16, exempt: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let address = name.parse::<IpAddr>().ok();
    if name == "localhost" || address.is_some_and(|address| address.is_loopback()) {
        return true;
    }
    let rules = exempt.split(',').map(str::trim).filter(|rule| !rule.is_empty());
    rules.into_iter().any(|rule| is_matched(&name, address, port, &rule.to_ascii_lowercase()))
}

fn is_matched(name: &str, address: Option<IpAddr>, port: u16, rule: &str) -> bool {
    if rule == "*" {
        return true;
    }
    if let Some((network, bits)) = rule.split_once('/') {
        let network = network.parse::<IpAddr>().ok().zip(bits.parse::<u32>().ok());
        return address
            .zip(network)
            .is_some_and(|(address, (network, bits))| is_within(address, network, bits));
    }
    if let (Ok(wanted), Some(address)) = (rule.trim_matches(['[', ']']).parse::<IpAddr>(), address)
    {
        return wanted == address;
    }
    let (rule, wanted_port) = match rule.rsplit_once(':') {
        Some((rule, wanted)) if wanted.parse::<u16>().is_ok() => (rule, wanted.parse::<u16>().ok()),
        _ => (rule, None),
    };
    if wanted_port.is_some_and(|wanted| wanted != port) {
        return false;
    }
    let rule = rule.strip_prefix('*').unwrap_or(rule);
    match rule.strip_prefix('.') {
        Some(_) => name.ends_with(rule),
        None => name == rule || name.strip_suffix(rule).is_some_and(|rest| rest.ends_with('.')),
    }
}

fn is_within(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    let agree = |left: u128, right: u128, width: u32| {
        bits <= width && (bits == 0 || (left ^ right) >> (width - bits) == 0)
    };
    match (address, network) {
        (IpAddr::V4(left), IpAddr::V4(right)) => {
            agree(u32::from(left).into(), u32::from(right).into(), 32)
        }
        (IpAddr::V6(left), IpAddr::V6(right)) => agree(left.into(), right.into(), 128),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
