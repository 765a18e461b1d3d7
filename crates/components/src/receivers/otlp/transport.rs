//! Transport: connections of HTTP/1.1 or HTTP/2, as requests and replies.
//!
//! The only place that knows hyper, which speaks HTTP/1.1. Owner: one task for each connection;
//! HTTP/2 adds one for each stream. A client that leaves drops the future that handles its request.
//! Bounds: streams, header bytes and pings by [`Settings`], time by [`Patience`].

mod body;
mod multiplexed;
mod pings;
mod vigil;
mod watched;

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use http::Response;
use http::request::Parts;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use runtime::clock::Clock;
use runtime::shutdown::Shutdown;
use runtime::task::Scope;
use tokio::io::{AsyncRead, AsyncWrite};

pub(super) use body::{Body, ReplyBody};
pub(super) use pings::PingPolicy;
pub(super) use vigil::Patience;

use super::receive;
use body::Presence;
use vigil::{Verdict, Vigil};
use watched::Watched;

/// What is read of an HTTP/1.1 connection at once. Each keeps its buffer while it is open, so that many
/// connections would hold much that no budget counts.
const HTTP1_BUFFER_BYTES: usize = 16 << 10;

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

/// A connection of HTTP/1.1 under watch.
type Connection<S, F> = http1::Connection<TokioIo<Watched<S>>, F>;

/// The vigil of one connection, shared with its requests.
#[derive(Clone, Debug)]
struct Attendance {
    clock: Clock,
    vigil: Arc<Mutex<Vigil>>,
}

impl Attendance {
    fn report(&self, event: impl FnOnce(&mut Vigil, Instant)) {
        let now = self.clock.now();
        event(&mut self.vigil.lock().unwrap_or_else(PoisonError::into_inner), now);
    }

    fn ask(&self) -> Verdict {
        let now = self.clock.now();
        self.vigil.lock().unwrap_or_else(PoisonError::into_inner).ask(now)
    }
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
        let Caller { peer, connection, .. } = caller;
        let vigil = Vigil::new(self.settings.patience, None, self.clock.now());
        let attendance = Attendance { clock: self.clock, vigil: Arc::new(Mutex::new(vigil)) };
        let io = TokioIo::new(Watched::new(stream, attendance.clone()));
        let attended = attendance.clone();
        let service = service_fn(move |request: http::Request<Incoming>| {
            let presence = Presence::enter(attended.clone());
            let (head, incoming) = request.into_parts();
            let body = Body::single(incoming, attended.clone());
            let connection = Arc::clone(&connection);
            let request = Request { head, body, peer: Arc::clone(&peer), connection };
            let handler = Arc::clone(&handler);
            async move {
                let reply = handler.handle(request).await;
                Ok::<_, Infallible>(reply.map(|body| body.attended(presence)))
            }
        });
        let served = self.http1().serve_connection(io, service);
        self.supervise(served, attendance).await;
    }

    fn http1(&self) -> http1::Builder {
        let header_bytes_max = self.settings.header_bytes_max as usize;
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(None)
            .keep_alive(self.settings.is_kept_alive)
            .max_header_size(header_bytes_max)
            .max_buf_size(HTTP1_BUFFER_BYTES.max(header_bytes_max));
        builder
    }

    /// Drives a connection, and ends it when the vigil says so. The scope ends it at the latest.
    async fn supervise<S, F>(&self, connection: Connection<S, F>, attendance: Attendance)
    where
        S: AsyncRead + AsyncWrite + Unpin,
        F: HttpService<Incoming, ResBody = ReplyBody, Error = Infallible>,
    {
        let mut connection = pin!(connection);
        let mut drained = pin!(self.drain.begun());
        let mut is_closing = false;
        loop {
            let now = self.clock.now();
            let wake_at = match attendance.ask() {
                Verdict::Cut => return,
                Verdict::WaitUntil(at) => at,
                Verdict::Close => {
                    is_closing = true;
                    connection.as_mut().graceful_shutdown();
                    attendance.report(Vigil::closing);
                    now
                }
            };
            let progress = poll_fn(|cx| match connection.as_mut().poll(cx) {
                Poll::Ready(_) => Poll::Ready(true),
                Poll::Pending if is_sooner(attendance.ask(), wake_at) => Poll::Ready(false),
                Poll::Pending => Poll::Pending,
            });
            tokio::select! {
                is_over = progress => if is_over { return },
                _ = &mut drained, if !is_closing => {
                    is_closing = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = self.clock.sleep_until(wake_at) => {}
            }
        }
    }
}

/// Whether what happened while the connection was driven has brought its next check closer.
fn is_sooner(verdict: Verdict, than: Instant) -> bool {
    match verdict {
        Verdict::WaitUntil(at) => at < than,
        Verdict::Close | Verdict::Cut => true,
    }
}
