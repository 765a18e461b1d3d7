//! The `pprof` extension: reserved; its keys load and are checked, with a warning.

mod config;
mod extension;

use pipeline::factory::About;
use pipeline::{Factory, Stability};

pub use config::{Config, Settings};

/// How `pprof` becomes an extension.
pub const FACTORY: Factory = Factory::extension::<Config>(About {
    name: "pprof",
    aliases: &[],
    signals: &[],
    stability: Stability::Reserved,
    about: "Reserved: serves profiles of the collector.",
});

#[cfg(test)]
mod tests;
