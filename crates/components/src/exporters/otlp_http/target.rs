//! Targets: which URL each signal is sent to.

use config::Faults;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, Uri, header};
use wire::Signal;

use crate::client::{Endpoint, Host, Protocol};
use crate::exporters::otlp::way;
use crate::tls::ClientSettings;

/// Where one signal goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) signal: Signal,
    pub(super) origin: Origin,
    pub(super) url: Uri,
}

/// What connections depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) host: Host,
    pub(super) is_tls: bool,
}

/// The endpoints, as written; empty ones are not set.
#[derive(Clone, Debug)]
pub(super) struct Endpoints<'a> {
    pub(super) all: &'a str,
    pub(super) own: [(Signal, &'static str, &'a str); 4],
}

impl Endpoints<'_> {
    /// The target of each signal that has one. A `host` header names the authority instead.
    pub(super) fn targets(
        &self,
        tls: &ClientSettings,
        headers: &mut HeaderMap,
    ) -> Result<Vec<Target>, Faults> {
        let mut faults = Faults::default();
        let host_header = headers.remove(header::HOST);
        let authority = host_header.and_then(|value| Authority::try_from(value.as_bytes()).ok());
        let mut targets = Vec::new();
        let mut is_common_told = false;
        for (signal, key, own) in self.own {
            let (key, text) = match (own, self.all) {
                ("", "") => continue,
                ("", all) => ("endpoint", joined(all, signal)),
                (own, _) => (key, own.to_owned()),
            };
            // The common endpoint is at fault once, not once for each signal.
            let is_told = key == "endpoint" && is_common_told;
            is_common_told |= key == "endpoint";
            match target(signal, &text, tls, authority.as_ref()) {
                Ok(target) => targets.push(target),
                Err(_) if is_told => {}
                Err(Flaw::Endpoint(what)) => faults.add(key, what),
                Err(Flaw::Tls(inner)) => drop(faults.take::<()>("tls", Err(inner))),
            }
        }
        if targets.is_empty() && faults.is_empty() {
            faults.add_with_remedy(
                "endpoint",
                "an exporter needs to know where to send",
                "write `endpoint: http://host:4318`, or an endpoint for a signal",
            );
        }
        faults.or(|| targets)
    }
}

enum Flaw {
    Endpoint(&'static str),
    Tls(Faults),
}

fn target(
    signal: Signal,
    text: &str,
    tls: &ClientSettings,
    authority: Option<&Authority>,
) -> Result<Target, Flaw> {
    let endpoint = Endpoint::http(text).map_err(Flaw::Endpoint)?;
    if endpoint.user.is_some() {
        return Err(Flaw::Endpoint("credentials have no effect here: use an authenticator"));
    }
    let is_tls = way::is_tls(&endpoint, Protocol::Negotiated, tls).map_err(Flaw::Tls)?;
    let not_url = |_| Flaw::Endpoint("is not a URL");
    let authority = match authority {
        Some(authority) => authority.clone(),
        None => Authority::try_from(without_default_port(&endpoint, is_tls)).map_err(not_url)?,
    };
    let path = match endpoint.path.as_str() {
        "" => PathAndQuery::from_static("/"),
        path => PathAndQuery::try_from(path).map_err(not_url)?,
    };
    let url = Uri::builder()
        .scheme(if is_tls { Scheme::HTTPS } else { Scheme::HTTP })
        .authority(authority)
        .path_and_query(path)
        .build()
        .map_err(|_| Flaw::Endpoint("is not a URL"))?;
    Ok(Target { signal, origin: Origin { host: endpoint.host, is_tls }, url })
}

fn without_default_port(endpoint: &Endpoint, is_tls: bool) -> String {
    let text = endpoint.host.to_string();
    let default = if is_tls { 443 } else { 80 };
    match text.strip_suffix(&format!(":{default}")) {
        Some(name) => name.to_owned(),
        None => text,
    }
}

fn joined(endpoint: &str, signal: Signal) -> String {
    let path = match signal {
        Signal::Logs => "v1/logs",
        Signal::Traces => "v1/traces",
        Signal::Metrics => "v1/metrics",
        Signal::Profiles => "v1development/profiles",
    };
    format!("{}/{path}", endpoint.trim_end_matches('/'))
}

#[cfg(test)]
mod tests;
