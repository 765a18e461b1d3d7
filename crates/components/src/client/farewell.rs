//! Farewell: whether the server of an HTTP/2 connection asked its client to go, with nothing wrong.
//!
//! The library that speaks HTTP/2 ends such a connection as it ends one that broke. See `frames`.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::frames::{Frame, Frames};

/// GOAWAY without an error.
const NO_ERROR: u32 = 0;

/// Remembers a farewell. Clones remember the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Farewell(Arc<AtomicBool>);

impl Farewell {
    /// Whether it was said.
    pub(crate) fn was_said(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// A byte stream in which farewells are looked for.
#[derive(Debug)]
pub(super) struct Listened<S> {
    stream: S,
    frames: Frames,
    farewell: Farewell,
}

impl<S> Listened<S> {
    pub(super) fn new(stream: S, farewell: Farewell) -> Self {
        Self { stream, frames: Frames::of_server(), farewell }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Listened<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        let Self { frames, farewell, .. } = &mut *self;
        frames.pass(&buffer.filled()[before..], |frame| {
            if frame == (Frame::Farewell { reason: NO_ERROR }) {
                farewell.0.store(true, Ordering::Release);
            }
        });
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Listened<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
