//! Channel: sends a request to one of the addresses of a name, and again where that is safe.
//!
//! Cost: no copy of the body; one read of the view and one atomic addition to pick a peer.
//! Invariant: a request of which a peer may have the last byte is never sent again from here.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri, header};
use hyper::client::conn::TrySendError;
use runtime::channel::{self, Ends, LatestReceiver, LatestSender, Sender as Reports};
use runtime::clock::Clock;
use runtime::task::{Scope, Task};

use super::body::{Incoming, Outgoing, ReadError, read, read_flow};
use super::dial::{Dialer, Resolve};
use super::directory::{Event, Policy};
use super::keeper::{self, REPORTS_MAX, Tools, View};
use super::peer::{Connections, Found, Lease, Limits, Peer, Pool};
use crate::http2::Handle;

/// How to reach one host.
pub(crate) struct Plan {
    pub(crate) dialer: Dialer,
    pub(crate) resolver: Arc<dyn Resolve>,
    pub(crate) policy: Policy,
    pub(crate) limits: Limits,
    /// Requests wait for a connection until their deadlines, instead of failing at once when no
    /// address answers.
    pub(crate) is_waiting_for_ready: bool,
    /// Connections are used for one request only, HTTP/1.
    pub(crate) is_closing: bool,
}

/// One host, its addresses and connections.
#[derive(Debug)]
pub(crate) struct Channel {
    dialer: Arc<Dialer>,
    clock: Clock,
    scope: Scope,
    is_waiting_for_ready: bool,
    is_closing: bool,
    pub(super) view: LatestReceiver<Arc<View>>,
    publish: LatestSender<Arc<View>>,
    reports: Reports<Event>,
    turn: AtomicUsize,
    keeper: Mutex<Option<Task<()>>>,
}

/// A request, and how its answer is read.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) head: http::request::Parts,
    pub(crate) segments: Vec<Bytes>,
    pub(crate) deadline: Instant,
    /// How much of the body of an answer with this status is read, at most.
    pub(crate) bytes_max: fn(StatusCode) -> usize,
}

/// What a peer answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Result<Bytes, ReadError>,
    pub(crate) trailers: HeaderMap,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallError {
    /// No peer has the whole request.
    #[error("{reason}")]
    NotSent { reason: String, is_late: bool },
    /// A peer may have the whole request.
    #[error("{reason}")]
    Unknown { reason: String, is_late: bool },
}

/// What became of a request at one peer.
enum Sent {
    Answered(Answer),
    Failed(CallError),
    /// The peer never saw it: it may go to another.
    Returned(Call, String),
}

impl Channel {
    /// Starts connecting.
    pub(crate) fn start(plan: Plan) -> Arc<Self> {
        let ends = Ends { from: "connection keeper", to: "requests without a connection" };
        let (publish, view) = channel::latest(ends, Arc::new(View::default()));
        let ends = Ends { from: "requests that failed", to: "connection keeper" };
        let (reports, received) = channel::bounded(ends, REPORTS_MAX);
        let (clock, scope) = (plan.dialer.clock, plan.dialer.scope.clone());
        let dialer = Arc::new(plan.dialer);
        let tools = Tools {
            dialer: Arc::clone(&dialer),
            resolver: plan.resolver,
            limits: plan.limits,
            clock,
            scope: scope.clone(),
            view: publish.clone(),
        };
        let keeper = scope.spawn("connection keeper", keeper::keep(tools, plan.policy, received));
        Arc::new(Self {
            dialer,
            clock,
            scope,
            is_waiting_for_ready: plan.is_waiting_for_ready,
            is_closing: plan.is_closing,
            view,
            publish,
            reports,
            turn: AtomicUsize::new(0),
            keeper: Mutex::new(Some(keeper)),
        })
    }

    /// Sends a request and reads its answer, by its deadline.
    pub(crate) async fn call(&self, mut call: Call) -> Result<Answer, CallError> {
        let mut reason = String::new();
        // Each round fails on another connection; a bound keeps odd peers from looping it.
        for _ in 0..self.rounds() {
            let peer = self.peer(call.deadline, &reason).await?;
            match self.send(call, &peer).await {
                Sent::Answered(answer) => {
                    peer.answered();
                    return Ok(answer);
                }
                Sent::Failed(error) => return Err(error),
                Sent::Returned(returned, why) => (call, reason) = (returned, why),
            }
        }
        Err(CallError::NotSent { reason, is_late: false })
    }

