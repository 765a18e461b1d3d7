//! Bodies: what a client sends, and what it is sent.

use std::fmt;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{BoxStream, Stream};
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use http_body::Frame;
use runtime::region::Region;

use crate::http1::{self, Content as Http1Content, Lost};
use crate::http2::Inflow;

/// The largest piece of a body that is not read to its place.
const CHUNK_BYTES: usize = 64 << 10;

/// What a client sends. Dropped, the rest of it is not wanted.
#[derive(Debug)]
pub(in crate::receivers::otlp) enum Body {
    /// The one body of an HTTP/1.1 connection.
    Single(http1::Body),
    /// One of several of an HTTP/2 connection, and its declared size.
    Multiplexed(Inflow, Option<u64>),
}

impl Body {
    pub(super) fn multiplexed(inflow: Inflow, headers: &HeaderMap) -> Self {
        let declared = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        Self::Multiplexed(inflow, declared.and_then(|text| text.parse().ok()))
    }

    /// The size that the client declared.
    pub(in crate::receivers::otlp) fn declared(&self) -> Option<u64> {
        match self {
            Self::Single(body) => body.declared(),
            Self::Multiplexed(_, declared) => *declared,
        }
    }

    /// Waits for the next piece; `None` at the end. Taking it frees the client's window.
    pub(in crate::receivers::otlp) async fn chunk(&mut self) -> Option<Result<Bytes, Lost>> {
        match self {
            Self::Single(body) => single_chunk(body).await.transpose(),
            Self::Multiplexed(inflow, _) => {
                inflow.chunk().await.map(|chunk| chunk.map_err(|_| Lost))
            }
        }
    }
}

async fn single_chunk(body: &mut http1::Body) -> Result<Option<Bytes>, Lost> {
    if body.coming().await? == 0 {
        return Ok(None);
    }
    let mut region = Region::up_to(CHUNK_BYTES);
    body.read(&mut region, CHUNK_BYTES).await?;
    Ok(Some(region.into_bytes()))
}

/// What a client is sent.
pub(in crate::receivers::otlp) struct ReplyBody {
    content: Content,
    trailers: Option<HeaderMap>,
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
        Self { content: Content::Nothing, trailers: None }
    }

    pub(in crate::receivers::otlp) fn whole(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let content = if bytes.is_empty() { Content::Nothing } else { Content::Whole(bytes) };
        Self { content, trailers: None }
    }

    pub(in crate::receivers::otlp) fn stream(
        frames: impl Stream<Item = Frame<Bytes>> + Send + 'static,
    ) -> Self {
        Self { content: Content::Stream(Box::pin(frames)), trailers: None }
    }

    /// The same with trailers at its end.
    pub(in crate::receivers::otlp) fn with_trailers(mut self, trailers: HeaderMap) -> Self {
        self.trailers = Some(trailers);
        self
    }

    pub(super) fn into_parts(self) -> (Content, Option<HeaderMap>) {
        (self.content, self.trailers)
    }

    /// The same for HTTP/1.1, where trailers mean nothing.
    pub(super) fn into_content(self) -> Http1Content {
        match self.content {
            Content::Nothing => Http1Content::Whole(Bytes::new()),
            Content::Whole(bytes) => Http1Content::Whole(bytes),
            Content::Stream(frames) => {
                let pieces = frames.filter_map(|frame| async { frame.into_data().ok() });
                Http1Content::Stream(pieces.boxed())
            }
        }
    }
}
