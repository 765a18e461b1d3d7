//! Stream: what the two ends of one request see of it.
//!
//! Invariant: what came and was not taken is released when the inflow is dropped.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{HeaderMap, response};
use runtime::waits::{What, observed};
use wire::http2::{Reason, Why};

use super::state::Handle;

/// What streams wait for.
const PEER: What = What::socket("HTTP/2 peer");

/// What came for a stream and was not taken yet.
#[derive(Debug, Default)]
pub(super) struct Inlet {
    pub(super) head: Option<Box<response::Parts>>,
    pub(super) chunks: VecDeque<Bytes>,
    pub(super) trailers: Option<HeaderMap>,
    /// All has come.
    pub(super) is_whole: bool,
    lost: Option<Lost>,
    /// Nobody takes what comes.
    pub(super) is_discarded: bool,
    /// What comes is an answer, and nothing else is to be sent.
    is_answer: bool,
    /// Somebody answers.
    has_outflow: bool,
    /// Somebody waits until what we send is sent.
    pub(super) is_sending: bool,
    waker: Option<Waker>,
}

/// How a stream is gone before its end, and whether by then all of what we send was sent.
#[derive(Clone, Debug)]
pub(super) enum Lost {
    Stream(Why, bool),
    Connection(Arc<str>, bool),
}

/// The stream ended early.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub(crate) struct Broken {
    pub(crate) reason: Arc<str>,
    /// The peer may have all of what we sent.
    pub(crate) was_sent: bool,
    /// The peer says that it did not look at the request.
    pub(crate) is_unprocessed: bool,
}

impl Inlet {
    pub(super) fn of_request(is_whole: bool) -> Self {
        Self { is_whole, has_outflow: true, ..Self::default() }
    }

    pub(super) fn of_answer() -> Self {
        Self { is_answer: true, ..Self::default() }
    }

    /// What is gone once is not lost otherwise.
    pub(super) fn lose(&mut self, lost: Lost) {
        self.lost.get_or_insert(lost);
    }

    pub(super) fn wake(&mut self) {
        self.waker.take().into_iter().for_each(Waker::wake);
    }

    fn wait<T>(&mut self, cx: &Context<'_>) -> Poll<T> {
        match &mut self.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            None => self.waker = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// Why what comes has ended early, if it did.
    fn broken(&self) -> Option<Broken> {
        let lost = self.lost.as_ref().filter(|_| !self.is_whole)?;
        let (reason, was_sent, is_unprocessed) = match lost {
            Lost::Stream(why, was_sent) => {
                let is_refused = *why == Why::ByPeer(Reason::REFUSED_STREAM);
                (told(*why), *was_sent, is_refused || *why == Why::Unprocessed)
            }
            Lost::Connection(reason, was_sent) => (Arc::clone(reason), *was_sent, false),
        };
        Some(Broken { reason, was_sent, is_unprocessed })
    }
}

fn told(why: Why) -> Arc<str> {
    match why {
        Why::ByPeer(reason) => format!("the peer reset the stream: {reason}").into(),
        Why::ByUs(reason) => format!("the peer broke the protocol: {reason}").into(),
        Why::Unprocessed => "the peer goes away and did not look at the request".into(),
    }
}

/// What a peer sends on one stream. Dropped by a client, the request is taken back.
#[derive(Debug)]
pub(crate) struct Inflow {
    handle: Handle,
    stream: u32,
}

impl Inflow {
    pub(super) fn new(handle: Handle, stream: u32) -> Self {
        Self { handle, stream }
    }

    /// Waits for the head of an answer.
    pub(crate) async fn head(&mut self) -> Result<response::Parts, Broken> {
        observed(PEER, poll_fn(|cx| self.poll_head(cx))).await
    }

    /// Waits for the next piece; `None` at the end. Taking it frees the peer's window.
    pub(crate) async fn chunk(&mut self) -> Option<Result<Bytes, Broken>> {
        observed(PEER, poll_fn(|cx| self.poll_chunk(cx))).await
    }

    /// What came behind the body.
    pub(crate) fn trailers(&mut self) -> HeaderMap {
        let mut state = self.handle.lock();
        let inlet = state.inlets.get_mut(&self.stream);
        inlet.and_then(|inlet| inlet.trailers.take()).unwrap_or_default()
    }

    /// Whether the peer may have all of what we sent.
    pub(crate) fn was_sent(&self) -> bool {
        let state = self.handle.lock();
        match state.inlets.get(&self.stream).and_then(|inlet| inlet.broken()) {
            Some(broken) => broken.was_sent,
            None => state.engine.unsent(self.stream).is_none(),
        }
    }

