//! Processors: the stages between receivers and exporters.

pub mod memory_limiter;
