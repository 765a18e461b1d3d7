//! The `filter` processor: drops what conditions name.

mod condition;
mod config;
mod legacy;
mod narrow;
mod processor;
mod rules;

use pipeline::factory::About;
use pipeline::{Factory, Stability};
use wire::Signal;

pub use config::{Config, Settings};

/// How `filter` becomes a processor.
pub const FACTORY: Factory = Factory::processor::<Config>(About {
    name: "filter",
    aliases: &[],
    signals: &Signal::ALL,
    stability: Stability::Alpha,
    about: "Drops log records, spans, span events, metrics, data points and profiles.",
});

#[cfg(test)]
mod tests;
