//! Servers that do as they are told, for tests: one for gRPC, one that writes raw bytes.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::{Bytes, BytesMut};
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use runtime::channel::{self, Ends, Sender};
use runtime::clock::Clock;
use runtime::net::{Network, Stream};
use runtime::task::{Scope, Task};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::tls::Acceptor;

/// What a server does with the next request.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Answers with this head, body and trailers.
    Answer(u16, Pairs, Vec<u8>, Option<Pairs>),
    /// Ends the stream with this reason.
    Reset(Reason),
    /// Says that it goes away without having looked at the request, and hangs up.
    GoAway,
    /// Says that it goes away after this request, which it accepts.
    Leave,
    /// Closes the connection without a word.
    HangUp,
    /// Reads the request and says nothing.
    Silence,
}

pub(crate) type Pairs = Vec<(&'static str, String)>;

/// A request that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A server on a free port. Dropped, it is gone with all of its connections.
pub(crate) struct Server {
    pub(crate) address: String,
    state: State,
    _task: Task<()>,
}

#[derive(Clone, Default)]
struct State {
    script: Arc<Mutex<VecDeque<Act>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<AtomicUsize>,
    streams_max: Option<u32>,
}

/// The answer of a server that took everything.
pub(crate) fn accepted() -> Act {
    grpc(&[0; 5], &[("grpc-status", "0")])
}

/// An answer over gRPC.
pub(crate) fn grpc(body: &[u8], trailers: &[(&'static str, &str)]) -> Act {
    let headers = vec![("content-type", "application/grpc".to_owned())];
    let trailers = trailers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Act::Answer(200, headers, body.to_vec(), Some(trailers))
}

impl Server {
    /// Speaks HTTP/2; does as `script` says, then accepts everything.
    pub(crate) fn grpc(script: impl IntoIterator<Item = Act>) -> Self {
        Self::start("127.0.0.1:0", script, None, true)
    }

    /// As [`Server::grpc`], with so many requests at a time on a connection.
    pub(crate) fn grpc_with_streams(streams_max: u32) -> Self {
        let state = State { streams_max: Some(streams_max), ..State::default() };
        Self::start_with(state, "127.0.0.1:0", None, true)
    }

    /// As [`Server::grpc`], at an address of the caller's choice.
    pub(crate) fn grpc_at(address: &str) -> Self {
        Self::start(address, [], None, true)
    }

    /// As [`Server::grpc`], over TLS.
    pub(crate) fn grpc_over_tls(acceptor: Acceptor) -> Self {
        Self::start("127.0.0.1:0", [], Some(acceptor), true)
    }

    /// Speaks HTTP/1; does as `script` says, then accepts everything.
    pub(crate) fn http(script: impl IntoIterator<Item = Act>) -> Self {
        Self::start("127.0.0.1:0", script, None, false)
    }

    /// Speaks the version of HTTP that TLS agreed on.
    pub(crate) fn http_over_tls(acceptor: Acceptor) -> Self {
        Self::start("127.0.0.1:0", [], Some(acceptor), false)
    }

    fn start(
        address: &str,
        script: impl IntoIterator<Item = Act>,
        acceptor: Option<Acceptor>,
        is_http2: bool,
    ) -> Self {
        let state = State::default();
        state.script.lock().unwrap().extend(script);
        Self::start_with(state, address, acceptor, is_http2)
    }

    fn start_with(state: State, address: &str, acceptor: Option<Acceptor>, is_http2: bool) -> Self {
        let listener = Network::default().listen(address).unwrap();
        let address = listener.local_address().unwrap();
        let serving = state.clone();
        let task = Scope::root("server").spawn("accept", async move {
            let scope = Scope::root("connections");
            let mut tasks = Vec::new();
            loop {
                let stream = listener.accept(Clock).await;
                let (state, acceptor) = (serving.clone(), acceptor.clone());
                tasks.push(scope.spawn("serve", state.serve(stream, acceptor, is_http2)));
            }
        });
        Self { address, state, _task: task }
    }

    /// What arrived so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().unwrap().clone()
    }

    /// Does as `script` says from here on, whatever is left of the script before.
    pub(crate) fn follow(&self, script: impl IntoIterator<Item = Act>) {
        *self.state.script.lock().unwrap() = script.into_iter().collect();
    }

    /// How many connections were opened so far.
    pub(crate) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::Relaxed)
    }
}

impl State {
    async fn serve(self, stream: Stream, acceptor: Option<Acceptor>, is_http2: bool) {
        self.connections.fetch_add(1, Ordering::Relaxed);
        let Some(acceptor) = acceptor else {
            return if is_http2 { self.http2(stream).await } else { self.http1(stream).await };
        };
        let Ok(stream) = acceptor.accept(stream).await else { return };
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(crate::tls::HTTP2);
        if is_http2 { self.http2(stream).await } else { self.http1(stream).await }
    }

