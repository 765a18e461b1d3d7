//! Driver: moves the bytes of one connection.
//!
//! Owner: the task of the connection. Bounds: one buffer to read into, given back when nothing comes;
//! [`WRITE_BYTES`] on their way out and a frame, of which the streams' payloads are references.
//! Invariant: when it ends or is dropped, every stream is told.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes, BytesMut};
use runtime::clock::Clock;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use wire::http2::{Limits, Reason};

use super::state::{Accepted, Handle};

/// The room for one read: it follows what comes.
const READ_BYTES_MIN: usize = 8 << 10;
const READ_BYTES_MAX: usize = 256 << 10;
/// What is made ready for writing at a time, and how many pieces one call takes.
const WRITE_BYTES: usize = 512 << 10;
const PIECES_MAX: usize = 64;
/// How long, and how much, is read from a peer that has yet to read why it was sent away: closing at
/// once would take that back.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES_MAX: usize = 1 << 20;

/// Something that a [`Watch`] may want to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    /// The peer sent so many bytes.
    Read(usize),
    /// The peer took some of what was written, or has to take some first.
    Wrote { is_blocked: bool },
    /// So much of heads and bodies is on its way; bodies may wait for the peer to open a window.
    Sent { bytes: usize, is_stuck: bool },
    /// The peer asks for a sign of life.
    Pinged { streams: usize },
    /// The peer took a request back.
    TakenBack,
    /// There are so many requests.
    Streams(usize),
    /// The driver did what a verdict said.
    Done(Verdict),
}

