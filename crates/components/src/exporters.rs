//! Exporters: the ends of pipelines.

pub mod debug;
pub mod nop;
mod otlp;
pub mod otlp_grpc;
pub mod otlp_http;
