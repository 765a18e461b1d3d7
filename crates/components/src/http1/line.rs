//! Line: the bytes of one connection, in and out.
//!
//! Owner: the task of the connection, in which the answer's future runs, too. Bounds: [`READ_BYTES`]
//! behind a head, [`AHEAD_BYTES_MAX`] of the next request while one is answered, one answer on its way.

use std::fmt;
use std::future::Future as _;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes, BytesMut};
use runtime::clock::Clock;
use runtime::region::Region;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use wire::http1::{CONTINUE, Chunks, Fault, Framing, Head, Heads};

use crate::vigil::{Verdict, Vigil};

/// What is read at once where a head, or the framing of a body, may come.
const READ_BYTES: usize = 16 << 10;
const AHEAD_BYTES_MAX: usize = 4 << 10;
/// How much of a body that nobody wants is read, so that a client that sends before it reads can still
/// hear the answer.
const DISCARD_BYTES_MAX: u64 = 32 << 20;

/// A byte stream, plain or not.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Duplex for S {}

/// The client closed the connection, or it broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gone;

/// Why no head was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoHead {
    Gone,
    /// There is none, and there need not be another.
    Closing,
    Faulty(Fault),
}

/// The line, for those who read from it in turn. None waits for another: they share a task.
#[derive(Clone, Debug)]
pub(super) struct Shared(Arc<Mutex<Line>>);

