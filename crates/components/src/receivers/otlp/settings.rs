//! The settings of the receiver: its configuration, checked and complete.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue};
use wire::Signal;

use super::http::Coding;
use super::{intake, transport};

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
    pub includes_metadata: bool,
}

/// The HTTP port.
#[derive(Clone, Debug)]
pub(super) struct HttpSettings {
    pub port: PortSettings,
    pub paths: BTreeMap<String, Signal>,
    pub codings: Vec<Coding>,
    pub headers: Vec<(HeaderName, HeaderValue)>,
}
