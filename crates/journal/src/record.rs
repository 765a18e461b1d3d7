//! Record: what a frame means.
//!
//! A record of data is its head (stream, position, weight) and a body that is nobody's business here.
//! The others say which data counts no more, and which streams there are.

use std::ops::Range;

use crate::frame::Kind;
use crate::varint;
use crate::{Position, StreamId};

/// Ranges of one outcome record; more are split over several.
pub(crate) const RANGES_MAX: usize = 512;

/// No journal gets that far; a larger number is none that was written.
const POSITION_MAX: u64 = 1 << 62;

/// Likewise.
pub(crate) const STREAM_MAX: u32 = 1 << 31;

/// A record without the body of data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Record<'a> {
    /// A record of a stream.
    Data { stream: StreamId, position: Position, weight: u32 },
    /// The copies in `segment` of these records count no more.
    Forget { stream: StreamId, segment: u32, ranges: Vec<Range<u64>> },
    /// There is a stream of this name, and its positions below `next` are taken.
    Declare { stream: StreamId, next: Position, name: &'a [u8] },
    /// The declaration in `segment` counts no more.
    Undeclare { stream: StreamId, segment: u32 },
}

impl<'a> Record<'a> {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Data { .. } => Kind::Data,
            Self::Forget { .. } => Kind::Forget,
            Self::Declare { .. } => Kind::Declare,
            Self::Undeclare { .. } => Kind::Undeclare,
        }
    }

    pub(crate) fn encoded(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(24);
        match self {
            Self::Data { stream, position, weight } => {
                varint::put(&mut bytes, stream.0.into());
                varint::put(&mut bytes, position.0);
                varint::put(&mut bytes, (*weight).into());
            }
            Self::Forget { stream, segment, ranges } => {
                varint::put(&mut bytes, stream.0.into());
                varint::put(&mut bytes, (*segment).into());
                let mut last = 0;
                for range in ranges {
                    varint::put(&mut bytes, range.start - last);
                    varint::put(&mut bytes, range.end - range.start);
                    last = range.end;
                }
            }
            Self::Declare { stream, next, name } => {
                varint::put(&mut bytes, stream.0.into());
                varint::put(&mut bytes, next.0);
                bytes.extend(*name);
            }
            Self::Undeclare { stream, segment } => {
                varint::put(&mut bytes, stream.0.into());
                varint::put(&mut bytes, (*segment).into());
            }
        }
        bytes
    }

    /// Reads a record of `kind`; `None` when it is none.
    pub(crate) fn decode(kind: Kind, mut bytes: &'a [u8]) -> Option<Self> {
        let stream = StreamId(varint::take_u32(&mut bytes).filter(|id| *id <= STREAM_MAX)?);
        let record = match kind {
            Kind::Data => {
                let position = position(&mut bytes)?;
                Self::Data { stream, position, weight: varint::take_u32(&mut bytes)? }
            }
            Kind::Forget => {
                let segment = varint::take_u32(&mut bytes)?;
                Self::Forget { stream, segment, ranges: ranges(&mut bytes)? }
            }
            Kind::Declare => {
                let next = position(&mut bytes)?;
                Self::Declare { stream, next, name: std::mem::take(&mut bytes) }
            }
            Kind::Undeclare => Self::Undeclare { stream, segment: varint::take_u32(&mut bytes)? },
            Kind::Footer | Kind::Mark => return None,
        };
        bytes.is_empty().then_some(record)
    }
}

fn position(bytes: &mut &[u8]) -> Option<Position> {
    varint::take(bytes).filter(|position| *position <= POSITION_MAX).map(Position)
}

fn ranges(bytes: &mut &[u8]) -> Option<Vec<Range<u64>>> {
    let (mut ranges, mut last) = (Vec::new(), 0u64);
    while !bytes.is_empty() {
        let start = last.checked_add(varint::take(bytes)?)?;
        let end = start.checked_add(varint::take(bytes)?)?;
        ranges.push(start..end);
        last = end;
    }
    Some(ranges)
}

#[cfg(test)]
mod tests;