    fn next(&self) -> Option<Act> {
        self.script.lock().unwrap().pop_front()
    }

    async fn http2<S: AsyncRead + AsyncWrite + Unpin>(self, stream: S) {
        let mut builder = h2::server::Builder::new();
        self.streams_max.map(|streams| builder.max_concurrent_streams(streams));
        let Ok(mut connection) = builder.handshake(stream).await else { return };
        let (endings, mut ending) = channel::bounded(Ends { from: "stream", to: "server" }, 16);
        let scope = Scope::root("streams");
        let mut tasks = Vec::new();
        loop {
            tokio::select! {
                accepted = connection.accept() => match accepted {
                    Some(Ok((request, respond))) => {
                        let stream = self.clone().stream(request, respond, endings.clone());
                        tasks.push(scope.spawn("stream", stream));
                    }
                    _ => return,
                },
                Some(act) = ending.recv() => {
                    if let Act::GoAway = act {
                        connection.graceful_shutdown();
                    } else {
                        return;
                    }
                }
            }
        }
    }

    async fn stream(
        self,
        request: Request<RecvStream>,
        mut respond: SendResponse<Bytes>,
        endings: Sender<Act>,
    ) {
        let (head, mut stream) = request.into_parts();
        let mut body = BytesMut::new();
        while let Some(Ok(data)) = stream.data().await {
            stream.flow_control().release_capacity(data.len()).unwrap();
            body.extend_from_slice(&data);
        }
        let path = head.uri.path().to_owned();
        let seen = Seen { path, headers: head.headers, body: body.freeze() };
        self.seen.lock().unwrap().push(seen);
        let mut act = self.next().unwrap_or_else(accepted);
        if let Act::Leave = act {
            endings.try_send(Act::GoAway).unwrap();
            act = accepted();
        }
        match act {
            Act::Answer(status, headers, body, trailers) => {
                let mut head = Response::builder().status(status).body(()).unwrap();
                *head.headers_mut() = map(&headers);
                let Ok(mut stream) = respond.send_response(head, false) else { return };
                let is_last = trailers.is_none();
                if stream.send_data(body.into(), is_last).is_ok() && !is_last {
                    stream.send_trailers(map(&trailers.unwrap_or_default())).ok();
                }
            }
            Act::Reset(reason) => respond.send_reset(reason),
            Act::Silence => std::future::pending().await,
            act @ Act::GoAway => {
                endings.try_send(act).unwrap();
                respond.send_reset(Reason::REFUSED_STREAM);
            }
            act @ (Act::HangUp | Act::Leave) => endings.try_send(act).unwrap(),
        }
    }

    async fn http1<S: AsyncRead + AsyncWrite + Unpin>(self, mut stream: S) {
        let mut unread = BytesMut::new();
        while let Some(seen) = read_http1(&mut stream, &mut unread).await {
            self.seen.lock().unwrap().push(seen);
            let ok = || Act::Answer(200, Vec::new(), Vec::new(), None);
            match self.next().unwrap_or_else(ok) {
                Act::Answer(status, headers, body, _) => {
                    let mut answer = format!("HTTP/1.1 {status} Said\r\n");
                    for (name, value) in &headers {
                        answer.push_str(&format!("{name}: {value}\r\n"));
                    }
                    if headers.iter().all(|(name, _)| *name != "content-length") {
                        answer.push_str(&format!("content-length: {}\r\n", body.len()));
                    }
                    answer.push_str("\r\n");
                    stream.write_all(answer.as_bytes()).await.ok();
                    stream.write_all(&body).await.ok();
                }
                Act::Silence => std::future::pending().await,
                _ => return,
            }
        }
    }
}

async fn read_http1<S: AsyncRead + Unpin>(stream: &mut S, unread: &mut BytesMut) -> Option<Seen> {
    let end = loop {
        if let Some(at) = unread.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        (0 < stream.read_buf(unread).await.ok()?).then_some(())?;
    };
    let head = String::from_utf8(unread.split_to(end + 4).to_vec()).unwrap();
    let mut lines = head.lines();
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let pairs = lines.filter_map(|line| line.split_once(": "));
    let headers = pairs
        .map(|(name, value)| {
            let name = HeaderName::try_from(name).unwrap();
            (name, HeaderValue::try_from(value).unwrap())
        })
        .collect::<HeaderMap>();
    let length = headers.get("content-length").map_or(0, |v| v.to_str().unwrap().parse().unwrap());
    while unread.len() < length {
        (0 < stream.read_buf(unread).await.ok()?).then_some(())?;
    }
    Some(Seen { path, headers, body: unread.split_to(length).freeze() })
}

fn map(pairs: &Pairs) -> HeaderMap {
    let pair = |(name, value): &(&'static str, String)| {
        (HeaderName::from_static(name), HeaderValue::try_from(value).unwrap())
    };
    pairs.iter().map(pair).collect()
}
