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
use http::header::CONTENT_LENGTH;
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use runtime::clock::Clock;
use runtime::task::Scope;

use super::Attendance;
use super::vigil::Vigil;
use crate::http2::Inflow;

/// How long, and how much of, a body that nobody wants is read, so that an HTTP/1.1 client that
/// sends before it reads can still hear the answer.
const DISCARD_TIME: Duration = Duration::from_secs(5);
const DISCARD_BYTES_MAX: usize = 32 << 20;

/// What a client sends.
#[derive(Debug)]
pub(in crate::receivers::otlp) struct Body(Source);

#[derive(Debug)]
enum Source {
    /// The one body of an HTTP/1.1 connection.
    Single(Incoming, Attendance),
    /// One of several of an HTTP/2 connection, and its declared size.
    Multiplexed(Inflow, Option<u64>),
}

/// The client left, or broke the protocol, before its body was complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request body ended early")]
pub(in crate::receivers::otlp) struct Lost;

impl Body {
    pub(super) fn single(incoming: Incoming, attendance: Attendance) -> Self {
        Self(Source::Single(incoming, attendance))
    }

    pub(super) fn multiplexed(inflow: Inflow, headers: &HeaderMap) -> Self {
        let declared = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        Self(Source::Multiplexed(inflow, declared.and_then(|text| text.parse().ok())))
    }

    /// The size that the client declared.
    pub(in crate::receivers::otlp) fn declared(&self) -> Option<u64> {
        match &self.0 {
            Source::Single(incoming, _) => incoming.size_hint().exact(),
            Source::Multiplexed(_, declared) => *declared,
        }
    }

    /// Waits for the next piece; `None` at the end. Taking it frees the client's window.
    pub(in crate::receivers::otlp) async fn chunk(&mut self) -> Option<Result<Bytes, Lost>> {
        match &mut self.0 {
            Source::Single(incoming, attendance) => single_chunk(incoming, attendance).await,
            Source::Multiplexed(inflow, _) => {
                inflow.chunk().await.map(|chunk| chunk.map_err(|_| Lost))
            }
        }
    }

    /// Reads the rest for a while and throws it away. HTTP/2 needs none of it: the stream is reset.
    pub(in crate::receivers::otlp) fn discard(mut self, scope: &Scope, clock: Clock) {
        match &self.0 {
            Source::Single(incoming, _) if !incoming.is_end_stream() => {}
            Source::Single(..) | Source::Multiplexed(..) => return,
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

async fn single_chunk(
    incoming: &mut Incoming,
    attendance: &Attendance,
) -> Option<Result<Bytes, Lost>> {
    loop {
        let frame = poll_fn(|cx| Pin::new(&mut *incoming).poll_frame(cx)).await?;
        match frame.map(Frame::into_data) {
            Ok(Ok(data)) => return Some(Ok(data)),
            // Trailers of a request mean nothing here.
            Ok(Err(_)) => {}
            Err(_) => {
                attendance.report(Vigil::request_was_reset);
                return Some(Err(Lost));
            }
        }
    }
}

/// What a client is sent.
pub(in crate::receivers::otlp) struct ReplyBody {
    content: Content,
    trailers: Option<HeaderMap>,
    presence: Option<Presence>,
}

pub(super) enum Content {
    Nothing,
    Whole(Bytes),
    /// Frames as they come, the trailers among them.
    Stream(Frames),
}

/// What a streamed reply is made of.
pub(super) type Frames = BoxStream<'static, Frame<Bytes>>;

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

    pub(super) fn into_parts(self) -> (Content, Option<HeaderMap>) {
        (self.content, self.trailers)
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
