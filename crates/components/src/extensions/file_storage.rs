//! The `file_storage` extension: reserved; its keys load and are checked, with a warning.

mod config;
mod extension;

use pipeline::factory::About;
use pipeline::{Factory, Stability};

pub use config::{Config, Settings};

/// How `file_storage` becomes an extension.
pub const FACTORY: Factory = Factory::extension::<Config>(About {
    name: "file_storage",
    aliases: &[],
    signals: &[],
    stability: Stability::Reserved,
    about: "Reserved: keeps queues and positions on disk.",
});

#[cfg(test)]
mod tests;
