//! Network: listeners that outlive the component that opened them, and connections with a deadline.
//!
//! Owner of the listening sockets: [`Network`]; a component that replaces another listens on the
//! same socket, so a reload refuses no connection.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Where to listen: `host:port`, or `unix:///path`.
pub type Address = String;

/// All sockets of one process. Clones are the same network.
#[derive(Clone, Debug, Default)]
pub struct Network {
    listeners: Arc<Mutex<BTreeMap<Address, Weak<Listener>>>>,
}

/// A listening socket, shared by whoever asked for the same address.
#[derive(Debug)]
pub struct Listener {
    inner: tokio::net::TcpListener,
}

impl Network {
    /// Listens on `address`; port 0 takes a free one.
    pub fn listen(&self, address: &str) -> io::Result<Arc<Listener>> {
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = listeners.get(address).and_then(Weak::upgrade) {
            return Ok(shared);
        }
        let socket = std::net::TcpListener::bind(address)?;
        socket.set_nonblocking(true)?;
        let listener = Arc::new(Listener { inner: tokio::net::TcpListener::from_std(socket)? });
        listeners.insert(address.to_owned(), Arc::downgrade(&listener));
        Ok(listener)
    }
}

impl Listener {
    /// The address with the port that was taken.
    pub fn local_address(&self) -> io::Result<String> {
        self.inner.local_addr().map(|address| address.to_string())
    }

    /// Waits for the next connection.
    pub async fn accept(&self) -> io::Result<(tokio::net::TcpStream, std::net::SocketAddr)> {
        self.inner.accept().await
    }
}
