//! Extensions: what stands beside the pipelines.

mod endpoint;
mod offer;

pub mod basic_auth;
pub mod bearer_token_auth;
pub mod file_storage;
pub mod headers_setter;
pub mod health_check;
pub mod oauth2_client;
pub mod pprof;
pub mod zpages;
