//! Exporters: the ends of pipelines.

pub mod aws_cloudwatch_logs;
pub mod debug;
pub mod file;
pub mod nop;
mod otlp;
pub mod otlp_grpc;
pub mod otlp_http;
