//! Reading: takes a body off its connection as it comes.
//!
//! Bounds: the size limit, which a declared size is held against before the first byte; the
//! request's deadline; and a pace, so that a client that trickles does not hold memory for long.

use std::time::{Duration, Instant};

use bytes::Bytes;
use pipeline::{Code, Status};

use super::{Call, Intake, RETRY_AFTER};
use crate::compression::Algorithm;
use crate::http1;
use crate::receivers::otlp::answer::TurnedAway;
use crate::receivers::otlp::receive::{Buffer, Holding};
use crate::receivers::otlp::transport::Body;

/// What a gRPC message is preceded by: whether it is compressed, and its length.
const PREFIX_BYTES: usize = 5;
const NOT_ONE_MESSAGE: &str = "the request does not hold exactly one message";

/// How a body is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::receivers::otlp) enum Framing {
    /// The body is the request.
    Whole,
    /// The body is one length-prefixed gRPC message.
    Message,
}

/// The least that must arrive of an incomplete body.
#[derive(Clone, Copy, Debug)]
pub(in crate::receivers::otlp) struct Pace {
    pub bytes_min: usize,
    pub period: Duration,
}

/// A request as it was read, and how it is compressed.
pub(super) struct Read {
    pub bytes: Bytes,
    pub algorithm: Option<Algorithm>,
}

/// Reads the whole body.
pub(super) async fn read(
    intake: &Intake,
    call: &Call,
    body: &mut Body,
    holding: &Holding,
) -> Result<Read, TurnedAway> {
    let mut size = Size::new(call.framing, intake.limits.bytes_max);
    if let Some(declared) = body.declared() {
        size.declare(declared)?;
    }
    let mut buffer = Buffer::new(holding, size.body_max());
    let now = intake.clock.now();
    let deadline = call.deadline.min(now + intake.limits.reading_max);
    let mut pacing = Pacing::begin(intake.limits.pace, now);
    loop {
        let until = pacing.ends.min(deadline);
        let Ok(came) = intake.clock.by(until, more(body, &mut buffer, &mut size)).await else {
            pacing.renew(until, deadline)?;
            continue;
        };
        let Some(bytes) = came? else { break };
        pacing.bytes += bytes;
        size.look_at(buffer.filled())?;
    }
    unframe(call, buffer.finish())
}

/// Waits for more of a body and buffers it; gives how much came, and nothing at the end.
async fn more(
    body: &mut Body,
    buffer: &mut Buffer<'_>,
    size: &mut Size,
) -> Result<Option<usize>, TurnedAway> {
    if let Body::Single(body) = body {
        return more_in_place(body, buffer, size).await;
    }
    let Some(chunk) = body.chunk().await else { return Ok(None) };
    let chunk = chunk.map_err(cancelled)?;
    if buffer.filled().is_empty() {
        size.look_at(&chunk)?;
    }
    size.check(buffer.filled().len() + chunk.len())?;
    buffer.push(&chunk, size.expected)?;
    Ok(Some(chunk.len()))
}

/// The same, straight from the socket to where the body stays.
async fn more_in_place(
    body: &mut http1::Body,
    buffer: &mut Buffer<'_>,
    size: &Size,
) -> Result<Option<usize>, TurnedAway> {
    let coming = usize::try_from(body.coming().await.map_err(cancelled)?).unwrap_or(usize::MAX);
    if coming == 0 {
        return Ok(None);
    }
    size.check(buffer.filled().len().saturating_add(coming))?;
    let (region, bytes_max) = buffer.room(coming, size.expected)?;
    body.read(region, bytes_max).await.map(Some).map_err(cancelled)
}

/// Takes the prefix off a gRPC message.
fn unframe(call: &Call, bytes: Bytes) -> Result<Read, TurnedAway> {
    if call.framing == Framing::Whole {
        return Ok(Read { bytes, algorithm: call.algorithm });
    }
    let Some((prefix, message)) = bytes.split_first_chunk::<PREFIX_BYTES>() else {
        return Err(internal("the request holds no complete message"));
    };
    if message.len() != message_len(prefix) {
        return Err(internal(NOT_ONE_MESSAGE));
    }
    let algorithm = match (prefix[0], call.algorithm) {
        (0, _) => None,
        (1, Some(algorithm)) => Some(algorithm),
        (1, None) => {
            return Err(internal("a message is compressed, but `grpc-encoding` is not set"));
        }
        _ => return Err(internal("the message has an unknown compression flag")),
    };
    Ok(Read { bytes: bytes.slice(PREFIX_BYTES..), algorithm })
}

fn message_len(prefix: &[u8; PREFIX_BYTES]) -> usize {
    let length = u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]);
    usize::try_from(length).unwrap_or(usize::MAX)
}

/// How large a body may be, and how large it says it is.
struct Size {
    framing: Framing,
    bytes_max: usize,
    expected: Option<usize>,
}

impl Size {
    fn new(framing: Framing, bytes_max: usize) -> Self {
        Self { framing, bytes_max, expected: None }
    }

    /// The most that the body may be, its frame included.
    fn body_max(&self) -> usize {
        match self.framing {
            Framing::Whole => self.bytes_max,
            Framing::Message => self.bytes_max.saturating_add(PREFIX_BYTES),
        }
    }

    /// Holds a size against the limit, and against what was declared.
    fn check(&self, bytes: usize) -> Result<(), TurnedAway> {
        if self.body_max() < bytes {
            return Err(TurnedAway::too_large(self.bytes_max));
        }
        match self.expected {
            Some(expected) if expected < bytes => Err(internal(NOT_ONE_MESSAGE)),
            _ => Ok(()),
        }
    }

    /// The client declared the size of the body.
    fn declare(&mut self, bytes: u64) -> Result<(), TurnedAway> {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        self.check(bytes)?;
        self.expected = Some(bytes);
        Ok(())
    }

    /// What has arrived may declare the size of the rest.
    fn look_at(&mut self, filled: &[u8]) -> Result<(), TurnedAway> {
        if self.framing == Framing::Whole || self.expected.is_some() {
            return Ok(());
        }
        match filled.first_chunk::<PREFIX_BYTES>() {
            Some(prefix) => self.declare(message_len(prefix).saturating_add(PREFIX_BYTES) as u64),
            None => Ok(()),
        }
    }
}

/// Measures the pace of one body.
struct Pacing {
    pace: Pace,
    ends: Instant,
    bytes: usize,
}

impl Pacing {
    fn begin(pace: Pace, now: Instant) -> Self {
        Self { pace, ends: now + pace.period, bytes: 0 }
    }

    /// A period or the request's time is over at `now`.
    fn renew(&mut self, now: Instant, deadline: Instant) -> Result<(), TurnedAway> {
        if deadline <= now || self.bytes < self.pace.bytes_min {
            let message = "the request body came too slowly";
            return Err(TurnedAway::for_now(RETRY_AFTER, message));
        }
        *self = Self::begin(self.pace, now);
        Ok(())
    }
}

/// The client left; nobody hears this answer, unless a proxy in between does.
fn cancelled(lost: http1::Lost) -> TurnedAway {
    TurnedAway::for_now(RETRY_AFTER, lost.to_string())
}

/// What gRPC libraries say about broken framing.
fn internal(message: &str) -> TurnedAway {
    TurnedAway::for_good(Status { http: Some(400), ..Status::new(Code::Internal, message) })
}