impl Shared {
    pub(super) fn new(line: Line) -> Self {
        Self(Arc::new(Mutex::new(line)))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What of a body was not taken yet.
#[derive(Clone, Debug)]
enum Rest {
    Sized(u64),
    Chunked(Chunks),
}

/// One connection.
pub(super) struct Line {
    stream: Box<dyn Duplex>,
    clock: Clock,
    vigil: Vigil,
    heads: Heads,
    /// What was read and not taken yet.
    input: BytesMut,
    rest: Rest,
    /// Whether the client waits to be told to send its body.
    owes_continue: bool,
    /// What is wrong with the body.
    fault: Option<Fault>,
    discarded: u64,
    /// What is to be written: a head, content, and the end of its framing.
    output: [Bytes; 3],
    is_flushed: bool,
    is_closing: bool,
}

impl Line {
    pub(super) fn new(stream: Box<dyn Duplex>, heads: Heads, vigil: Vigil, clock: Clock) -> Self {
        Self {
            stream,
            clock,
            vigil,
            heads,
            input: BytesMut::new(),
            rest: Rest::Sized(0),
            owes_continue: false,
            fault: None,
            discarded: 0,
            output: Default::default(),
            is_flushed: true,
            is_closing: false,
        }
    }

    /// Asks what to do with the connection.
    pub(super) fn ask(&self) -> Verdict {
        self.vigil.ask(self.clock.now())
    }

    /// The connection has lasted long enough.
    pub(super) fn expire(&mut self) {
        self.vigil.closing(self.clock.now());
        self.is_closing = true;
    }

    /// No request is taken but those of which something has come.
    pub(super) fn close(&mut self) {
        self.is_closing = true;
    }

    pub(super) fn is_closing(&self) -> bool {
        self.is_closing
    }

    /// What is wrong with the body, as far as it was read.
    pub(super) fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// Reads the next head.
    pub(super) fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<Head, NoHead>> {
        loop {
            if let Some((head, bytes)) = self.heads.read(&self.input).map_err(NoHead::Faulty)? {
                self.take_input(bytes);
                self.begin(&head);
                return Poll::Ready(Ok(head));
            }
            match self.poll_input(cx) {
                Poll::Ready(read) => read.map_err(|_| NoHead::Gone)?,
                Poll::Pending if self.is_closing && self.input.is_empty() => {
                    return Poll::Ready(Err(NoHead::Closing));
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn begin(&mut self, head: &Head) {
        self.rest = match head.body {
            Framing::Sized(bytes) => Rest::Sized(bytes),
            Framing::Chunked => Rest::Chunked(Chunks::default()),
        };
        self.owes_continue = head.expects_continue;
        self.discarded = 0;
        self.vigil.request_began();
    }

    /// The request was answered; some of the next may be there.
    pub(super) fn end(&mut self) {
        let now = self.clock.now();
        self.vigil.request_ended(now);
        if !self.input.is_empty() {
            self.vigil.read(self.input.len(), now);
        }
    }

    /// How many bytes of the body come next at least; none at its end.
    pub(super) fn poll_coming(&mut self, cx: &mut Context<'_>) -> Poll<Result<u64, Gone>> {
        if self.owes_continue {
            self.owes_continue = false;
            if self.input.is_empty() && !self.rest.is_over() {
                self.output[0] = Bytes::from_static(CONTINUE);
            }
        }
        ready!(self.poll_write(cx))?;
        self.poll_framing(cx)
    }

    /// Reads up to the next content, or the end.
    fn poll_framing(&mut self, cx: &mut Context<'_>) -> Poll<Result<u64, Gone>> {
        loop {
            let framing = self.rest.framing(&self.input).map_err(|fault| {
                self.fault = Some(fault);
                Gone
            })?;
            self.take_input(framing);
            let content = self.rest.content();
            if 0 < content || self.rest.is_over() {
                return Poll::Ready(Ok(content));
            }
            ready!(self.poll_input(cx))?;
        }
    }

    /// Puts some of the content that comes next into `region`.
    pub(super) fn poll_content(
        &mut self,
        cx: &mut Context<'_>,
        region: &mut Region,
        bytes_max: usize,
    ) -> Poll<Result<usize, Gone>> {
        let bytes_max = bytes_max.min(usize::try_from(self.rest.content()).unwrap_or(usize::MAX));
        let bytes = if self.input.is_empty() {
            ready!(region.poll_read(cx, &mut self.stream, bytes_max)).map_err(|_| Gone)?
        } else {
            let bytes = bytes_max.min(self.input.len());
            region.push(&self.input[..bytes]).map_err(|_| Gone)?;
            self.take_input(bytes);
            bytes
        };
        self.rest.take(bytes);
        self.is_closing |= bytes == 0;
        Poll::Ready(if bytes == 0 { Err(Gone) } else { Ok(bytes) })
    }

    /// Resolves when the client leaves. What it sends ahead is kept, a little of it.
    pub(super) fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<Gone> {
        while self.rest.is_over() && self.input.len() < AHEAD_BYTES_MAX {
            let mut room = [MaybeUninit::uninit(); 512];
            let mut read = ReadBuf::uninit(&mut room);
            let is_open = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut read)).is_ok();
            if !is_open || read.filled().is_empty() {
                return Poll::Ready(Gone);
            }
            self.input.extend_from_slice(read.filled());
        }
        Poll::Pending
    }

    /// Whether all of the body can be read before the next request, wanted or not. It is not asked for.
    pub(super) fn give_up_body(&mut self) -> bool {
        let is_owed = std::mem::take(&mut self.owes_continue) && !self.rest.is_over();
        !is_owed && self.fault.is_none() && self.rest.content() <= DISCARD_BYTES_MAX
    }

    /// Nothing of what the client still sends is wanted, for as long as it may be.
    pub(super) fn give_up(&mut self) {
        if !self.rest.is_over() || !self.input.is_empty() {
            self.rest = Rest::Sized(u64::MAX);
            self.input = BytesMut::new();
        }
    }

    /// Reads the rest of the body and throws it away; whether that was all of it.
    pub(super) fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        while self.discarded < DISCARD_BYTES_MAX {
            let coming = match ready!(self.poll_framing(cx)) {
                Ok(0) => return Poll::Ready(true),
                Ok(coming) => usize::try_from(coming).unwrap_or(usize::MAX),
                Err(Gone) => return Poll::Ready(false),
            };
            let mut bytes = coming.min(self.input.len());
            self.take_input(bytes);
            if bytes == 0 {
                let mut room = [MaybeUninit::uninit(); READ_BYTES];
                let mut read = ReadBuf::uninit(&mut room[..coming.min(READ_BYTES)]);
                let is_open = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut read)).is_ok();
                bytes = read.filled().len();
                if !is_open || bytes == 0 {
                    return Poll::Ready(false);
                }
            }
            self.rest.take(bytes);
            self.discarded += bytes as u64;
        }
        Poll::Ready(false)
    }

    /// Puts what is to be written next, when all before it was.
    pub(super) fn put(&mut self, pieces: [Bytes; 3]) {
        self.output = pieces;
    }

    /// Writes all that there is.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        while self.output.iter().any(|piece| !piece.is_empty()) {
            self.is_flushed = false;
            let slices = self.output.each_ref().map(|piece| IoSlice::new(piece));
            let written = Pin::new(&mut self.stream).poll_write_vectored(cx, &slices);
            self.vigil.wrote(written.is_pending(), self.clock.now());
            let mut bytes = ready!(written).map_err(|_| Gone)?;
            if bytes == 0 {
                return Poll::Ready(Err(Gone));
            }
            for piece in &mut self.output {
                let taken = bytes.min(piece.len());
                piece.advance(taken);
                bytes -= taken;
                if piece.is_empty() {
                    *piece = Bytes::new();
                }
            }
        }
        if !self.is_flushed {
            ready!(Pin::new(&mut self.stream).poll_flush(cx)).map_err(|_| Gone)?;
            self.is_flushed = true;
        }
        Poll::Ready(Ok(()))
    }

    /// Tells the client that nothing more comes.
    pub(super) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    /// Reads more to find heads and framing in.
    fn poll_input(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        if self.input.capacity() - self.input.len() < READ_BYTES / 2 {
            self.input.reserve(READ_BYTES);
        }
        let Poll::Ready(read) = pin!(self.stream.read_buf(&mut self.input)).poll(cx) else {
            // Who waits holds no room.
            self.input = BytesMut::from(&self.input[..]);
            return Poll::Pending;
        };
        let bytes = read.map_err(|_| Gone)?;
        self.vigil.read(bytes, self.clock.now());
        self.is_closing |= bytes == 0;
        Poll::Ready(if bytes == 0 { Err(Gone) } else { Ok(()) })
    }

    fn take_input(&mut self, bytes: usize) {
        self.input.advance(bytes);
        if self.input.is_empty() {
            self.input = BytesMut::new();
        }
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { input, rest, is_closing, .. } = self;
        write!(f, "Line({} bytes read, {rest:?} to come, closing: {is_closing})", input.len())
    }
}

impl Rest {
    /// How many bytes of content come next.
    fn content(&self) -> u64 {
        match self {
            Self::Sized(bytes) => *bytes,
            Self::Chunked(chunks) => chunks.content(),
        }
    }

    fn is_over(&self) -> bool {
        match self {
            Self::Sized(bytes) => *bytes == 0,
            Self::Chunked(chunks) => chunks.is_over(),
        }
    }

    /// Reads what framing there is at the beginning of `input`.
    fn framing(&mut self, input: &[u8]) -> Result<usize, Fault> {
        match self {
            Self::Sized(_) => Ok(0),
            Self::Chunked(chunks) => chunks.read(input),
        }
    }

    fn take(&mut self, count: usize) {
        match self {
            Self::Sized(bytes) => *bytes -= count as u64,
            Self::Chunked(chunks) => chunks.take(count as u64),
        }
    }
}

#[cfg(test)]
mod tests;
