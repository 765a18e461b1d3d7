//! A byte stream that reports what it reads, and whether it can write, to the vigil of its
//! connection; and that sends a client away which pings too often.
//!
//! Pings are counted here because the HTTP/2 library answers them by itself. Its answer to the one
//! too many is where the GOAWAY goes out instead, between two frames.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Attendance;
use super::pings::Pings;
use crate::frames::{Frame, Frames};

/// GOAWAY after whatever stream, ENHANCE_YOUR_CALM, in the words that gRPC clients know: they ping
/// less often from then on.
const TOO_MANY_PINGS: &[u8] = b"\0\0\x16\x07\0\0\0\0\0\x7f\xff\xff\xff\0\0\0\x0btoo_many_pings";

/// A stream and who is told about its reads.
#[derive(Debug)]
pub(super) struct Watched<S> {
    stream: S,
    attendance: Attendance,
    police: Option<Police>,
}

/// Who watches the pings of a client.
#[derive(Debug)]
struct Police {
    pings: Pings,
    from_client: Frames,
    to_client: Frames,
    /// What is left to say to a client that is sent away.
    farewell: Option<&'static [u8]>,
}

impl Police {
    fn new(pings: Pings) -> Self {
        let (from_client, to_client) = (Frames::of_client(), Frames::of_server());
        Self { pings, from_client, to_client, farewell: None }
    }

    fn read(&mut self, bytes: &[u8], attendance: &Attendance) {
        let pings = &mut self.pings;
        self.from_client.pass(bytes, |frame| {
            if frame == Frame::Ping {
                attendance.report(|vigil, now| pings.pinged(vigil.requests(), now));
            }
        });
    }

    fn wrote(&mut self, bytes: &[u8]) {
        let pings = &mut self.pings;
        self.to_client.pass(bytes, |frame| {
            if frame == Frame::Content {
                pings.answered();
            }
        });
    }

    /// What to send instead of anything else.
    fn farewell(&mut self) -> Option<&'static [u8]> {
        if self.farewell.is_none() && self.pings.are_too_many() && self.to_client.is_between() {
            self.farewell = Some(TOO_MANY_PINGS);
        }
        self.farewell
    }
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, attendance: Attendance, pings: Option<Pings>) -> Self {
        Self { stream, attendance, police: pings.map(Police::new) }
    }

    fn wrote<'a>(
        &mut self,
        written: Poll<io::Result<usize>>,
        slices: impl IntoIterator<Item = &'a [u8]>,
    ) -> Poll<io::Result<usize>> {
        self.attendance.report(|vigil, now| vigil.wrote(written.is_pending(), now));
        if let (Some(police), Poll::Ready(Ok(count))) = (&mut self.police, &written) {
            let mut left = *count;
            for slice in slices {
                let taken = left.min(slice.len());
                police.wrote(&slice[..taken]);
                left -= taken;
            }
        }
        written
    }
}

impl<S: AsyncWrite + Unpin> Watched<S> {
    /// Sends a client away that has to go; an error once that is done.
    fn poll_farewell(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(police) = &mut self.police else { return Poll::Ready(Ok(())) };
        while let Some(left) = police.farewell() {
            if left.is_empty() {
                ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
                return Poll::Ready(Err(io::Error::other("the client pings too often")));
            }
            let count = ready!(Pin::new(&mut self.stream).poll_write(cx, left))?;
            police.farewell = Some(&left[count..]);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        let bytes = &buffer.filled()[before..];
        let Self { attendance, police, .. } = &mut *self;
        attendance.report(|vigil, now| vigil.read(bytes.len(), now));
        if let Some(police) = police {
            police.read(bytes, attendance);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_farewell(cx))?;
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.wrote(written, [bytes])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_farewell(cx))?;
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.wrote(written, slices.iter().map(|slice| &**slice))
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
