//! Exporters: the ends of pipelines.

pub mod debug;
pub mod nop;
