//! Opening: makes a checked payload of a body; all that costs CPU on the way in.
//!
//! Pure but for the permit that it shrinks. Bounds: no buffer outgrows its room. Cost: inflating
//! about 1 GB/s, JSON about 0.1 GB/s, checking about 2 GB/s.

use std::time::Duration;

use bytes::Bytes;
use runtime::budget::Permit;
use wire::{Format, Payload, Signal, json};

use crate::compression::{Algorithm, Flaw, inflate};
use crate::receivers::otlp::answer::TurnedAway;

/// What takes about a millisecond.
const CHECKED_BYTES: usize = 1 << 20;
const INFLATED_BYTES: usize = 512 << 10;
const JSON_BYTES: usize = 128 << 10;
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A body as it came over the wire.
#[derive(Clone, Debug)]
pub(in crate::receivers::otlp) struct Wire {
    pub bytes: Bytes,
    pub algorithm: Option<Algorithm>,
    pub format: Format,
    pub signal: Signal,
}

impl Wire {
    /// How many buffers as large as its content live together while it is opened, beside the one
    /// that it came in.
    pub(super) fn buffers(&self) -> usize {
        match (self.algorithm, self.format) {
            (Some(_), Format::Json) => 2,
            _ => 1,
        }
    }
}

/// A body and the memory for what is in it.
#[derive(Debug)]
pub(super) struct Opening {
    pub wire: Wire,
    /// What one buffer may hold, and what it could be given at most.
    pub room: usize,
    pub most: usize,
    /// All buffers together.
    pub permit: Permit,
}

/// What came of opening a body.
#[derive(Debug)]
pub(super) enum Opened {
    Whole(Payload, Permit),
    /// It is larger than its room.
    Longer(Opening),
}

/// Why a body was not opened.
#[derive(Debug)]
pub(super) enum Flawed {
    /// It is larger than its room, and there is no more memory now.
    NoRoom,
    TurnedAway(TurnedAway),
}

impl Opening {
    /// Whether it takes more than about a millisecond.
    pub(super) fn is_long(&self) -> bool {
        let bytes_max = match (self.wire.format, self.wire.algorithm) {
            (Format::Json, _) => JSON_BYTES,
            (Format::Protobuf, Some(_)) => INFLATED_BYTES,
            (Format::Protobuf, None) => CHECKED_BYTES,
        };
        bytes_max < self.room
    }

    /// Inflates, translates and checks the body.
    pub(super) fn open(mut self) -> Result<Opened, Flawed> {
        let Some(encoded) = self.wire.encoded(self.room)? else { return Ok(Opened::Longer(self)) };
        self.permit.shrink_to(encoded.len());
        let payload = Payload::parse(self.wire.signal, encoded);
        let payload = payload.map_err(|flaw| Flawed::invalid(flaw.to_string()))?;
        Ok(Opened::Whole(payload, self.permit))
    }

    /// The same with all the room that it may have, if that is free now.
    pub(super) fn enlarged(mut self) -> Result<Self, Flawed> {
        if self.most <= self.room {
            return Err(Flawed::TurnedAway(TurnedAway::too_large(self.most)));
        }
        self.room = self.most;
        let bytes = self.room * self.wire.buffers();
        let is_enlarged = self.permit.try_grow(bytes.saturating_sub(self.permit.bytes()));
        if is_enlarged { Ok(self) } else { Err(Flawed::NoRoom) }
    }
}

impl Wire {
    /// The request in protobuf; `None` if a buffer of `room` is too small.
    fn encoded(&self, room: usize) -> Result<Option<Bytes>, Flawed> {
        let plain = match self.algorithm.map(|name| inflate(name, &self.bytes, room)) {
            None => self.bytes.clone(),
            Some(Ok(inflated)) => inflated,
            Some(Err(Flaw::Longer { .. })) => return Ok(None),
            Some(Err(flaw @ Flaw::Corrupt(_))) => return Err(Flawed::invalid(flaw.to_string())),
        };
        match self.format {
            Format::Protobuf => Ok(Some(plain)),
            Format::Json => {
                let encoded = json::to_protobuf_within(self.signal, &plain, room);
                let encoded = encoded.map_err(|error| Flawed::invalid(error.to_string()))?;
                Ok(encoded.map(Bytes::from))
            }
        }
    }
}

impl Flawed {
    fn invalid(message: String) -> Self {
        Self::TurnedAway(TurnedAway::invalid(message))
    }

    pub(super) fn busy(message: String) -> Self {
        Self::TurnedAway(TurnedAway::for_now(RETRY_AFTER, message))
    }
}

#[cfg(test)]
mod tests;
