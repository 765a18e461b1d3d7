//! Listener: accepts connections, whatever goes wrong with single ones.
//!
//! Bounds: connections at a time; one beyond it is closed at once, so that its client learns of it.
//! Invariant: accepting never ends on an error; when files or memory run out it pauses.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use super::address::Address;
use super::bind;
use super::stream::{Peer, Socket, Stream};
use crate::clock::Clock;
use crate::waits::{self, What};

/// How many connections a listener has at a time unless told otherwise.
pub const CONNECTIONS_MAX: usize = 10_000;

/// The first and the longest pause after an error that is not about one connection.
const PAUSE_MIN: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// A listening socket, shared by whoever asked for the same address.
#[derive(Debug)]
pub struct Listener {
    inner: Inner,
    connections: Arc<Connections>,
}

#[derive(Debug)]
enum Inner {
    Tcp(tokio::net::TcpListener),
    Unix(tokio::net::UnixListener, SocketFile),
}

/// The file of a Unix socket, removed with its listener.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    /// Device and inode: a file that another process has put there since stays.
    identity: Option<(u64, u64)>,
}

/// The connections of one listener that have not ended.
#[derive(Debug)]
struct Connections {
    max: AtomicUsize,
    open: AtomicUsize,
    refused: AtomicU64,
    errors: AtomicU64,
}

/// One connection in the count.
#[derive(Debug)]
pub(super) struct Slot(Arc<Connections>);

impl Listener {
    pub(super) fn bind(address: &Address) -> io::Result<Self> {
        let inner = match address {
            Address::Tcp { host, port } => {
                Inner::Tcp(tokio::net::TcpListener::from_std(bind::tcp(host, *port)?)?)
            }
            Address::Unix(path) => {
                let listener = tokio::net::UnixListener::from_std(bind::unix(path)?)?;
                Inner::Unix(listener, SocketFile::new(path.clone()))
            }
        };
        let connections = Connections {
            max: AtomicUsize::new(CONNECTIONS_MAX),
            open: AtomicUsize::new(0),
            refused: AtomicU64::new(0),
            errors: AtomicU64::new(0),
        };
        Ok(Self { inner, connections: Arc::new(connections) })
    }

    /// The address with the port that was taken.
    pub fn local_address(&self) -> io::Result<String> {
        match &self.inner {
            Inner::Tcp(listener) => listener.local_addr().map(|address| address.to_string()),
            Inner::Unix(_, file) => Ok(Address::Unix(file.path.clone()).to_string()),
        }
    }

    /// Waits for the next connection. Errors are counted and survived.
    pub async fn accept(&self, clock: Clock) -> Stream {
        let mut pause = PAUSE_MIN;
        loop {
            match waits::observed(What::socket("clients"), self.accept_one()).await {
                Ok((socket, peer)) => match self.connections.enter() {
                    Some(slot) => return Stream::accepted(socket, peer, slot),
                    None => drop(socket),
                },
                Err(error) if is_of_one_connection(&error) => self.connections.failed(),
                Err(error) => {
                    self.connections.failed();
                    tracing::warn!(%error, ?pause, "Connections cannot be accepted; pausing.");
                    clock.sleep(pause).await;
                    pause = (2 * pause).min(PAUSE_MAX);
                }
            }
        }
    }

    /// Replaces the limit of connections at a time; those that are open stay.
    pub fn set_connections_max(&self, connections_max: usize) {
        self.connections.max.store(connections_max, Ordering::Relaxed);
    }

    /// How many connections are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.open.load(Ordering::Relaxed)
    }

    /// How many connections were closed at once because there were too many.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.connections.refused.load(Ordering::Relaxed)
    }

    /// How often accepting failed.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.connections.errors.load(Ordering::Relaxed)
    }

    async fn accept_one(&self) -> io::Result<(Socket, Peer)> {
        match &self.inner {
            Inner::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                Ok((Socket::Tcp(stream), Peer::Tcp(address)))
            }
            Inner::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                Ok((Socket::Unix(stream), Peer::Unix))
            }
        }
    }
}

/// Whether an error of accepting is that of the connection, not of the socket or the process.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::ConnectionAborted
            | Kind::ConnectionReset
            | Kind::ConnectionRefused
            | Kind::Interrupted
            | Kind::TimedOut
            | Kind::HostUnreachable
            | Kind::NetworkUnreachable
            | Kind::NetworkDown
    )
}

impl SocketFile {
    fn new(path: PathBuf) -> Self {
        let identity = Self::identity(&path);
        Self { path, identity }
    }

    fn identity(path: &std::path::Path) -> Option<(u64, u64)> {
        let metadata = std::fs::symlink_metadata(path).ok()?;
        Some((metadata.dev(), metadata.ino()))
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.identity.is_some() && Self::identity(&self.path) == self.identity {
            // If it cannot be removed, the next owner finds it stale and replaces it.
            std::fs::remove_file(&self.path).ok();
        }
    }
}

impl Connections {
    fn enter(self: &Arc<Self>) -> Option<Slot> {
        let max = self.max.load(Ordering::Relaxed);
        let entered = self.open.fetch_update(Ordering::AcqRel, Ordering::Relaxed, |open| {
            (open < max).then_some(open + 1)
        });
        if entered.is_err() {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        Some(Slot(Arc::clone(self)))
    }

    fn failed(&self) {
        self.errors.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests;
