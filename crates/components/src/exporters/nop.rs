//! The `nop` exporter: takes everything, keeps nothing.

mod config;
mod exporter;

use pipeline::factory::About;
use pipeline::{Factory, Stability};
use wire::Signal;

pub use config::Config;

/// How `nop` becomes an exporter.
pub const FACTORY: Factory = Factory::exporter::<Config>(About {
    name: "nop",
    aliases: &[],
    signals: &Signal::ALL,
    stability: Stability::Stable,
    about: "Answers everything as delivered and discards it.",
});

#[cfg(test)]
mod tests;
