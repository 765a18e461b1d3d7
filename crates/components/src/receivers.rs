//! Receivers: where data enters.

pub mod file_log;
pub mod otlp;
