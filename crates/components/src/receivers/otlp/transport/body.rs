//! Bodies: what a client sends, chunk by chunk, and what it is sent.

use std::convert::Infallible;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{BoxStream, Stream};
use http::HeaderMap;
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use runtime::clock::Clock;
use runtime::task::Scope;

use super::Attendance;
use super::vigil::Vigil;

/// How long, and how much of, a body that nobody wants is read, so that an HTTP/1.1 client that
/// sends before it reads can still hear the answer.
const DISCARD_TIME: Duration = Duration::from_secs(5);
const DISCARD_BYTES_MAX: usize = 32 << 20;

/// What a client sends.
#[derive(Debug)]
pub(in crate::receivers::otlp) struct Body {
    incoming: Incoming,
    attendance: Attendance,
    is_http1: bool,
}

/// The client left, or broke the protocol, before its body was complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request body ended early")]
pub(in crate::receivers::otlp) struct Lost;

impl Body {
    pub(super) fn new(incoming: Incoming, attendance: Attendance, is_http1: bool) -> Self {
        Self { incoming, attendance, is_http1 }
    }

    /// The size that the client declared.
    pub(in crate::receivers::otlp) fn declared(&self) -> Option<u64> {
        self.incoming.size_hint().exact()
    }

    /// Waits for the next piece; `None` at the end. Taking it frees the client's window.
    pub(in crate::receivers::otlp) async fn chunk(&mut self) -> Option<Result<Bytes, Lost>> {
        loop {
            let frame = poll_fn(|cx| Pin::new(&mut self.incoming).poll_frame(cx)).await?;
            match frame.map(Frame::into_data) {
                Ok(Ok(data)) => return Some(Ok(data)),
                // Trailers of a request mean nothing here.
                Ok(Err(_)) => {}
                Err(_) => {
                    self.attendance.report(Vigil::request_was_reset);
                    return Some(Err(Lost));
                }
            }
        }
    }

    /// Reads the rest for a while and throws it away. HTTP/2 needs none of it: the stream is reset.
    pub(in crate::receivers::otlp) fn discard(mut self, scope: &Scope, clock: Clock) {
        if !self.is_http1 || self.incoming.is_end_stream() {
            return;
        }
        let until = clock.now() + DISCARD_TIME;
        let rest = async move {
            let mut left = DISCARD_BYTES_MAX;
            while let Some(Ok(chunk)) = self.chunk().await {
                match left.checked_sub(chunk.len()) {
                    Some(less) => left = less,
                    None => return,
                }
            }
        };
        let discarded = async move {
            // At its end in time or not, the rest was not wanted.
            clock.by(until, rest).await.ok();
        };
        scope.spawn("discarded body", discarded).detach();
    }
}

/// What a client is sent.
pub(in crate::receivers::otlp) struct ReplyBody {
    content: Content,
    trailers: Option<HeaderMap>,
    presence: Option<Presence>,
}

enum Content {
    Nothing,
    Whole(Bytes),
    /// Frames as they come, the trailers among them.
    Stream(BoxStream<'static, Frame<Bytes>>),
}

impl fmt::Debug for ReplyBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReplyBody")
    }
}

impl ReplyBody {
    pub(in crate::receivers::otlp) fn empty() -> Self {
        Self { content: Content::Nothing, trailers: None, presence: None }
    }

    pub(in crate::receivers::otlp) fn whole(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let content = if bytes.is_empty() { Content::Nothing } else { Content::Whole(bytes) };
        Self { content, trailers: None, presence: None }
    }

    pub(in crate::receivers::otlp) fn stream(
        frames: impl Stream<Item = Frame<Bytes>> + Send + 'static,
    ) -> Self {
        Self { content: Content::Stream(Box::pin(frames)), trailers: None, presence: None }
    }

    /// The same with trailers at its end.
    pub(in crate::receivers::otlp) fn with_trailers(mut self, trailers: HeaderMap) -> Self {
        self.trailers = Some(trailers);
        self
    }

    /// The same, counted as a request in progress until it ends.
    pub(super) fn attended(mut self, mut presence: Presence) -> Self {
        presence.is_answered = true;
        // A stream waits for its source, not for the client: nobody is slow in taking it.
        if !matches!(self.content, Content::Stream(_)) {
            presence.reply_begins();
        }
        self.presence = Some(presence);
        self
    }
}

impl http_body::Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Content::Stream(frames) = &mut self.content {
            return frames.as_mut().poll_next(cx).map(|frame| frame.map(Ok));
        }
        if let Some(presence) = &self.presence {
            presence.attendance.report(|vigil, now| vigil.reply_moved(now));
        }
        let data = match std::mem::replace(&mut self.content, Content::Nothing) {
            Content::Whole(bytes) => Some(Frame::data(bytes)),
            Content::Nothing | Content::Stream(_) => self.trailers.take().map(Frame::trailers),
        };
        Poll::Ready(data.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.content, Content::Nothing) && self.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Nothing => SizeHint::with_exact(0),
            Content::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Stream(_) => SizeHint::default(),
        }
    }
}

/// Counts a request and its reply in the vigil of its connection, until dropped.
#[derive(Debug)]
pub(super) struct Presence {
    attendance: Attendance,
    is_answered: bool,
    is_replying: bool,
}

impl Presence {
    pub(super) fn enter(attendance: Attendance) -> Self {
        attendance.report(|vigil, _now| vigil.request_began());
        Self { attendance, is_answered: false, is_replying: false }
    }

    fn reply_begins(&mut self) {
        self.is_replying = true;
        self.attendance.report(|vigil, now| vigil.reply_began(now));
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        let (is_answered, is_replying) = (self.is_answered, self.is_replying);
        self.attendance.report(|vigil, now| {
            if is_replying {
                vigil.reply_ended(now);
            }
            if !is_answered {
                vigil.request_was_reset(now);
            }
            vigil.request_ended(now);
        });
    }
}