    /// Closes all connections; requests from now on fail.
    pub(crate) fn close(&self) {
        drop(self.keeper.lock().unwrap_or_else(PoisonError::into_inner).take());
        let failure = Some("the exporter is closed".into());
        self.publish.set(Arc::new(View { peers: Vec::new(), failure }));
    }

    /// Why requests fail at present, if they do.
    pub(crate) fn explain(&self) -> Option<String> {
        let failure = self.view.value().failure.clone()?;
        Some(format!("no connection to {}: {failure}", self.dialer.host))
    }

    fn rounds(&self) -> usize {
        self.view.value().peers.len() + 3
    }

    /// The next peer in turn; waits for one while that may help.
    async fn peer(&self, deadline: Instant, reason: &str) -> Result<Arc<Peer>, CallError> {
        let mut changes = self.view.clone();
        loop {
            let view = changes.value();
            let open = view.peers.iter().filter(|peer| peer.is_open()).collect::<Vec<_>>();
            if !open.is_empty() {
                let turn = self.turn.fetch_add(1, Ordering::Relaxed);
                return Ok(Arc::clone(open[turn % open.len()]));
            }
            if let Some(failure) = view.failure.as_ref().filter(|_| !self.is_waiting_for_ready) {
                return Err(CallError::NotSent { reason: failure.to_string(), is_late: false });
            }
            let why = view.failure.as_deref().unwrap_or(reason).to_owned();
            match self.clock.by(deadline, changes.changed()).await {
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => {
                    let reason = format!("no connection in time {why}").trim_end().to_owned();
                    return Err(CallError::NotSent { reason, is_late: true });
                }
            }
        }
    }

    async fn send(&self, call: Call, peer: &Arc<Peer>) -> Sent {
        match &peer.connections {
            Connections::Shared(handle) => self.send_shared(call, handle).await,
            Connections::Pooled(pool) => self.send_pooled(call, peer, pool).await,
        }
    }

    /// Sends the request on a connection that others use as well.
    async fn send_shared(&self, call: Call, handle: &Handle) -> Sent {
        let opened = handle.request(&call.head, &call.segments);
        let mut flow = match self.clock.by(call.deadline, opened).await {
            Ok(Ok(flow)) => flow,
            Ok(Err(closed)) => return Sent::Returned(call, closed.to_string()),
            Err(_) => {
                let reason = "the connection had no room for the request by the deadline";
                let reason = reason.to_owned();
                return Sent::Failed(CallError::NotSent { reason, is_late: true });
            }
        };
        let head = match self.clock.by(call.deadline, flow.head()).await {
            Ok(Ok(head)) => head,
            Ok(Err(broken)) if broken.is_unprocessed => {
                return Sent::Returned(call, broken.to_string());
            }
            Ok(Err(broken)) => {
                let reason = broken.to_string();
                return Sent::Failed(CallError::lost(broken.was_sent, reason, false));
            }
            Err(_) => {
                let reason = "no answer by the deadline".to_owned();
                return Sent::Failed(CallError::lost(flow.was_sent(), reason, true));
            }
        };
        let bytes_max = (call.bytes_max)(head.status);
        match self.clock.by(call.deadline, read_flow(&mut flow, &head.headers, bytes_max)).await {
            Ok(whole) => Sent::Answered(Answer::of(head, whole)),
            Err(_) => Sent::Failed(incomplete()),
        }
    }

    async fn send_pooled(&self, call: Call, peer: &Arc<Peer>, pool: &Arc<Pool>) -> Sent {
        let mut lease = match self.lease(call.deadline, peer, pool).await {
            Ok(lease) => lease,
            Err(error) if error.is_late() => return Sent::Failed(error),
            Err(error) => return Sent::Returned(call, error.to_string()),
        };
        let sender = &mut lease.sender;
        let (sent, is_reusable) =
            self.exchange(call, |request| sender.try_send_request(self.as_http1(request))).await;
        if is_reusable && !self.is_closing {
            pool.keep(lease, self.clock.now());
        }
        sent
    }

