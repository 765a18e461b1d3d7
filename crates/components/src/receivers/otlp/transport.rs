//! Transport: connections of HTTP/1.1 or HTTP/2, as requests and replies.
//!
//! Owner: one task for each connection; HTTP/2 adds one for each stream. A client that leaves drops the future that handles its request.
//! Bounds: streams, header bytes and pings by [`Settings`], time by [`Patience`].

mod body;
mod multiplexed;
mod pings;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use http::Response;
use http::request::Parts;
use runtime::clock::Clock;
use runtime::shutdown::Shutdown;
use runtime::task::Scope;
use tokio::io::{AsyncRead, AsyncWrite};

pub(super) use body::{Body, ReplyBody};
pub(super) use pings::PingPolicy;

use super::receive;
use crate::http1;
use crate::vigil::Patience;

/// How connections are served.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub streams_max: u32,
    pub header_bytes_max: u32,
    pub patience: Patience,
    /// After this time without a sign of life an HTTP/2 client is pinged, and given so long.
    pub ping: Option<(Duration, Duration)>,
    /// How often an HTTP/2 client may ping; `None` leaves it to the client.
    pub ping_policy: Option<PingPolicy>,
    /// Whether an HTTP/1.1 connection may carry more than one request.
    pub is_kept_alive: bool,
}

/// The two protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Http1,
    Http2,
}

/// One request.
#[derive(Debug)]
pub(super) struct Request {
    pub head: Parts,
    pub body: Body,
    /// The peer's address, without the port.
    pub peer: Arc<str>,
    /// The receive share of its connection.
    pub connection: Arc<receive::Connection>,
}

/// Answers the requests of a listener.
pub(super) trait Handler: Send + Sync + 'static {
    /// Answers one request; dropped when the client leaves.
    fn handle(&self, request: Request) -> impl Future<Output = Response<ReplyBody>> + Send;
}

/// Serves connections.
#[derive(Clone, Debug)]
pub(super) struct Transport {
    pub settings: Settings,
    pub clock: Clock,
    /// The parent of the tasks of streams.
    pub scope: Scope,
    /// Asks clients to go, and answers what they sent.
    pub drain: Shutdown,
}

/// Who serves a connection, and for whom.
#[derive(Debug)]
pub(super) struct Caller {
    pub protocol: Protocol,
    pub peer: Arc<str>,
    pub connection: Arc<receive::Connection>,
}

impl Transport {
    /// Serves one connection until it ends.
    pub(super) async fn serve<S, H>(&self, stream: S, caller: Caller, handler: Arc<H>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        H: Handler,
    {
        match caller.protocol {
            Protocol::Http1 => self.serve_http1(stream, caller, handler).await,
            Protocol::Http2 => self.serve_http2(stream, caller, handler).await,
        }
    }

    async fn serve_http1<S, H>(&self, stream: S, caller: Caller, handler: Arc<H>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        H: Handler,
    {
        let Settings { header_bytes_max, patience, is_kept_alive, .. } = self.settings;
        let header_bytes_max = header_bytes_max as usize;
        let settings = http1::Settings { header_bytes_max, patience, is_kept_alive };
        let answer = |head, body| {
            let (peer, connection) = (Arc::clone(&caller.peer), Arc::clone(&caller.connection));
            let request = Request { head, body: Body::Single(body), peer, connection };
            let handler = Arc::clone(&handler);
            async move { Some(handler.handle(request).await.map(ReplyBody::into_content)) }
        };
        http1::serve(stream, settings, self.clock, self.drain.begun(), answer).await;
    }
}
