//! The `batch` processor: merges requests into larger ones, on the shared delivery engine.
//!
//! Every caller keeps its own answer: batches carry the table of their contributors downstream.

mod config;
mod processor;

use pipeline::factory::About;
use pipeline::{Factory, Stability};
use wire::Signal;

pub use config::Config;

/// How `batch` becomes a processor.
pub const FACTORY: Factory = Factory::processor::<Config>(About {
    name: "batch",
    aliases: &[],
    signals: &Signal::ALL,
    stability: Stability::Beta,
    about: "Merges requests into larger ones; callers wait for the answer to their own data.",
});

#[cfg(test)]
mod tests;
