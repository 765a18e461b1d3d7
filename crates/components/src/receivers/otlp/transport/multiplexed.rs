//! HTTP/2 connections: each request is answered by a task of its own.
//!
//! A client that takes its request back drops the future that handles it.
//! Bounds: requests, heads and windows by [`limits`]; time and pings by the [`Sentry`].

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::header::{CONTENT_LENGTH, DATE};
use http::{HeaderMap, HeaderValue, response};
use runtime::clock::Clock;
use tokio::io::{AsyncRead, AsyncWrite};

use super::body::{Body, Content, Frames};
use super::pings::Pings;
use super::{Caller, Handler, Request, Settings, Transport};
use crate::http2::{
    Accepted, Driver, Feeling, Keepalive, Limits, Outflow, Pulse, Reason, Sign, Verdict, Watch,
};
use crate::vigil::{self, Vigil};

/// The client's connection preface and the frame header of its settings.
const PREFACE_BYTES: u64 = 24 + 9;
/// What one stream, and all streams of a connection, may send before it was read. Bodies are read
/// as they come, whatever they wait for later, so this only covers the way.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 1 << 20;
/// Clients that heed it save frames; most send 16 KiB whatever is allowed.
const FRAME_BYTES_MAX: u32 = 256 << 10;

impl Transport {
    /// Serves one HTTP/2 connection until it ends.
    pub(super) async fn serve_http2<S, H>(&self, stream: S, caller: Caller, handler: Arc<H>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        H: Handler,
    {
        let Caller { peer, connection, .. } = caller;
        let sentry = Sentry::new(&self.settings, self.clock.now());
        let mut driver = Driver::server(stream, limits(&self.settings), self.clock, sentry);
        let accept = |accepted: Accepted| {
            let Accepted { head, body, reply } = accepted;
            let body = Body::multiplexed(body, &head.headers);
            let (peer, connection) = (Arc::clone(&peer), Arc::clone(&connection));
            let request = Request { head, body, peer, connection };
            let (handler, clock) = (Arc::clone(&handler), self.clock);
            let answered = async move { answer(&*handler, request, reply, clock).await };
            self.scope.spawn("stream", answered).detach();
        };
        driver.run(accept, self.drain.begun()).await;
    }
}

fn limits(settings: &Settings) -> Limits {
    Limits {
        streams_max: settings.streams_max,
        header_bytes_max: settings.header_bytes_max,
        frame_bytes_max: FRAME_BYTES_MAX,
        stream_window: STREAM_WINDOW_BYTES,
        connection_window: CONNECTION_WINDOW_BYTES,
    }
}

/// Answers one request, unless its client takes it back.
async fn answer<H: Handler>(handler: &H, request: Request, reply: Outflow, clock: Clock) {
    let response = tokio::select! {
        response = handler.handle(request) => response,
        () = reply.abandoned() => return,
    };
    let (mut head, body) = response.into_parts();
    let (body, trailers) = match body.into_parts() {
        (Content::Stream(frames), _) => return answer_piecemeal(reply, head, frames).await,
        (Content::Whole(body), trailers) => (body, trailers),
        (Content::Nothing, trailers) => (Bytes::new(), trailers),
    };
    if trailers.is_none() {
        complete(&mut head.headers, body.len(), clock);
    }
    reply.reply(&head, body, trailers);
}

/// Adds what HTTP wants to know of an answer; those of gRPC have trailers instead.
fn complete(headers: &mut HeaderMap, bytes: usize, clock: Clock) {
    let date = HeaderValue::try_from(httpdate::fmt_http_date(clock.wall()));
    headers.entry(DATE).or_insert(date.expect("a date is visible text"));
    headers.entry(CONTENT_LENGTH).or_insert(HeaderValue::from(bytes));
}

async fn answer_piecemeal(reply: Outflow, head: response::Parts, mut frames: Frames) {
    reply.begin(&head);
    loop {
        let frame = tokio::select! {
            frame = frames.next() => frame,
            () = reply.abandoned() => return,
        };
        match frame.map(http_body::Frame::into_data) {
            Some(Ok(piece)) => reply.send(piece).await,
            Some(Err(frame)) => return reply.finish(frame.into_trailers().ok()),
            None => return reply.finish(None),
        }
    }
}

/// Watches one connection.
#[derive(Debug)]
struct Sentry {
    vigil: Vigil,
    pings: Option<Pings>,
    pulse: Pulse,
}

impl Sentry {
    fn new(settings: &Settings, now: Instant) -> Self {
        let keepalive = settings.ping.map(|(interval, timeout)| Keepalive {
            interval,
            timeout,
            while_idle: true,
        });
        Self {
            vigil: Vigil::new(settings.patience, Some(PREFACE_BYTES), now),
            pings: settings.ping_policy.map(Pings::new),
            pulse: Pulse::new(keepalive, now),
        }
    }
}

impl Watch for Sentry {
    fn note(&mut self, sign: Sign, now: Instant) {
        match sign {
            Sign::Read(bytes) => {
                self.vigil.read(bytes, now);
                self.pulse.heard(now);
            }
            Sign::Wrote { is_blocked } => self.vigil.wrote(is_blocked, now),
            Sign::Sent { bytes, is_stuck } => {
                self.vigil.sent(bytes, is_stuck, now);
                if let (Some(pings), 1..) = (&mut self.pings, bytes) {
                    pings.answered();
                }
            }
            Sign::Pinged { streams } => {
                self.pings.iter_mut().for_each(|pings| pings.pinged(streams, now));
            }
            Sign::TakenBack => self.vigil.request_was_reset(now),
            Sign::Streams(count) => {
                self.vigil.requests_are(count, now);
                self.pulse.is_idle(count == 0, now);
            }
            Sign::Done(Verdict::Ping) => self.pulse.pinged(now),
            Sign::Done(_) => {
                self.pings = None;
                self.vigil.closing(now);
            }
        }
    }

    fn ask(&self, now: Instant) -> Verdict {
        if self.pings.as_ref().is_some_and(Pings::are_too_many) {
            // In the words that gRPC clients know: they ping less often from then on.
            return Verdict::SendAway(Reason::ENHANCE_YOUR_CALM, "too_many_pings");
        }
        let patient_until = match self.vigil.ask(now) {
            vigil::Verdict::Cut => return Verdict::Cut("the client used up the server's patience"),
            vigil::Verdict::Close => return Verdict::Close,
            vigil::Verdict::WaitUntil(at) => at,
        };
        match self.pulse.ask(now) {
            Feeling::Dead => Verdict::Cut("the client does not answer pings"),
            Feeling::Ping => Verdict::Ping,
            Feeling::Well(until) => {
                Verdict::WaitUntil(Some(until.map_or(patient_until, |at| at.min(patient_until))))
            }
        }
    }
}
