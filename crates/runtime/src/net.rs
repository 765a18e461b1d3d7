//! Network: listeners that outlive the component that opened them, and connections with a deadline.
//!
//! Owner of the listening sockets: [`Network`]; a component that replaces another listens on the
//! same socket, so a reload refuses no connection. Bounds: connections of a listener, threads and
//! requests of the resolver, every wait by a deadline. See `listener`, `stream`, `connect`.

mod address;
mod bind;
mod connect;
mod listener;
mod proxy;
mod stream;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};

pub use address::{Address, AddressError};
pub use connect::ConnectError;
pub use listener::{CONNECTIONS_MAX, Listener};
pub use proxy::ProxyVariables;
pub use stream::{Peer, Stream};

use connect::Resolver;

/// All sockets of one process. Clones are the same network.
#[derive(Clone, Debug, Default)]
pub struct Network {
    listeners: Arc<Mutex<BTreeMap<Address, Weak<Listener>>>>,
    resolver: Arc<Resolver>,
    proxies: Arc<ProxyVariables>,
}

impl Network {
    /// The same network, whose way out the environment leads through these proxies.
    #[must_use]
    pub fn with_proxies(self, proxies: ProxyVariables) -> Self {
        Self { proxies: Arc::new(proxies), ..self }
    }

    /// The proxies that the environment asks for.
    #[must_use]
    pub fn proxies(&self) -> &ProxyVariables {
        &self.proxies
    }

    /// Listens on `address`; port 0 takes a free one. Whoever asks for an address that is listened
    /// on already shares its socket.
    pub fn listen(&self, address: &str) -> io::Result<Arc<Listener>> {
        let parsed: Address = address.parse().map_err(io::Error::other)?;
        let is_shared = !matches!(parsed, Address::Tcp { port: 0, .. });
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = listeners.get(&parsed).and_then(Weak::upgrade) {
            return Ok(shared);
        }
        let listener = Arc::new(Listener::bind(&parsed)?);
        if is_shared {
            listeners.retain(|_, listener| 0 < listener.strong_count());
            listeners.insert(parsed, Arc::downgrade(&listener));
        }
        Ok(listener)
    }

    /// Listens on a free port of `host`; whoever asks for its address shares the socket.
    pub fn listen_on_free_port(&self, host: &str) -> io::Result<(Arc<Listener>, String)> {
        let parsed: Address = format!("{host}:0").parse().map_err(io::Error::other)?;
        let listener = Arc::new(Listener::bind(&parsed)?);
        let address = listener.local_address()?;
        let parsed: Address = address.parse().map_err(io::Error::other)?;
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.insert(parsed, Arc::downgrade(&listener));
        Ok((listener, address))
    }
}

#[cfg(test)]
mod tests;
