//! Way: how to get to a host: TLS or not, through a proxy or not.

use std::sync::Arc;

use config::Faults;
use pipeline::{Environment, StartError};
use runtime::task::Scope;

use crate::client::{
    Channel, Dialer, Endpoint, Host, Keepalive, Limits, Plan, Policy, Protocol, Proxy, Scheme,
};
use crate::tls::{ClientSettings, HTTP1, HTTP2};

/// How to get to any host of one exporter.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) tls: ClientSettings,
    pub(crate) protocol: Protocol,
    /// Agrees on HTTP/2 where TLS can.
    pub(crate) offers_http2: bool,
    /// Configured; else the environment may ask for one.
    pub(crate) proxy: Option<Proxy>,
    pub(crate) keepalive: Option<Keepalive>,
    pub(crate) policy: Policy,
    pub(crate) limits: Limits,
    pub(crate) is_waiting_for_ready: bool,
    pub(crate) is_closing: bool,
}

/// Whether connections to `endpoint` are encrypted. A security key without effect is a fault.
pub(crate) fn is_tls(
    endpoint: &Endpoint,
    protocol: Protocol,
    tls: &ClientSettings,
) -> Result<bool, Faults> {
    let is_tls = match (protocol, endpoint.scheme) {
        (_, Some(Scheme::Https)) => true,
        (Protocol::Negotiated, _) => false,
        // As upstream: `http://` alone does not switch encryption off, which would be a surprise.
        (Protocol::Http2, _) => !tls.is_insecure(),
    };
    let mut faults = Faults::default();
    if let Some(key) = tls.security_key().filter(|_| !is_tls) {
        let message = "has no effect, because connections are not encrypted";
        let remedy = match protocol {
            Protocol::Http2 => "remove `insecure: true`, or this key",
            Protocol::Negotiated => "write the endpoint with `https://`, or remove this key",
        };
        faults.add_with_remedy(key, message, remedy);
    }
    faults.or(|| is_tls)
}

impl Way {
    /// Starts a channel to `host`.
    pub(crate) fn channel(
        &self,
        env: &Environment,
        scope: &Scope,
        (host, is_tls): (&Host, bool),
    ) -> Result<Arc<Channel>, StartError> {
        let protocols: &[&[u8]] = match (self.protocol, self.offers_http2) {
            (Protocol::Http2, _) => &[HTTP2],
            (Protocol::Negotiated, true) => &[HTTP2, HTTP1],
            (Protocol::Negotiated, false) => &[HTTP1],
        };
        let connector = if is_tls {
            Some(self.tls.clone().connector(protocols, env.clock, scope)?)
        } else {
            None
        };
        let dialer = Dialer {
            network: env.network.clone(),
            clock: env.clock,
            scope: scope.clone(),
            host: host.clone(),
            proxy: self.proxy_to(env, host, is_tls)?,
            tls: connector,
            protocol: self.protocol,
            keepalive: self.keepalive,
        };
        Ok(Channel::start(Plan {
            dialer,
            resolver: Arc::new(env.network.clone()),
            policy: self.policy,
            limits: self.limits,
            is_waiting_for_ready: self.is_waiting_for_ready,
            is_closing: self.is_closing,
        }))
    }

    fn proxy_to(
        &self,
        env: &Environment,
        host: &Host,
        is_tls: bool,
    ) -> Result<Option<Proxy>, StartError> {
        if self.proxy.is_some() {
            return Ok(self.proxy.clone());
        }
        // gRPC is always tunnelled, so that its proxy is the one for TLS, as in Go.
        let is_tunnelled = is_tls || self.protocol == Protocol::Http2;
        Proxy::from_variables(env.network.proxies(), is_tunnelled, host)
            .map_err(|error| StartError::new(format!("the proxy of the environment: {error}")))
    }
}
