//! Offer: an extension that does nothing by itself, but offers something to other components.

use std::fmt;
use std::time::Instant;

use futures_util::future::BoxFuture;
use pipeline::auth::{SharedClientAuth, SharedServerAuth};
use pipeline::{Component, Extension};

/// What an extension offers to other components; it lives as long as someone uses it.
#[derive(Clone, Default)]
pub(super) struct Offer {
    pub(super) server: Option<SharedServerAuth>,
    pub(super) client: Option<SharedClientAuth>,
}

impl fmt::Debug for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (server, client) = (self.server.is_some(), self.client.is_some());
        write!(f, "Offer(checks clients: {server}, adds credentials: {client})")
    }
}

impl Component for Offer {
    fn drain(&self, _deadline: Instant) {}

    fn close(&self, _deadline: Instant) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

impl Extension for Offer {
    fn server_auth(&self) -> Option<SharedServerAuth> {
        self.server.clone()
    }

    fn client_auth(&self) -> Option<SharedClientAuth> {
        self.client.clone()
    }
}
