//! Descriptor: what a gRPC server says about itself, as bytes: reflection and health.
//!
//! The descriptors are made from the schema table, so that clients such as `grpcurl` see what is served.
//! `grpc.reflection.v1` and `v1alpha` have the same messages; one answer serves both.
//! Bounds: `REQUEST_BYTES_MAX` in, some 30 kB out.

mod file;
mod health;
mod reflection;

pub use health::{Serving, health_response, health_service};
pub use reflection::{REQUEST_BYTES_MAX, answer};

#[cfg(test)]
mod tests;
