//! Connection: one request after the other, each answered in place.
//!
//! A client that leaves drops the future of its answer. Bounds: heads by [`Settings`], time by the vigil;
//! a body that is not wanted is read for [`DISCARD_TIME`], then the connection ends.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use http::{Method, Response, StatusCode, Version, header, request, response};
use httpdate::HttpDate;
use runtime::clock::Clock;
use tokio::io::{AsyncRead, AsyncWrite};
use wire::http1::{
    CHUNKS_END, Fault, Framing, Head, Heads, Length, Opening, Persistence, chunk_head,
};

use super::body::Body;
use super::line::{Gone, Line, NoHead, Shared};
use crate::vigil::{Patience, Verdict, Vigil};

/// How long a client that sends before it reads is listened to, so that it can still hear the answer.
const DISCARD_TIME: Duration = Duration::from_secs(5);
/// Content shorter than this is copied behind its head: a piece of its own costs more.
const SMALL_BYTES: usize = 512;

/// The longest head that pages take.
const HEADER_BYTES_MAX: usize = 16 << 10;

/// How a connection is served.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub header_bytes_max: usize,
    pub patience: Patience,
    /// Whether it may carry more than one request.
    pub is_kept_alive: bool,
}

impl Settings {
    /// Those of small pages: clients have `patience` for each step.
    #[must_use]
    pub const fn brief(patience: Duration) -> Self {
        let (head, idle, write, grace) = (patience, patience, patience, patience);
        let patience = Patience { head, idle, write, age: None, grace };
        Self { header_bytes_max: HEADER_BYTES_MAX, patience, is_kept_alive: true }
    }
}

/// What an answer holds.
pub enum Content {
    Whole(Bytes),
    /// Pieces as they come.
    Stream(BoxStream<'static, Bytes>),
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Self::Whole(text.into())
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Stream(_) => f.write_str("pieces"),
        }
    }
}

/// What a request asks of its answer.
#[derive(Clone, Copy, Debug)]
struct Manner {
    is_old: bool,
    is_head: bool,
    is_persistent: bool,
}

