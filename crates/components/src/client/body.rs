//! Bodies: requests go out as the ropes they are, answers come in up to a limit.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use http_body::{Body, Frame, SizeHint};

use crate::http2::{Broken, Inflow};

/// The body of an answer.
pub(crate) type Incoming = hyper::body::Incoming;

/// The body of a request: segments that are never joined.
#[derive(Debug)]
pub(crate) struct Outgoing {
    segments: VecDeque<Bytes>,
    left: u64,
    ended: Arc<AtomicBool>,
}

/// Tells whether the last byte of a request was handed to its connection.
#[derive(Clone, Debug)]
pub(crate) struct Progress(Arc<AtomicBool>);

/// Why the body of an answer could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    #[error("the answer broke off: {0}")]
    Broken(#[from] hyper::Error),
    #[error("the answer broke off: {0}")]
    Lost(#[from] Broken),
}

impl Outgoing {
    /// A body of these segments, in order.
    pub(crate) fn new(segments: impl IntoIterator<Item = Bytes>) -> Self {
        let segments =
            segments.into_iter().filter(|segment| !segment.is_empty()).collect::<VecDeque<_>>();
        let left = segments.iter().map(|segment| segment.len() as u64).sum();
        Self { segments, left, ended: Arc::new(AtomicBool::new(false)) }
    }

    /// Watches the body from outside.
    pub(crate) fn progress(&self) -> Progress {
        Progress(Arc::clone(&self.ended))
    }
}

impl Progress {
    /// Whether the peer may have the whole request.
    pub(crate) fn has_ended(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = self.segments.pop_front();
        self.left -= next.as_ref().map_or(0, |segment| segment.len() as u64);
        if self.segments.is_empty() {
            self.ended.store(true, Ordering::Release);
        }
        Poll::Ready(next.map(|segment| Ok(Frame::data(segment))))
    }

    fn is_end_stream(&self) -> bool {
        self.segments.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// Reads a whole answer of at most `bytes_max`, with its trailers.
pub(crate) async fn read(
    mut body: Incoming,
    bytes_max: usize,
) -> Result<(Bytes, HeaderMap), ReadError> {
    let (mut whole, mut trailers) = (BytesMut::new(), HeaderMap::new());
    let declared = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if bytes_max < declared {
        return Err(ReadError::TooLarge(bytes_max));
    }
    while let Some(frame) = next_frame(&mut body).await {
        match frame?.into_data() {
            Ok(data) if bytes_max < whole.len() + data.len() => {
                return Err(ReadError::TooLarge(bytes_max));
            }
            Ok(data) => whole.extend_from_slice(&data),
            Err(frame) => trailers.extend(frame.into_trailers().unwrap_or_default()),
        }
    }
    Ok((whole.freeze(), trailers))
}

/// The same, of an answer that shares its connection.
pub(crate) async fn read_flow(
    flow: &mut Inflow,
    headers: &HeaderMap,
    bytes_max: usize,
) -> Result<(Bytes, HeaderMap), ReadError> {
    let declared = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let declared = declared.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    if bytes_max < usize::try_from(declared).unwrap_or(usize::MAX) {
        return Err(ReadError::TooLarge(bytes_max));
    }
    let mut whole = BytesMut::new();
    while let Some(data) = flow.chunk().await {
        let data = data?;
        if bytes_max < whole.len() + data.len() {
            return Err(ReadError::TooLarge(bytes_max));
        }
        whole.extend_from_slice(&data);
    }
    Ok((whole.freeze(), flow.trailers()))
}

async fn next_frame(body: &mut Incoming) -> Option<Result<Frame<Bytes>, hyper::Error>> {
    std::future::poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await
}
