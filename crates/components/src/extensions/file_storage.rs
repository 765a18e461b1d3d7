//! The `file_storage` extension: a folder for the journals of queues and positions.

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
    stability: Stability::Beta,
    about: "Keeps queues and positions in journals on disk.",
});

#[cfg(test)]
mod tests;
