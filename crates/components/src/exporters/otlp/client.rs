//! Client: what both exporters say in the same words about connections and requests, checked once.

use config::value::Headers;
use config::{ComponentId, Faults, Gates};
use delivery::config::RoadWords;
use http::HeaderMap;

use super::credentials::{self, AuthWords};
use crate::client::Proxy;
use crate::tls::{ClientSettings, ClientWords};

/// The words, each under the key of its name, except for those of the road.
pub(crate) struct CommonWords {
    pub(crate) tls: ClientWords,
    pub(crate) headers: Headers,
    pub(crate) auth: Option<AuthWords>,
    pub(crate) proxy_url: String,
    pub(crate) road: RoadWords,
}

/// What was fit for use; the faults of the rest were noted.
pub(crate) struct Common {
    pub(crate) tls: Option<ClientSettings>,
    pub(crate) headers: Option<HeaderMap>,
    pub(crate) authenticator: Option<ComponentId>,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) road: Option<delivery::Settings>,
}

impl CommonWords {
    /// Checks all parts, so that every fault is told at once; `is_reserved` names the headers that
    /// are the exporter's own.
    pub(crate) fn validate(
        self,
        is_reserved: impl Fn(&str) -> bool,
        gates: &Gates,
        faults: &mut Faults,
    ) -> Common {
        Common {
            tls: faults.take("tls", self.tls.validate()),
            headers: faults.take("headers", credentials::headers(&self.headers, is_reserved)),
            authenticator: self.auth.and_then(|auth| faults.take("auth", auth.validate())),
            proxy: proxy(&self.proxy_url, faults),
            road: faults.take("", self.road.validate(gates)),
        }
    }
}

fn proxy(url: &str, faults: &mut Faults) -> Option<Proxy> {
    if url.is_empty() {
        return None;
    }
    Proxy::parse(url).map_err(|what| faults.add("proxy_url", what)).ok()
}

/// The extensions that an exporter with this authenticator needs, and the keys that name them.
pub(crate) fn extensions(authenticator: Option<&ComponentId>) -> Vec<(ComponentId, String)> {
    authenticator.iter().map(|id| ((*id).clone(), "auth.authenticator".to_owned())).collect()
}
