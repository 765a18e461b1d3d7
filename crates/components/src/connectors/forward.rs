//! The `forward` connector: joins pipelines of the same signal.

mod config;
mod connector;

use pipeline::factory::About;
use pipeline::{Factory, Stability};
use wire::Signal;

pub use config::Config;

/// How `forward` becomes a connector.
pub const FACTORY: Factory = Factory::connector::<Config>(About {
    name: "forward",
    aliases: &[],
    signals: &Signal::ALL,
    stability: Stability::Stable,
    about: "Hands everything over to the pipelines that receive from it.",
});

#[cfg(test)]
mod tests;
