//! The settings of the receiver: its configuration, checked and complete.

use std::collections::BTreeMap;
use std::time::Duration;

use config::ComponentId;
use http::{HeaderName, HeaderValue};
use pipeline::factory::Plans;
use runtime::net::Address;
use wire::Signal;

use super::http::{Coding, Cors};
use super::{intake, transport};
use crate::tls;

/// A receiver with at least one port.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(super) grpc: Option<PortSettings>,
    pub(super) http: Option<HttpSettings>,
}

/// What both ports have.
#[derive(Clone, Debug)]
pub(super) struct PortSettings {
    pub endpoint: String,
    pub connections_max: usize,
    pub transport: transport::Settings,
    pub limits: intake::Limits,
    pub handshake_timeout: Duration,
    pub tls: Option<tls::ServerSettings>,
    pub auth: Option<ComponentId>,
    pub includes_metadata: bool,
}

/// The HTTP port.
#[derive(Clone, Debug)]
pub(super) struct HttpSettings {
    pub port: PortSettings,
    pub paths: BTreeMap<String, Signal>,
    pub codings: Vec<Coding>,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub cors: Option<Cors>,
}

impl Settings {
    /// Turns clients away that leave less time than this.
    pub(super) fn with_timeout_min(mut self, timeout_min: Duration) -> Self {
        let ports = self.grpc.iter_mut().chain(self.http.iter_mut().map(|http| &mut http.port));
        for port in ports {
            port.limits.timeout_min = timeout_min;
        }
        self
    }

    /// The ports that are on, by the names of their protocols.
    fn ports(&self) -> impl Iterator<Item = (&'static str, &PortSettings)> {
        let grpc = self.grpc.iter().map(|port| ("grpc", port));
        grpc.chain(self.http.iter().map(|http| ("http", &http.port)))
    }
}

impl Plans for Settings {
    fn extensions(&self) -> Vec<(ComponentId, String)> {
        let key = |name| format!("protocols.{name}.auth.authenticator");
        let named = |(name, port): (_, &PortSettings)| Some((port.auth.clone()?, key(name)));
        self.ports().filter_map(named).collect()
    }

    fn listens(&self) -> Vec<(Address, String)> {
        let named = |(name, port): (_, &PortSettings)| {
            Some((port.endpoint.parse().ok()?, format!("protocols.{name}.endpoint")))
        };
        let is_fixed = |(address, _): &(_, _)| !matches!(address, Address::Tcp { port: 0, .. });
        self.ports().filter_map(named).filter(is_fixed).collect()
    }

    fn warnings(&self) -> Vec<String> {
        self.ports().filter_map(|(name, port)| port.warning(name)).collect()
    }
}

impl PortSettings {
    fn warning(&self, name: &str) -> Option<String> {
        let is_local = self.endpoint.parse::<Address>().is_ok_and(|address| address.is_local());
        (!is_local && self.tls.is_none()).then(|| {
            format!(
                "protocols.{name}.endpoint: {} can be reached from other machines without TLS",
                self.endpoint
            )
        })
    }
}
