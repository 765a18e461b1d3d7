//! The `debug` exporter: writes what passes through to the console.
//!
//! Owner of the output: one thread for each exporter, so that a slow terminal blocks nothing else.
//! Bounds: `QUEUE_MAX` requests wait for the thread; more are asked to come back.
//! A request is answered after its text was written.

mod config;
mod detailed;
mod exporter;
mod sampler;
mod text;

use pipeline::factory::About;
use pipeline::{Factory, Stability};
use wire::Signal;

pub use config::{Config, Settings, Verbosity};

/// How `debug` becomes an exporter.
pub const FACTORY: Factory = Factory::exporter::<Config>(About {
    name: "debug",
    aliases: &[],
    signals: &Signal::ALL,
    stability: Stability::Stable,
    about: "Writes telemetry to the console.",
});

#[cfg(test)]
mod tests;
