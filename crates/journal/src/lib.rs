//! Journal: a durable, segmented log of records. Bytes in, bytes out; what they mean is not known here.
//!
//! A [`Journal`] is one directory with one owner. It holds streams, each an ordered sequence of records
//! that live until they are forgotten; all streams share segments, syncs and the disk budget.
//!
//! ```text
//!             requests   ┌──────────────────────────────┐ write, unlink
//!  Journal ────────────▶ │ journal: Store               │ ───────────────────▶ Volume
//!  (handles) ◀────────── │  group commit, outcomes,     │                        ▲
//!     │       on_done    │  roll, compaction            │ ─▶ journal sync ───────┤ sync
//!     │                  └──────────────────────────────┘ ◀~ a bell at its end   │
//!     │                                                                          │ read
//!     │                        │ Index, one short lock                           │
//!     │ reads            ┌──────────────────────────────┐                        │
//!     └────────────────▶ │ journal read: reads, scrub   │ ───────────────────────┘
//!        ◀────────────── └──────────────────────────────┘
//!             on_done          watched by `journal watch`, which reports a disk that hangs or is full
//! ```
//!
//! Layers, lowest first, each tested alone: [`mod@frame`], [`mod@record`], [`mod@segment`],
//! [`mod@index`], [`mod@store`] (one directory), [`mod@journal`] (threads).

mod varint;

mod frame;
mod record;
mod segment;

mod index;
mod positions;

mod recovery;
mod store;

mod error;
mod journal;
mod reader;
mod scrub;
pub mod settings;

pub mod inspect;
pub mod repair;

use std::fmt;

pub use error::{AppendError, ReadError, StreamError};
pub use journal::{
    Hang, Journal, Opened, Recovered, ToldOfTrouble, Trouble, Usage, open, open_watched,
};
pub use reader::{Limits, Read, Stored};
pub use recovery::{Missing, OpenError, Report};
pub use settings::Settings;

/// A stream of one journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u32);

/// The place of a record in its stream: dense, increasing, never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(pub u64);

/// A record that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    pub stream: StreamId,
    pub position: Position,
    pub segment: u32,
    pub offset: u32,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stream, position, segment, offset } = self;
        let file = segment::name_of(*segment);
        write!(f, "record {} of stream {} is damaged, {file} at {offset}", position.0, stream.0)
    }
}
