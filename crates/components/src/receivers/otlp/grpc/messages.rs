//! Messages of health and reflection calls, one at a time.
//!
//! Bounds: the size of a message and the wait for it.

use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use pipeline::{Code, Status};
use runtime::clock::Clock;
use wire::descriptor::REQUEST_BYTES_MAX;

use super::TurnedAway;
use crate::receivers::otlp::transport::Body;

const PREFIX_BYTES: usize = 5;
/// A stream that asks nothing for so long is ended.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// The messages of one call.
#[derive(Debug)]
pub(super) struct Messages {
    body: Body,
    clock: Clock,
    buffer: BytesMut,
}

impl Messages {
    pub(super) fn new(body: Body, clock: Clock) -> Self {
        Self { body, clock, buffer: BytesMut::new() }
    }

    /// Waits for the next message; `None` at the end.
    pub(super) async fn next(&mut self) -> Option<Result<Bytes, TurnedAway>> {
        let until = self.clock.now() + WAIT_MAX;
        loop {
            match self.take() {
                Ok(None) => {}
                Ok(Some(message)) => return Some(Ok(message)),
                Err(turned_away) => return Some(Err(turned_away)),
            }
            match self.clock.by(until, self.body.chunk()).await {
                Ok(Some(Ok(chunk))) => self.buffer.extend_from_slice(&chunk),
                Ok(None) if self.buffer.is_empty() => return None,
                Ok(_) => return Some(Err(broken("the stream ended within a message"))),
                Err(_) => {
                    let status = Status::new(Code::Cancelled, "the stream was not used");
                    return Some(Err(TurnedAway::for_good(status)));
                }
            }
        }
    }

    /// The next message, if all of it is here.
    fn take(&mut self) -> Result<Option<Bytes>, TurnedAway> {
        let Some([flag, length @ ..]) = self.buffer.first_chunk::<PREFIX_BYTES>().copied() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(length) as usize;
        if REQUEST_BYTES_MAX < length {
            return Err(TurnedAway::too_large(REQUEST_BYTES_MAX));
        }
        if flag != 0 {
            return Err(broken("compressed messages are not taken by this method"));
        }
        if self.buffer.len() < PREFIX_BYTES + length {
            return Ok(None);
        }
        self.buffer.advance(PREFIX_BYTES);
        Ok(Some(self.buffer.split_to(length).freeze()))
    }
}

fn broken(message: &str) -> TurnedAway {
    TurnedAway::for_good(Status::new(Code::Internal, message))
}
