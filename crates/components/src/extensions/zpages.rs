//! The `zpages` extension: reserved; its keys load and are checked, with a warning.

mod config;
mod extension;

use pipeline::factory::About;
use pipeline::{Factory, Stability};

pub use config::{Config, Settings};

/// How `zpages` becomes an extension.
pub const FACTORY: Factory = Factory::extension::<Config>(About {
    name: "zpages",
    aliases: &[],
    signals: &[],
    stability: Stability::Reserved,
    about: "Reserved: shows traces of the collector on web pages.",
});

#[cfg(test)]
mod tests;
