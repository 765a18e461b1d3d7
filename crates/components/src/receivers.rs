//! Receivers: where data enters.

pub mod otlp;
