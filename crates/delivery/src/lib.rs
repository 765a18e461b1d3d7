//! The road out, written once: queue, batches, lanes, retries, workers, timeouts.
//!
//! An exporter is a [`Destination`]; everything around it is here.

pub mod config;
pub mod destination;
mod engine;
mod road;
pub mod settings;

pub use destination::{Attempt, Destination, Reply};
pub use road::{start, start_relay};
pub use settings::Settings;
