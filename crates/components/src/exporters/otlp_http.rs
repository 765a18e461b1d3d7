//! The `otlp_http` exporter: sends payloads over HTTP, as the bytes they are, or as JSON.

mod config;
mod cookies;
mod exporter;
mod reply;
mod target;

use pipeline::factory::About;
use pipeline::{Factory, Stability};
use wire::Signal;

pub use config::Config;

/// How `otlp_http` becomes an exporter.
pub const FACTORY: Factory = Factory::exporter::<Config>(About {
    name: "otlp_http",
    aliases: &["otlphttp"],
    signals: &Signal::ALL,
    stability: Stability::Beta,
    about: "Sends to an OTLP server over HTTP, as protobuf or JSON.",
});

#[cfg(test)]
mod tests;
