//! The `bearertokenauth` extension: tokens, for clients of receivers or for exporters.
//!
//! Owner of the tokens in use: the extension; a task polls their file.

mod config;
mod extension;

use pipeline::factory::About;
use pipeline::{Factory, Stability};

pub use config::{Config, Settings};

/// How `bearertokenauth` becomes an extension.
pub const FACTORY: Factory = Factory::extension::<Config>(About {
    name: "bearertokenauth",
    aliases: &["bearer_token_auth"],
    signals: &[],
    stability: Stability::Beta,
    about: "Checks or adds bearer tokens.",
});

#[cfg(test)]
mod tests;
