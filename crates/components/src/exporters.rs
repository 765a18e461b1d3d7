//! Exporters: the ends of pipelines.

pub mod nop;
