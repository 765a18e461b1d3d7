//! Connect: names to addresses, and addresses to connections, each by a deadline.
//!
//! Owner of the resolver's threads: [`Network`]; they start with the first name. A lookup that hangs
//! holds one of them, never the caller.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Network;
use super::address::{Address, is_localhost};
use super::stream::{Peer, Socket, Stream};
use crate::clock::Clock;
use crate::threads::{Pool, RunError};
use crate::waits::{self, What};

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("cannot look up `{host}`: {error}")]
    Resolve { host: String, error: io::Error },
    #[error("`{host}` has no address")]
    NoAddress { host: String },
    #[error("cannot look up `{host}`: too many lookups are under way")]
    Busy { host: String },
    #[error("cannot connect to {address}: {error}")]
    Connect { address: String, error: io::Error },
    #[error("{attempt} took too long")]
    Late { attempt: String },
}

/// Looks names up on threads of its own.
#[derive(Debug, Default)]
pub(super) struct Resolver {
    pool: Mutex<Option<Pool>>,
}

const LOOKUPS_AT_ONCE: usize = 4;
const LOOKUPS_WAITING: usize = 256;

impl Network {
    /// All addresses of `host`, in the order of the system's preference.
    pub async fn resolve(
        &self,
        host: &str,
        port: u16,
        deadline: Instant,
    ) -> Result<Vec<SocketAddr>, ConnectError> {
        if let Some(addresses) = literal(host, port) {
            return Ok(addresses);
        }
        let lookup = self.resolver.lookup(host.to_owned(), port);
        let found = Clock.by(deadline, lookup).await.unwrap_or_else(|_| {
            Err(ConnectError::Late { attempt: format!("looking up `{host}`") })
        })?;
        if found.is_empty() {
            return Err(ConnectError::NoAddress { host: host.to_owned() });
        }
        Ok(found)
    }

    /// Connects to `address`, trying all addresses of its name; an error is that of the first.
    pub async fn connect(
        &self,
        address: &Address,
        deadline: Instant,
    ) -> Result<Stream, ConnectError> {
        let (host, port) = match address {
            Address::Tcp { host, port } => (host, *port),
            Address::Unix(path) => {
                let open = tokio::net::UnixStream::connect(path);
                let stream = attempt(&address.to_string(), deadline, open).await?;
                return Ok(Stream::connected(Socket::Unix(stream), Peer::Unix));
            }
        };
        let addresses = self.resolve(host, port, deadline).await?;
        let mut first = None;
        for (tried, address) in addresses.iter().enumerate() {
            // An address that swallows the attempt leaves time for the others.
            let share = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
            let until = Clock.now() + remaining(deadline) / share;
            match self.connect_to(*address, until).await {
                Ok(stream) => return Ok(stream),
                Err(error) => first = first.or(Some(error)),
            }
        }
        Err(first.unwrap_or_else(|| ConnectError::NoAddress { host: host.clone() }))
    }

    /// Connects to one resolved address.
    pub async fn connect_to(
        &self,
        address: SocketAddr,
        deadline: Instant,
    ) -> Result<Stream, ConnectError> {
        let open = tokio::net::TcpStream::connect(address);
        let stream = attempt(&address.to_string(), deadline, open).await?;
        Ok(Stream::connected(Socket::Tcp(stream), Peer::Tcp(address)))
    }
}

fn remaining(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Clock.now())
}

async fn attempt<T>(
    address: &str,
    deadline: Instant,
    open: impl Future<Output = io::Result<T>>,
) -> Result<T, ConnectError> {
    let late = || ConnectError::Late { attempt: format!("connecting to {address}") };
    let open = waits::observed(What::socket("peer"), open);
    let opened = Clock.by(deadline, open).await.map_err(|_| late())?;
    opened.map_err(|error| ConnectError::Connect { address: address.to_owned(), error })
}

/// The addresses of a host that needs no lookup.
fn literal(host: &str, port: u16) -> Option<Vec<SocketAddr>> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    // An empty host listens on all interfaces; connecting to it means this machine.
    let ips: Vec<IpAddr> = if bare.is_empty() || is_localhost(bare) {
        vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
    } else {
        vec![bare.parse().ok()?]
    };
    Some(ips.into_iter().map(|ip| SocketAddr::new(ip, port)).collect())
}

impl Resolver {
    async fn lookup(&self, host: String, port: u16) -> Result<Vec<SocketAddr>, ConnectError> {
        let failed = |error: io::Error| ConnectError::Resolve { host: host.clone(), error };
        let pool = self.pool().map_err(failed)?;
        let name = host.clone();
        let job = move || (name.as_str(), port).to_socket_addrs().map(Iterator::collect);
        match pool.run(job).await {
            Ok(found) => found.map_err(failed),
            Err(RunError::Full { .. }) => Err(ConnectError::Busy { host }),
            Err(error) => Err(failed(io::Error::other(error))),
        }
    }

    fn pool(&self) -> io::Result<Pool> {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = &*pool {
            return Ok(pool.clone());
        }
        let started = Pool::new("resolve", LOOKUPS_AT_ONCE, LOOKUPS_WAITING)?;
        Ok(pool.insert(started).clone())
    }
}
