//! The product as its users see it: the binary, its files, its signals, its answers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod commands;
mod configurations;
mod durable;
mod files;
mod hostile;
mod journals;
mod life;
mod overload;
mod process;
mod rotation;
mod shipping;
mod telemetry;
mod throttling;
mod tracing;