    /// An idle connection of the pool, or a new one.
    async fn lease(
        &self,
        deadline: Instant,
        peer: &Arc<Peer>,
        pool: &Arc<Pool>,
    ) -> Result<Lease, CallError> {
        let late = || CallError::NotSent {
            reason: "all connections were busy until the deadline".to_owned(),
            is_late: true,
        };
        let mut changes = pool.changes();
        loop {
            match pool.find(self.clock.now()) {
                Found::Idle(mut lease) => {
                    let ready = self.clock.by(deadline, lease.sender.ready()).await;
                    if ready.map_err(|_| late())?.is_ok() {
                        return Ok(lease);
                    }
                }
                Found::Place(place) => {
                    let dialled = self.clock.by(deadline, self.dialer.dial(&peer.target)).await;
                    let link = dialled.map_err(|_| late())?.map_err(|error| {
                        let failed = Event::Failed(peer.target.clone(), error.to_string().into());
                        // A full channel holds enough reports to act upon.
                        self.reports.try_send(failed).ok();
                        CallError::NotSent { reason: error.to_string(), is_late: false }
                    })?;
                    if let Some(lease) = link.leased(place, &self.scope) {
                        return Ok(lease);
                    }
                }
                Found::Full => {
                    let freed = self.clock.by(deadline, changes.changed()).await;
                    freed.map_err(|_| late())?;
                }
            }
        }
    }

    /// Moves the host from the URL to its header, as HTTP/1 has it, unless a proxy reads the URL.
    fn as_http1(&self, mut request: Request<Outgoing>) -> Request<Outgoing> {
        let host = request.uri().authority().map(|authority| authority.as_str().to_owned());
        let host = host.and_then(|host| HeaderValue::try_from(host).ok());
        if let Some(host) = host {
            request.headers_mut().insert(header::HOST, host);
        }
        if self.is_closing {
            request.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if self.dialer.is_relayed() {
            let authorization = self.dialer.proxy_authorization();
            request.headers_mut().extend(authorization);
        } else if let Some(path) = request.uri().path_and_query().cloned() {
            *request.uri_mut() = Uri::from(path);
        }
        request
    }

    /// Sends the request on one connection; also says whether the connection may be used again.
    async fn exchange<F>(
        &self,
        call: Call,
        send: impl FnOnce(Request<Outgoing>) -> F,
    ) -> (Sent, bool)
    where
        F: Future<Output = Result<Response<Incoming>, TrySendError<Request<Outgoing>>>>,
    {
        let body = Outgoing::new(call.segments.iter().cloned());
        let progress = body.progress();
        let request = Request::from_parts(call.head.clone(), body);
        let response = match self.clock.by(call.deadline, send(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(mut failed)) => {
                let is_returned = failed.take_message().is_some();
                let reason = described(failed.error());
                if is_returned {
                    return (Sent::Returned(call, reason), false);
                }
                return (Sent::Failed(CallError::lost(progress.has_ended(), reason, false)), false);
            }
            Err(_) => {
                let reason = "no answer by the deadline".to_owned();
                return (Sent::Failed(CallError::lost(progress.has_ended(), reason, true)), false);
            }
        };
        let (head, body) = response.into_parts();
        let bytes_max = (call.bytes_max)(head.status);
        match self.clock.by(call.deadline, read(body, bytes_max)).await {
            Ok(whole) => {
                let is_reusable = whole.is_ok() && progress.has_ended();
                (Sent::Answered(Answer::of(head, whole)), is_reusable)
            }
            Err(_) => (Sent::Failed(incomplete()), false),
        }
    }
}

impl Answer {
    fn of(head: http::response::Parts, body: Result<(Bytes, HeaderMap), ReadError>) -> Self {
        let (body, trailers) = match body {
            Ok((body, trailers)) => (Ok(body), trailers),
            Err(error) => (Err(error), HeaderMap::new()),
        };
        Self { status: head.status, headers: head.headers, body, trailers }
    }
}

impl CallError {
    /// Whether the deadline passed.
    pub(crate) fn is_late(&self) -> bool {
        let (Self::NotSent { is_late, .. } | Self::Unknown { is_late, .. }) = self;
        *is_late
    }

    fn lost(was_sent: bool, reason: String, is_late: bool) -> Self {
        if was_sent { Self::Unknown { reason, is_late } } else { Self::NotSent { reason, is_late } }
    }
}

/// The deadline passed in the middle of an answer.
fn incomplete() -> CallError {
    let reason = "the answer was not complete by the deadline".to_owned();
    CallError::Unknown { reason, is_late: true }
}

/// An error with its causes, as hyper tells only the outermost.
fn described(error: &hyper::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
