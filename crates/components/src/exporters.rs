//! Exporters: the ends of pipelines.

mod calendar;

pub mod debug;
pub mod file;
pub mod nop;
mod otlp;
pub mod otlp_grpc;
pub mod otlp_http;
