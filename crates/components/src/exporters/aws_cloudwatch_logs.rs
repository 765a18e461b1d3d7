//! The `aws_cloudwatch_logs` exporter: puts log records into log groups and streams.
//!
//! ```text
//! engine ──Attempt (one target)──▶ event: records become events ──▶ batch: sorted, in requests
//!                                                                        │ one after the other
//!   ◀──Reply, per item── answer: what each answer means ◀── service: sign, send ──▶ CloudWatch Logs
//!                                       creation: groups and streams that are missing, once each
//! ```

mod answer;
mod batch;
mod config;
mod creation;
mod event;
mod exporter;
mod names;
mod operation;
mod reply;
mod retention;
mod routing;
mod service;
mod telemetry;
mod template;

use pipeline::factory::About;
use pipeline::{Factory, Stability};
use wire::Signal;

pub use config::Config;

/// How `aws_cloudwatch_logs` becomes an exporter.
pub const FACTORY: Factory = Factory::exporter::<Config>(About {
    name: "aws_cloudwatch_logs",
    aliases: &["awscloudwatchlogs"],
    signals: &[Signal::Logs],
    stability: Stability::Beta,
    about: "Puts log records into log groups and streams of Amazon CloudWatch Logs.",
});

#[cfg(test)]
mod tests;
