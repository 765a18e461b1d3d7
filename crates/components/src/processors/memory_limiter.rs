//! The `memory_limiter` processor: sets the memory that data may hold, and turns data away early.
//!
//! Unlike a limiter that looks at a heap from time to time, it is exact: all data is charged to one
//! budget when it enters, and the limiter compares that with its soft limit at each hand-over.

mod config;
mod processor;

use pipeline::factory::About;
use pipeline::{Factory, Stability};
use wire::Signal;

pub use config::{Config, Limit, Limits, Settings};

/// How `memory_limiter` becomes a processor.
pub const FACTORY: Factory = Factory::processor::<Config>(About {
    name: "memory_limiter",
    aliases: &[],
    signals: &Signal::ALL,
    stability: Stability::Stable,
    about: "Limits the memory that data may hold; over it, clients are asked to retry later.",
});

#[cfg(test)]
mod tests;
