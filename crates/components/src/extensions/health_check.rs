//! The `health_check` extension: tells over HTTP whether the collector is ready.
//!
//! Owner of the connections: one task, which ends with the extension.
//! Bounds: `CONNECTIONS_MAX` connections, each with `HEADER_TIMEOUT` for a request.

mod config;
mod extension;
mod page;

use pipeline::factory::About;
use pipeline::{Factory, Stability};

pub use config::{Config, Settings};

/// How `health_check` becomes an extension.
pub const FACTORY: Factory = Factory::extension::<Config>(About {
    name: "health_check",
    aliases: &["healthcheck"],
    signals: &[],
    stability: Stability::Beta,
    about: "Answers 200 while the collector takes data, else 503.",
});

#[cfg(test)]
mod tests;
