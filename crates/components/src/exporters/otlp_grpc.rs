//! The `otlp_grpc` exporter: sends payloads over gRPC, as the bytes they are.

mod config;
mod exporter;
mod message;

use pipeline::factory::About;
use pipeline::{Factory, Stability};
use wire::Signal;

pub use config::Config;

/// How `otlp_grpc` becomes an exporter.
pub const FACTORY: Factory = Factory::exporter::<Config>(About {
    name: "otlp_grpc",
    aliases: &["otlp"],
    signals: &Signal::ALL,
    stability: Stability::Beta,
    about: "Sends to an OTLP server over gRPC.",
});

#[cfg(test)]
mod tests;
