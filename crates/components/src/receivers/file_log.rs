//! The `file_log` receiver: follows files, whatever becomes of their names.
//!
//! ```text
//! folders ─look─▶ listing ─┐                                        ┌─▶ envelope ─▶ pipeline
//! kernel ───────▶ hints ───┼─▶ tailer: tracker ─turn─▶ reader thread ┘        │
//!                          └────────▲───────────────── outcome ◀──────────────┘
//!                                   └─▶ positions, when all before them has ended
//! ```
//!
//! A turn makes tokens of bytes (`encoding`, `split`), entries of tokens (`entry`, changed by
//! `operators`), and a payload of those (`assemble`). Decisions are pure; whatever may block runs on a
//! few threads. Invariant: a file is its own queue; what was not accepted is read again.

pub mod encoding;
pub mod split;

pub mod entry;
pub mod expression;
pub mod operators;
mod pattern;

pub mod assemble;
pub mod content;
pub mod header;

mod glob;
mod identity;
mod ordering;
mod window;

mod file_system;

mod discovery;
mod reading;
mod stream;

mod tracker;

mod offsets;
mod owners;
mod tally;

mod tailer;

mod config;
mod receiver;

use pipeline::factory::About;
use pipeline::{Factory, Stability};
use wire::Signal;

pub use config::{Config, Settings};

/// How `file_log` becomes a receiver.
pub const FACTORY: Factory = Factory::receiver::<Config>(About {
    name: "file_log",
    aliases: &["filelog"],
    signals: &[Signal::Logs],
    stability: Stability::Beta,
    about: "Follows log files through rotation; a position never passes what was not delivered.",
});

#[cfg(test)]
mod tests;
