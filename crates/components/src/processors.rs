//! Processors: the stages between receivers and exporters.

mod actions;
mod matching;
mod stage;

pub mod attributes;
pub mod batch;
pub mod filter;
pub mod memory_limiter;
pub mod resource;
