//! The `basicauth` extension: user names and passwords, for clients of receivers or for exporters.

mod config;
mod extension;
mod htpasswd;

use pipeline::factory::About;
use pipeline::{Factory, Stability};

pub use config::{Config, Settings};

/// How `basicauth` becomes an extension.
pub const FACTORY: Factory = Factory::extension::<Config>(About {
    name: "basicauth",
    aliases: &["basic_auth"],
    signals: &[],
    stability: Stability::Beta,
    about: "Checks or adds user names and passwords (HTTP basic authentication).",
});

#[cfg(test)]
mod tests;
