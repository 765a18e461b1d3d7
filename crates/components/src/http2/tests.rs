//! Two drivers, each other's peer.

use std::future::pending;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use futures_util::future::join_all;
use http::{HeaderMap, HeaderValue, Request, Response, request};
use runtime::clock::Clock;
use runtime::task::{Scope, Task};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

use super::state::Handle;
use super::{Accepted, Driver, Ended, Inflow, Limits, Sign, Verdict, Watch};

const LIMITS: Limits = Limits {
    streams_max: 4,
    header_bytes_max: 4_000,
    frame_bytes_max: 16_384,
    stream_window: 100_000,
    connection_window: 200_000,
};

/// Watches nothing.
#[derive(Debug)]
struct Unwatched;

impl Watch for Unwatched {
    fn note(&mut self, _sign: Sign, _now: Instant) {}

    fn ask(&self, _now: Instant) -> Verdict {
        Verdict::WaitUntil(None)
    }
}

/// A client and a server that sends back what it is sent.
struct Echo {
    client: Handle,
    server: Handle,
    served: Task<Ended>,
}

impl Echo {
    fn start() -> Self {
        let (near, far) = tokio::io::duplex(10_000);
        let scope = Scope::root("echo");
        let client = Self::client(&scope, near);
        let mut driver = Driver::server(far, LIMITS, Clock, Unwatched);
        let server = driver.handle();
        let streams = scope.clone();
        let served = scope.spawn("server", async move {
            let accept = |accepted| streams.spawn("stream", echo(accepted)).detach();
            driver.run(accept, pending::<()>()).await
        });
        Self { client, server, served }
    }

    fn client(scope: &Scope, stream: DuplexStream) -> Handle {
        let mut driver = Driver::client(stream, LIMITS, Clock, Unwatched);
        let handle = driver.handle();
        let run = async move {
            while driver.run(|_| unreachable!(), pending::<()>()).await == Ended::Leaving {}
        };
        scope.spawn("client", run).detach();
        handle
    }

    async fn ask(&self, body: Bytes) -> Inflow {
        self.client.request(&head(), &[body]).await.unwrap()
    }
}

fn head() -> request::Parts {
    Request::post("http://host/echo").body(()).unwrap().into_parts().0
}

async fn echo(accepted: Accepted) {
    let Accepted { mut body, reply, .. } = accepted;
    let (head, ()) = Response::new(()).into_parts();
    reply.begin(&head);
    while let Some(Ok(piece)) = body.chunk().await {
        reply.send(piece).await;
    }
    let status = (http::HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"));
    reply.finish(Some(HeaderMap::from_iter([status])));
}

async fn whole(mut flow: Inflow) -> (Bytes, HeaderMap) {
    assert_eq!(flow.head().await.unwrap().status, 200);
    let mut body = BytesMut::new();
    while let Some(piece) = flow.chunk().await {
        body.extend_from_slice(&piece.unwrap());
    }
    (body.freeze(), flow.trailers())
}

/// Lets tasks that are ready run, until `holds`.
async fn eventually(holds: impl Fn() -> bool) {
    let yielding = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    let soon = Clock.now() + Duration::from_secs(10);
    assert!(Clock.by(soon, yielding).await.is_ok(), "it does not come to hold");
}

#[tokio::test]
async fn bodies_larger_than_all_windows_come_back_and_nothing_is_left() {
    let echo = Echo::start();
    // More requests than there is room for, too.
    let echo = &echo;
    // By its answer the client knows how many it may have.
    whole(echo.ask(Bytes::from_static(b"first")).await).await;
    let asked = (0..20_u8).map(|number| async move {
        let body = Bytes::from(vec![number; 50_000 * usize::from(number)]);
        let (back, trailers) = whole(echo.ask(body.clone()).await).await;
        assert!(back == body && trailers["grpc-status"] == "0", "{number}");
        number
    });
    assert_eq!(join_all(asked).await.len(), 20);
    for handle in [&echo.client, &echo.server] {
        eventually(|| handle.lock().engine.streams() == 0).await;
        eventually(|| handle.lock().inlets.is_empty()).await;
    }
}

#[tokio::test]
async fn a_request_that_is_dropped_is_taken_back() {
    let echo = Echo::start();
    let mut flow = echo.ask(vec![0; 1_000_000].into()).await;
    flow.head().await.unwrap();
    assert!(!flow.was_sent());
    drop(flow);
    for handle in [&echo.client, &echo.server] {
        eventually(|| handle.lock().engine.streams() == 0).await;
        eventually(|| handle.lock().inlets.is_empty()).await;
    }
    assert_eq!(whole(echo.ask(Bytes::from_static(b"next")).await).await.0, "next");
}

#[tokio::test]
async fn a_server_that_goes_answers_what_it_has_and_takes_no_more() {
    let echo = Echo::start();
    let flow = echo.ask(vec![7; 300_000].into()).await;
    eventually(|| echo.server.lock().engine.streams() == 1).await;
    {
        let mut state = echo.server.lock();
        state.engine.ask_to_go();
        state.wake_driver();
    }
    eventually(|| !echo.client.is_taking()).await;
    assert!(echo.client.request(&head(), &[]).await.is_err());
    assert_eq!(whole(flow).await.0.len(), 300_000);
    assert_eq!(echo.served.await, Ok(Ended::Over));
}

/// Counts how often it is written to.
struct Counted {
    stream: DuplexStream,
    writes: Arc<AtomicUsize>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        room: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, room)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

// One worker as in the product, which runs who was woken last before those who wait longer.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn answers_that_are_given_together_are_written_together() {
    let (near, far) = tokio::io::duplex(10_000);
    let scope = Scope::root("answers");
    let client = Echo::client(&scope, near);
    let (writes, waiting) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
    let stream = Counted { stream: far, writes: Arc::clone(&writes) };
    let mut driver = Driver::server(stream, LIMITS, Clock, Unwatched);
    let accepted = Arc::clone(&waiting);
    let run = async move {
        driver.run(|request| accepted.lock().unwrap().push(request), pending::<()>()).await
    };
    scope.spawn("server", run).detach();
    let mut flows = Vec::new();
    for _ in 0..LIMITS.streams_max {
        flows.push(client.request(&head(), &[]).await.unwrap());
    }
    eventually(|| waiting.lock().unwrap().len() == flows.len()).await;
    let (answers, written) = (scope.clone(), Arc::clone(&writes));
    let answer = async move {
        let before = written.load(Ordering::Relaxed);
        for Accepted { reply, .. } in waiting.lock().unwrap().drain(..) {
            let (head, ()) = Response::new(()).into_parts();
            let answer = async move { reply.reply(&head, Bytes::from_static(b"here"), None) };
            answers.spawn("stream", answer).detach();
        }
        before
    };
    // The worker does one thing at a time: the connection has written all that there was by then.
    let before = scope.spawn("answers", answer).await.unwrap();
    for (body, _) in join_all(flows.into_iter().map(whole)).await {
        assert_eq!(body, "here");
    }
    assert_eq!(writes.load(Ordering::Relaxed) - before, 1);
}
