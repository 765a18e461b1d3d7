//! The `attributes` processor: changes the attributes of log records, spans and data points.

mod config;
mod processor;

use pipeline::factory::About;
use pipeline::{Factory, Stability};
use wire::Signal;

pub use config::{Config, Settings};

/// How `attributes` becomes a processor.
pub const FACTORY: Factory = Factory::processor::<Config>(About {
    name: "attributes",
    aliases: &[],
    signals: &[Signal::Logs, Signal::Traces, Signal::Metrics],
    stability: Stability::Beta,
    about: "Changes the attributes of log records, spans and data points.",
});

#[cfg(test)]
mod tests;
