//! The `resource` processor: changes the attributes of resources.

mod config;
mod processor;

use pipeline::factory::About;
use pipeline::{Factory, Stability};
use wire::Signal;

pub use config::{Config, Settings};

/// How `resource` becomes a processor.
pub const FACTORY: Factory = Factory::processor::<Config>(About {
    name: "resource",
    aliases: &[],
    signals: &Signal::ALL,
    stability: Stability::Beta,
    about: "Changes the attributes of resources.",
});

#[cfg(test)]
mod tests;