    fn poll_head(&mut self, cx: &Context<'_>) -> Poll<Result<response::Parts, Broken>> {
        let mut state = self.handle.lock();
        let inlet = state.inlets.get_mut(&self.stream).expect("it is there as long as its inflow");
        match (inlet.head.take(), inlet.broken()) {
            (Some(head), _) => Poll::Ready(Ok(*head)),
            (None, Some(broken)) => Poll::Ready(Err(broken)),
            (None, None) => inlet.wait(cx),
        }
    }

    fn poll_chunk(&mut self, cx: &Context<'_>) -> Poll<Option<Result<Bytes, Broken>>> {
        let mut state = self.handle.lock();
        let inlet = state.inlets.get_mut(&self.stream).expect("it is there as long as its inflow");
        if let Some(chunk) = inlet.chunks.pop_front() {
            state.engine.release(self.stream, chunk.len());
            state.wake_driver();
            return Poll::Ready(Some(Ok(chunk)));
        }
        match inlet.broken() {
            Some(broken) => Poll::Ready(Some(Err(broken))),
            None if inlet.is_whole => Poll::Ready(None),
            None => inlet.wait(cx),
        }
    }
}

impl Drop for Inflow {
    fn drop(&mut self) {
        let mut state = self.handle.lock();
        let Some(inlet) = state.inlets.get_mut(&self.stream) else { return };
        let left = std::mem::take(&mut inlet.chunks).iter().map(Bytes::len).sum();
        inlet.is_discarded = true;
        let (is_answer, is_last) = (inlet.is_answer, !inlet.has_outflow);
        state.engine.release(self.stream, left);
        if is_answer {
            state.engine.reset(self.stream, Reason::CANCEL);
        }
        if is_last {
            state.inlets.remove(&self.stream);
        }
        state.settle();
    }
}

/// What a server sends on one stream. Dropped before its end, the stream is reset.
#[derive(Debug)]
pub(crate) struct Outflow {
    handle: Handle,
    stream: u32,
    is_finished: bool,
}

impl Outflow {
    pub(super) fn new(handle: Handle, stream: u32) -> Self {
        Self { handle, stream, is_finished: false }
    }

    /// Waits until nobody wants the answer any more.
    pub(crate) async fn abandoned(&self) {
        poll_fn(|cx| {
            let mut state = self.handle.lock();
            let inlet = state.inlets.get_mut(&self.stream).expect("it is there for its outflow");
            if inlet.lost.is_some() { Poll::Ready(()) } else { inlet.wait(cx) }
        })
        .await;
    }

    /// Sends a whole answer.
    pub(crate) fn reply(
        mut self,
        head: &response::Parts,
        body: Bytes,
        trailers: Option<HeaderMap>,
    ) {
        let is_end = body.is_empty() && trailers.is_none();
        self.is_finished = true;
        let mut state = self.handle.lock();
        state.engine.respond(self.stream, head, is_end);
        if !is_end {
            state.engine.send(self.stream, body);
            state.engine.finish(self.stream, trailers);
        }
        state.wake_driver();
    }

    /// Sends the head of an answer.
    pub(crate) fn begin(&self, head: &response::Parts) {
        let mut state = self.handle.lock();
        state.engine.respond(self.stream, head, false);
        state.wake_driver();
    }

    /// Sends a piece of an answer, and waits until it was sent or nobody wants it.
    pub(crate) async fn send(&self, piece: Bytes) {
        let mut piece = Some(piece);
        let sent = poll_fn(|cx| {
            let mut state = self.handle.lock();
            if let Some(piece) = piece.take() {
                state.engine.send(self.stream, piece);
                state.wake_driver();
            }
            let is_sent = state.engine.unsent(self.stream).is_none();
            let inlet = state.inlets.get_mut(&self.stream).expect("it is there for its outflow");
            inlet.is_sending = !is_sent;
            if is_sent { Poll::Ready(()) } else { inlet.wait(cx) }
        });
        observed(PEER, sent).await;
    }

    /// Ends the answer.
    pub(crate) fn finish(mut self, trailers: Option<HeaderMap>) {
        self.is_finished = true;
        let mut state = self.handle.lock();
        state.engine.finish(self.stream, trailers);
        state.wake_driver();
    }
}

impl Drop for Outflow {
    fn drop(&mut self) {
        let mut state = self.handle.lock();
        if !self.is_finished {
            state.engine.reset(self.stream, Reason::INTERNAL_ERROR);
        }
        if let Some(inlet) = state.inlets.get_mut(&self.stream) {
            inlet.has_outflow = false;
            if inlet.is_discarded {
                state.inlets.remove(&self.stream);
            }
        }
        state.settle();
    }
}