/// Serves one connection until it ends. `answer` gives nothing to hang up; when `drained` resolves, no
/// further request is taken.
pub async fn serve<S, A, F>(
    stream: S,
    settings: Settings,
    clock: Clock,
    drained: impl Future,
    answer: A,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    A: FnMut(request::Parts, Body) -> F,
    F: Future<Output = Option<Response<Content>>>,
{
    let vigil = Vigil::new(settings.patience, None, clock.now());
    let heads = Heads::new(settings.header_bytes_max);
    let line = Shared::new(Line::new(Box::new(stream), heads, vigil, clock));
    let connection =
        Connection { line: line.clone(), clock, is_kept_alive: settings.is_kept_alive };
    let mut served = pin!(connection.converse(answer));
    let mut drained = pin!(drained);
    let mut is_drained = false;
    loop {
        let verdict = line.lock().ask();
        let wake_at = match verdict {
            Verdict::Cut => return,
            Verdict::Close => {
                line.lock().expire();
                continue;
            }
            Verdict::WaitUntil(at) => at,
        };
        let progress = poll_fn(|cx| match served.as_mut().poll(cx) {
            Poll::Ready(_) => Poll::Ready(true),
            Poll::Pending if is_sooner(line.lock().ask(), wake_at) => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        });
        // In this order: what is there already is in time, however late it is looked at.
        tokio::select! {
            biased;
            is_over = progress => if is_over { return },
            _ = &mut drained, if !is_drained => {
                is_drained = true;
                line.lock().close();
            }
            () = clock.sleep_until(wake_at) => {}
        }
    }
}

/// Whether what happened while the connection was driven has brought its next check closer.
fn is_sooner(verdict: Verdict, than: Instant) -> bool {
    match verdict {
        Verdict::WaitUntil(at) => at < than,
        Verdict::Close | Verdict::Cut => true,
    }
}

/// The conversation with one client.
struct Connection {
    line: Shared,
    clock: Clock,
    is_kept_alive: bool,
}

impl Connection {
    async fn converse<A, F>(self, mut answer: A) -> Result<(), Gone>
    where
        A: FnMut(request::Parts, Body) -> F,
        F: Future<Output = Option<Response<Content>>>,
    {
        loop {
            let head = poll_fn(|cx| self.line.lock().poll_head(cx)).await;
            let is_kept = match head {
                Ok(head) => self.exchange(head, &mut answer).await?,
                Err(NoHead::Gone) => return Err(Gone),
                Err(NoHead::Closing) => false,
                Err(NoHead::Faulty(fault)) => {
                    self.refuse(fault).await?;
                    false
                }
            };
            if !is_kept {
                return self.part().await;
            }
        }
    }

    /// Answers one request; whether another may follow.
    async fn exchange<A, F>(&self, head: Head, answer: &mut A) -> Result<bool, Gone>
    where
        A: FnMut(request::Parts, Body) -> F,
        F: Future<Output = Option<Response<Content>>>,
    {
        let Head { parts, body, is_persistent, .. } = head;
        let manner = Manner {
            is_old: parts.version == Version::HTTP_10,
            is_head: parts.method == Method::HEAD,
            is_persistent,
        };
        let declared = match body {
            Framing::Sized(bytes) => Some(bytes),
            Framing::Chunked => None,
        };
        // In a box, so that a connection between two requests has no room for it.
        let answered = Box::pin(answer(parts, Body::new(self.line.clone(), declared)));
        let answered = self.unless_gone(answered).await?;
        let fault = self.line.lock().fault();
        let is_kept = match (fault, answered) {
            (Some(fault), _) => {
                self.refuse(fault).await?;
                false
            }
            (None, Some(response)) => self.reply(response, manner).await?,
            (None, None) => return Err(Gone),
        };
        if is_kept {
            self.discard().await?;
            self.line.lock().end();
        }
        Ok(is_kept)
    }

    /// Waits for `future`, unless the client leaves before.
    async fn unless_gone<F: Future>(&self, mut future: Pin<Box<F>>) -> Result<F::Output, Gone> {
        poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            Poll::Pending => self.line.lock().poll_gone(cx).map(Err),
        })
        .await
    }

    /// Sends an answer; whether the connection is kept.
    async fn reply(&self, response: Response<Content>, manner: Manner) -> Result<bool, Gone> {
        let (head, content) = response.into_parts();
        let length = length_of(&content, &head, manner);
        let is_kept = self.is_kept(&head, manner) && length != Length::UntilClose;
        let opening = self.opening(&head, length, manner, is_kept);
        match content {
            Content::Whole(body) => {
                let is_told = !manner.is_head && length != Length::Implied;
                self.send(joined(opening, if is_told { body } else { Bytes::new() })).await?;
            }
            Content::Stream(pieces) => {
                self.send(joined(opening, Bytes::new())).await?;
                if !manner.is_head && length != Length::Implied {
                    self.send_pieces(pieces, length == Length::Chunked).await?;
                }
            }
        }
        Ok(is_kept)
    }

    fn is_kept(&self, head: &response::Parts, manner: Manner) -> bool {
        let mut line = self.line.lock();
        let is_wanted = line.give_up_body() && !line.is_closing();
        drop(line);
        let says_close = head.headers.get(header::CONNECTION).is_some_and(|value| value == "close");
        is_wanted && !says_close && self.is_kept_alive && manner.is_persistent
    }

    fn opening(
        &self,
        head: &response::Parts,
        length: Length,
        manner: Manner,
        is_kept: bool,
    ) -> BytesMut {
        let persistence = match is_kept {
            false => Persistence::Closed,
            true if manner.is_old => Persistence::KeptAlive,
            true => Persistence::Kept,
        };
        Opening { head, length, persistence }.encode(HttpDate::from(self.clock.wall()))
    }

    async fn send_pieces(
        &self,
        mut pieces: BoxStream<'static, Bytes>,
        is_chunked: bool,
    ) -> Result<(), Gone> {
        while let Some(piece) = self.unless_gone(Box::pin(pieces.next())).await? {
            if piece.is_empty() {
                continue;
            }
            let (before, after) = match is_chunked {
                true => (chunk_head(piece.len()).into(), Bytes::from_static(b"\r\n")),
                false => (Bytes::new(), Bytes::new()),
            };
            self.send([before, piece, after]).await?;
        }
        let end = if is_chunked { CHUNKS_END } else { b"" };
        self.send([Bytes::new(), Bytes::new(), Bytes::from_static(end)]).await
    }

    /// Tells the client what is wrong with its request. Nothing behind it can be understood.
    async fn refuse(&self, fault: Fault) -> Result<(), Gone> {
        let (mut head, ()) = Response::new(()).into_parts();
        head.status = fault.status();
        let (length, persistence) = (Length::Declared(0), Persistence::Closed);
        let opening = Opening { head: &head, length, persistence };
        let opening = opening.encode(HttpDate::from(self.clock.wall()));
        self.send(joined(opening, Bytes::new())).await
    }

    async fn send(&self, pieces: [Bytes; 3]) -> Result<(), Gone> {
        self.write().await?;
        self.line.lock().put(pieces);
        self.write().await
    }

    /// Writes all that there is, and listens meanwhile: the client may read only when all it has to say
    /// was taken.
    async fn write(&self) -> Result<(), Gone> {
        poll_fn(|cx| {
            let mut line = self.line.lock();
            let written = line.poll_write(cx);
            if written.is_pending() {
                let _is_all = line.poll_discard(cx);
            }
            written
        })
        .await
    }

    /// Reads what is left of a body that nobody wants, unless it is too much.
    async fn discard(&self) -> Result<(), Gone> {
        let until = self.clock.now() + DISCARD_TIME;
        let discarded = poll_fn(|cx| self.line.lock().poll_discard(cx));
        let is_all = self.clock.by(until, discarded).await.unwrap_or(false);
        if is_all { Ok(()) } else { Err(Gone) }
    }

    /// Ends the connection. To close it while the client sends would take back what it has yet to read.
    async fn part(&self) -> Result<(), Gone> {
        let until = self.clock.now() + DISCARD_TIME;
        let goodbye = async {
            poll_fn(|cx| self.line.lock().poll_shutdown(cx)).await.map_err(|_| Gone)?;
            self.line.lock().give_up();
            poll_fn(|cx| self.line.lock().poll_discard(cx)).await;
            Ok(())
        };
        self.clock.by(until, goodbye).await.unwrap_or(Err(Gone))
    }
}

/// A head and content, in as few pieces as is cheap.
fn joined(mut opening: BytesMut, content: Bytes) -> [Bytes; 3] {
    if SMALL_BYTES <= content.len() {
        return [opening.freeze(), content, Bytes::new()];
    }
    opening.extend_from_slice(&content);
    [opening.freeze(), Bytes::new(), Bytes::new()]
}

fn length_of(content: &Content, head: &response::Parts, manner: Manner) -> Length {
    let is_implied = head.status.is_informational()
        || matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    match content {
        _ if is_implied => Length::Implied,
        Content::Whole(body) => Length::Declared(body.len()),
        Content::Stream(_) if manner.is_old => Length::UntilClose,
        Content::Stream(_) => Length::Chunked,
    }
}