/// What to do with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing, until then at the earliest.
    WaitUntil(Option<Instant>),
    Ping,
    /// Ask the peer to go.
    Close,
    /// End the connection and tell the peer why.
    SendAway(Reason, &'static str),
    Cut(&'static str),
}

/// Decides how long a connection may last.
pub(crate) trait Watch {
    fn note(&mut self, sign: Sign, now: Instant);
    fn ask(&self, now: Instant) -> Verdict;
}

/// How far a connection got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It is closed.
    Over,
    /// The peer takes no more requests, but may answer those that it has.
    Leaving,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Driver<S, W> {
    stream: S,
    handle: Handle,
    clock: Clock,
    watch: W,
    input: BytesMut,
    read_bytes: usize,
    output: VecDeque<Bytes>,
    /// When the driver was last woken.
    now: Instant,
    /// How many requests there were when the watch was told.
    streams: usize,
    is_leaving: bool,
    is_flushed: bool,
    is_gathering: bool,
}

impl<S, W> Driver<S, W>
where
    S: AsyncRead + AsyncWrite + Unpin,
    W: Watch,
{
    /// The end that answers.
    pub(crate) fn server(stream: S, limits: Limits, clock: Clock, watch: W) -> Self {
        // A client that says that it goes may be answered all the same.
        let mut server = Self::new(stream, Handle::server(limits), clock, watch);
        server.is_leaving = true;
        server
    }

    /// The end that asks.
    pub(crate) fn client(stream: S, limits: Limits, clock: Clock, watch: W) -> Self {
        Self::new(stream, Handle::client(limits), clock, watch)
    }

    fn new(stream: S, handle: Handle, clock: Clock, watch: W) -> Self {
        Self {
            stream,
            handle,
            clock,
            watch,
            input: BytesMut::new(),
            read_bytes: READ_BYTES_MIN,
            output: VecDeque::new(),
            now: clock.now(),
            streams: 0,
            is_leaving: false,
            is_flushed: true,
            is_gathering: false,
        }
    }

    /// The way to send requests.
    pub(crate) fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Moves bytes until the connection is over, or no longer of use to a client that did not know;
    /// then it may be run on. What arrives is `accepted`; `drained` asks the peer to go.
    pub(crate) async fn run(
        &mut self,
        mut accepted: impl FnMut(Accepted),
        drained: impl Future,
    ) -> Ended {
        let mut drained = pin!(drained);
        let mut is_drained = false;
        loop {
            let Some(wake_at) = self.obey() else { return Ended::Over };
            let clock = self.clock;
            let moved = poll_fn(|cx| self.poll(cx, wake_at, &mut accepted));
            tokio::select! {
                moved = moved => match moved {
                    Ok(Some(Ended::Over)) => return self.over().await,
                    Ok(Some(Ended::Leaving)) => {
                        self.is_leaving = true;
                        return Ended::Leaving;
                    }
                    Ok(None) => {}
                    Err(error) => {
                        self.end(&error.to_string());
                        return Ended::Over;
                    }
                },
                _ = &mut drained, if !is_drained => {
                    is_drained = true;
                    self.handle.lock().engine.ask_to_go();
                }
                () = sleep_until(clock, wake_at) => {}
            }
        }
    }

    /// Does as the watch says; gives when to ask it again, or nothing when it is enough.
    fn obey(&mut self) -> Option<Option<Instant>> {
        loop {
            self.now = self.clock.now();
            let verdict = self.watch.ask(self.now);
            match verdict {
                Verdict::WaitUntil(until) => return Some(until),
                Verdict::Ping => self.handle.lock().engine.ping(),
                Verdict::Close => self.handle.lock().engine.ask_to_go(),
                Verdict::SendAway(reason, what) => self.handle.lock().engine.fail(reason, what),
                Verdict::Cut(what) => {
                    self.end(what);
                    return None;
                }
            }
            self.watch.note(Sign::Done(verdict), self.now);
        }
    }

    /// Reads and writes as much as there is; nothing if the watch is to be asked sooner.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        wake_at: Option<Instant>,
        accepted: &mut impl FnMut(Accepted),
    ) -> Poll<io::Result<Option<Ended>>> {
        if self.gathers() {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.now = self.clock.now();
        loop {
            let is_written = self.poll_write(cx)?.is_ready();
            let (is_over, is_leaving, is_congested) = self.look(cx);
            if is_over && is_written {
                return Poll::Ready(Ok(Some(Ended::Over)));
            }
            if is_leaving && !self.is_leaving {
                return Poll::Ready(Ok(Some(Ended::Leaving)));
            }
            if is_congested && !is_written || self.poll_read(cx, accepted)?.is_pending() {
                break;
            }
        }
        // The last read may have made something to write, of which the engine has told us.
        let verdict = self.watch.ask(self.now);
        let is_due = match verdict {
            Verdict::WaitUntil(until) => until.is_some_and(|at| wake_at.is_none_or(|by| at < by)),
            _ => true,
        };
        if is_due { Poll::Ready(Ok(None)) } else { Poll::Pending }
    }

    /// Whether to let the tasks of other streams that are ready say what they have to say first: one call
    /// writes it all. Who wakes us is often the first of many that were answered together.
    fn gathers(&mut self) -> bool {
        let state = self.handle.lock();
        let is_first = self.output.is_empty() && state.engine.has_output();
        let has_company = 1 < state.engine.streams();
        drop(state);
        self.is_gathering = !self.is_gathering && is_first && has_company;
        self.is_gathering
    }

    /// Whether the connection is over, of no more use to a client, or its peer slow to take answers.
    fn look(&mut self, cx: &Context<'_>) -> (bool, bool, bool) {
        let mut state = self.handle.lock();
        state.attend(cx);
        let streams = state.engine.streams();
        let engine = &state.engine;
        let looked = (engine.is_over(), !engine.is_taking(), engine.is_congested());
        drop(state);
        if streams != self.streams {
            self.streams = streams;
            self.watch.note(Sign::Streams(streams), self.now);
        }
        looked
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if self.output.is_empty() && !self.refill(cx) {
                break;
            }
            let mut slices = [IoSlice::new(&[]); PIECES_MAX];
            let mut count = 0;
            for (slice, piece) in slices.iter_mut().zip(&self.output) {
                *slice = IoSlice::new(piece);
                count += 1;
            }
            self.is_flushed = false;
            let written = Pin::new(&mut self.stream).poll_write_vectored(cx, &slices[..count]);
            let is_blocked = written.is_pending();
            self.watch.note(Sign::Wrote { is_blocked }, self.now);
            match ready!(written)? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                bytes => self.written(bytes),
            }
        }
        if !self.is_flushed {
            ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
            self.is_flushed = true;
        }
        Poll::Ready(Ok(()))
    }

    /// Takes what is to be written next; whether there is any.
    fn refill(&mut self, cx: &Context<'_>) -> bool {
        let mut state = self.handle.lock();
        state.attend(cx);
        let bytes = state.take_output(WRITE_BYTES, &mut self.output);
        let is_stuck = state.engine.is_stuck();
        drop(state);
        self.watch.note(Sign::Sent { bytes, is_stuck }, self.now);
        !self.output.is_empty()
    }

    fn written(&mut self, mut bytes: usize) {
        while let Some(piece) = self.output.front_mut() {
            if bytes < piece.len() {
                return piece.advance(bytes);
            }
            bytes -= piece.len();
            self.output.pop_front();
        }
        // An idle connection keeps no room for pieces.
        self.output = VecDeque::new();
    }

    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        accepted: &mut impl FnMut(Accepted),
    ) -> Poll<io::Result<()>> {
        if self.input.capacity() - self.input.len() < self.read_bytes / 2 {
            self.input.reserve(self.read_bytes);
        }
        let room = self.input.capacity() - self.input.len();
        let read = pin!(self.stream.read_buf(&mut self.input)).poll(cx);
        let Poll::Ready(bytes) = read else {
            if self.input.is_empty() {
                self.input = BytesMut::new();
            }
            return Poll::Pending;
        };
        let bytes = bytes?;
        if bytes == 0 {
            return Poll::Ready(Err(io::Error::other("the peer closed the connection")));
        }
        self.read_bytes = match bytes {
            full if full == room => (2 * self.read_bytes).min(READ_BYTES_MAX),
            few if few < self.read_bytes / 4 => (self.read_bytes / 2).max(READ_BYTES_MIN),
            _ => self.read_bytes,
        };
        self.take_in(bytes, accepted);
        Poll::Ready(Ok(()))
    }

    fn take_in(&mut self, bytes: usize, accepted: &mut impl FnMut(Accepted)) {
        let (mut requests, mut signs) = (Vec::new(), Vec::new());
        let mut state = self.handle.lock();
        state.receive(&self.handle, &mut self.input, (&mut requests, &mut signs));
        drop(state);
        self.watch.note(Sign::Read(bytes), self.now);
        for sign in signs {
            self.watch.note(sign, self.now);
        }
        requests.into_iter().for_each(accepted);
    }

    /// Says goodbye to a peer that may not have heard why.
    async fn over(&mut self) -> Ended {
        self.end("the connection is closed");
        let until = self.clock.now() + LINGER;
        let goodbye = async {
            self.stream.shutdown().await?;
            let mut left = LINGER_BYTES_MAX;
            self.input.clear();
            self.input.reserve(READ_BYTES_MIN);
            while 0 < left {
                match self.stream.read_buf(&mut self.input).await? {
                    0 => break,
                    bytes => left = left.saturating_sub(bytes),
                }
                self.input.clear();
            }
            io::Result::Ok(())
        };
        // Whether the peer heard it or not, it is over.
        self.clock.by(until, goodbye).await.ok();
        Ended::Over
    }

    fn end(&self, reason: &str) {
        self.handle.lock().end(&Arc::from(reason));
    }
}

impl<S, W> Drop for Driver<S, W> {
    fn drop(&mut self) {
        self.handle.lock().end(&Arc::from("the connection is closed"));
    }
}

async fn sleep_until(clock: Clock, at: Option<Instant>) {
    match at {
        Some(at) => clock.sleep_until(at).await,
        None => std::future::pending().await,
    }
}
