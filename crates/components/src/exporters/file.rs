//! The `file` exporter: appends telemetry to a file, as JSON lines or framed protobuf.
//!
//! ```text
//! send ──request──▶ pending ──all at once──▶ thread: write, fdatasync ──answer──▶ send
//! ```
//!
//! Owner of the file: one thread for each exporter; requests that arrive while it writes are
//! committed together by its next turn.
//! Invariant: what was answered as delivered is in the file; what was not leaves no torn line.

mod config;
mod exporter;
mod groups;
mod output;
mod outputs;
mod record;
mod rotation;

use pipeline::factory::About;
use pipeline::{Factory, Stability};
use wire::Signal;

pub use config::{Config, Settings};

/// How `file` becomes an exporter.
pub const FACTORY: Factory = Factory::exporter::<Config>(About {
    name: "file",
    aliases: &[],
    signals: &Signal::ALL,
    stability: Stability::Beta,
    about: "Appends telemetry to a file, as JSON lines or framed protobuf.",
});

#[cfg(test)]
mod tests;
