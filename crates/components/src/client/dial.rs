//! Dial: from an address to a connection that takes requests: TCP, tunnel, TLS, HTTP.
//!
//! Bounds: [`DIAL_TIMEOUT`] for all of it; what answers may hold as in [`LIMITS`].

use std::fmt;
use std::future::pending;
use std::io;
use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, FutureExt};
use http::{HeaderName, HeaderValue, header};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use runtime::clock::Clock;
use runtime::net::{Address, ConnectError, Network};
use runtime::task::Scope;
use tokio::io::{AsyncRead, AsyncWrite};

use super::directory::Target;
use super::endpoint::Host;
use super::heart::Heart;
use super::link::{Link, Sender};
use super::proxy::Proxy;
use crate::http2::{self, Accepted, Ended, Keepalive, Limits};
use crate::tls::{Connector, HTTP2};

const DIAL_TIMEOUT: Duration = Duration::from_secs(20);
/// What is taken from servers, HTTP/2. Answers are small: nobody needs to send more than this unread.
const LIMITS: Limits = Limits {
    streams_max: 0,
    header_bytes_max: 16 << 10,
    frame_bytes_max: 16 << 10,
    stream_window: 256 << 10,
    connection_window: 1 << 20,
};
const HEADERS_MAX: usize = 100;
/// Room for one answer head and a piece of its body, HTTP/1.
const READ_BYTES_MAX: usize = 64 << 10;

/// Finds the addresses of a name.
pub(crate) trait Resolve: Send + Sync {
    /// All addresses of `host`, which may wait until `deadline`.
    fn resolve<'a>(
        &'a self,
        host: &'a str,
        port: u16,
        deadline: Instant,
    ) -> BoxFuture<'a, Result<Vec<std::net::SocketAddr>, ConnectError>>;
}

impl Resolve for Network {
    fn resolve<'a>(
        &'a self,
        host: &'a str,
        port: u16,
        deadline: Instant,
    ) -> BoxFuture<'a, Result<Vec<std::net::SocketAddr>, ConnectError>> {
        Self::resolve(self, host, port, deadline).boxed()
    }
}

/// Which version of HTTP is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http2,
    /// HTTP/1.1, or HTTP/2 when TLS agrees on it.
    Negotiated,
}

/// Opens connections to one host.
#[derive(Clone, Debug)]
pub(crate) struct Dialer {
    pub(crate) network: Network,
    pub(crate) clock: Clock,
    /// The parent of the connections' inner tasks.
    pub(crate) scope: Scope,
    pub(crate) host: Host,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) tls: Option<Connector>,
    pub(crate) protocol: Protocol,
    pub(crate) keepalive: Option<Keepalive>,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DialError {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("TLS handshake with {host}: {error}")]
    Tls { host: String, error: io::Error },
    #[error("proxy {proxy}: {error}")]
    Proxy { proxy: String, error: io::Error },
    #[error("HTTP handshake with {host}: {error}")]
    Http { host: String, error: hyper::Error },
    #[error("{host} does not speak HTTP/2 over TLS (no ALPN agreement on `h2`)")]
    NoHttp2 { host: String },
    #[error("{host} did not complete a connection within {} s", DIAL_TIMEOUT.as_secs())]
    Late { host: String },
}

impl Dialer {
    /// Whom to connect to, if not to the host itself.
    pub(crate) fn first_hop(&self) -> &Host {
        self.proxy.as_ref().map_or(&self.host, |proxy| &proxy.host)
    }

    /// Whether requests name the whole URL, because a proxy reads them.
    pub(crate) fn is_relayed(&self) -> bool {
        self.proxy.is_some() && self.tls.is_none() && self.protocol == Protocol::Negotiated
    }

    /// What a proxy that reads requests wants to see of us.
    pub(crate) fn proxy_authorization(&self) -> Option<(HeaderName, HeaderValue)> {
        let authorization = self.proxy.as_ref()?.authorization.as_deref()?;
        let mut value = HeaderValue::try_from(authorization).ok()?;
        value.set_sensitive(true);
        Some((header::PROXY_AUTHORIZATION, value))
    }

    /// Opens a connection to `target`.
    pub(crate) async fn dial(&self, target: &Target) -> Result<Link, DialError> {
        let deadline = self.clock.now() + DIAL_TIMEOUT;
        let late = |_| DialError::Late { host: self.host.to_string() };
        self.clock.by(deadline, self.open(target, deadline).boxed()).await.map_err(late)?
    }

    async fn open(&self, target: &Target, deadline: Instant) -> Result<Link, DialError> {
        let mut stream = match target {
            Target::Tcp(address) => self.network.connect_to(*address, deadline).await?,
            Target::Unix(path) => {
                self.network.connect(&Address::Unix(path.clone()), deadline).await?
            }
        };
        if let Some(proxy) = self.proxy.as_ref().filter(|_| !self.is_relayed()) {
            proxy
                .tunnel(&self.host, &mut stream)
                .await
                .map_err(|error| DialError::Proxy { proxy: proxy.host.to_string(), error })?;
        }
        let Some(tls) = &self.tls else {
            return self.handshake(stream, self.protocol == Protocol::Http2).await;
        };
        let host = self.host.to_string();
        let stream = tls
            .connect(self.host.name(), stream)
            .await
            .map_err(|error| DialError::Tls { host: host.clone(), error })?;
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(HTTP2);
        if !is_http2 && self.protocol == Protocol::Http2 {
            return Err(DialError::NoHttp2 { host });
        }
        self.handshake(stream, is_http2).await
    }

    async fn handshake<S>(&self, stream: S, is_http2: bool) -> Result<Link, DialError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        if is_http2 {
            return Ok(self.multiplexed(stream));
        }
        let (sender, connection) = http1::Builder::new()
            .max_headers(HEADERS_MAX)
            .max_buf_size(READ_BYTES_MAX)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| DialError::Http { host: self.host.to_string(), error })?;
        Ok(Link { sender: Sender::Http1(sender), connection: connection.map(log_end).boxed() })
    }

    fn multiplexed<S>(&self, stream: S) -> Link
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let heart = Heart::new(self.keepalive, self.clock.now());
        let mut driver = http2::Driver::client(stream, LIMITS, self.clock, heart);
        let handle = driver.handle();
        let scope = self.scope.clone();
        let connection = async move {
            if driver.run(unasked, pending::<()>()).await == Ended::Leaving {
                let answers = async move { driver.run(unasked, pending::<()>()).await };
                scope.spawn("last answers", answers).detach();
            }
        };
        Link { sender: Sender::Http2(handle), connection: connection.boxed() }
    }
}

/// A server asks nothing of its clients.
fn unasked(_: Accepted) {}

fn log_end<E: fmt::Display>(ended: Result<(), E>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended");
    }
}
