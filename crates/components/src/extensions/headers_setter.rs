//! The `headers_setter` extension: copies what a client sent into the requests of exporters.

mod config;
mod extension;

use pipeline::factory::About;
use pipeline::{Factory, Stability};

pub use config::{Config, Settings};

/// How `headers_setter` becomes an extension.
pub const FACTORY: Factory = Factory::extension::<Config>(About {
    name: "headers_setter",
    aliases: &[],
    signals: &[],
    stability: Stability::Beta,
    about: "Adds headers to the requests of exporters, from values or from the client's metadata.",
});

#[cfg(test)]
mod tests;
