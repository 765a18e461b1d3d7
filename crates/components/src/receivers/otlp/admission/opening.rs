//! Opening: makes a checked payload of a body; all that costs CPU on the way in.
//!
//! Pure but for the permit that it grows and shrinks. Cost: inflating about 1 GB/s, JSON about
//! 0.1 GB/s, checking about 2 GB/s.

use std::time::Duration;

use bytes::Bytes;
use runtime::budget::Permit;
use wire::{Format, Payload, Signal, json};

use crate::compression::{self, Algorithm, Flaw, Room};
use crate::receivers::otlp::answer::TurnedAway;

/// What takes about a millisecond.
const CHECKED_BYTES: usize = 1 << 20;
const INFLATED_BYTES: usize = 512 << 10;
const JSON_BYTES: usize = 128 << 10;
/// A body so small is inflated at once, whatever it does not say about its size.
const SMALL_BYTES: usize = 4 << 10;
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A body as it came over the wire.
#[derive(Clone, Debug)]
pub(in crate::receivers::otlp) struct Wire {
    pub bytes: Bytes,
    pub algorithm: Option<Algorithm>,
    pub format: Format,
    pub signal: Signal,
}

/// A body and the memory for what is in it.
#[derive(Debug)]
pub(super) struct Opening {
    pub wire: Wire,
    pub declared: Option<usize>,
    pub bytes_max: usize,
    pub permit: Permit,
}

/// Why a body was not opened.
#[derive(Debug)]
pub(super) enum Flawed {
    /// It is larger than its permit, which could not grow.
    NoRoom,
    TurnedAway(TurnedAway),
}

impl Opening {
    /// Whether it takes more than about a millisecond.
    pub(super) fn is_long(&self) -> bool {
        let len = self.wire.bytes.len();
        let inflated = match self.declared {
            Some(declared) => declared.min(self.bytes_max),
            None if len <= SMALL_BYTES => len,
            None => self.bytes_max,
        };
        let bytes_max = match (self.wire.format, self.wire.algorithm) {
            (Format::Json, _) => JSON_BYTES,
            (Format::Protobuf, Some(_)) => INFLATED_BYTES,
            (Format::Protobuf, None) => CHECKED_BYTES,
        };
        bytes_max < inflated
    }

    /// Inflates, translates and checks the body.
    pub(super) fn open(self) -> Result<(Payload, Permit), Flawed> {
        let Self { wire, bytes_max, mut permit, .. } = self;
        let plain = match wire.algorithm {
            Some(algorithm) => inflate(algorithm, &wire.bytes, bytes_max, &mut permit)?,
            None => wire.bytes,
        };
        let encoded = match wire.format {
            Format::Protobuf => plain,
            Format::Json => translate(wire.signal, &plain, &mut permit)?,
        };
        permit.shrink_to(encoded.len());
        let payload = Payload::parse(wire.signal, encoded);
        payload.map(|payload| (payload, permit)).map_err(|flaw| Flawed::invalid(flaw.to_string()))
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

impl From<Flaw> for Flawed {
    fn from(flaw: Flaw) -> Self {
        match flaw {
            Flaw::NoRoom => Self::NoRoom,
            Flaw::TooLarge { bytes_max } => Self::TurnedAway(TurnedAway::too_large(bytes_max)),
            Flaw::Corrupt(_) => Self::invalid(flaw.to_string()),
        }
    }
}

fn inflate(
    algorithm: Algorithm,
    compressed: &[u8],
    bytes_max: usize,
    permit: &mut Permit,
) -> Result<Bytes, Flawed> {
    Ok(compression::inflate(algorithm, compressed, bytes_max, &mut Growing(permit))?)
}

/// Makes protobuf of JSON. The text is let go of soon after, so the permit only has to cover the
/// larger of both.
fn translate(signal: Signal, text: &[u8], permit: &mut Permit) -> Result<Bytes, Flawed> {
    let encoded = json::to_protobuf(signal, text);
    let mut encoded = encoded.map_err(|error| Flawed::invalid(error.to_string()))?;
    encoded.shrink_to_fit();
    let message = "there is no memory for the request in protobuf now";
    let grown = Growing(permit).grow(encoded.len());
    grown.map_err(|_| Flawed::busy(message.to_owned()))?;
    Ok(encoded.into())
}

/// A permit that tries for what it is asked to hold.
struct Growing<'a>(&'a mut Permit);

impl Room for Growing<'_> {
    fn grow(&mut self, bytes: usize) -> Result<(), Flaw> {
        let more = bytes.saturating_sub(self.0.bytes());
        if more == 0 || self.0.try_grow(more) { Ok(()) } else { Err(Flaw::NoRoom) }
    }
}

#[cfg(test)]
mod tests;
