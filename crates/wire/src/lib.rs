//! Every format Tidegate speaks, as bytes: no I/O, no clock, no panic.
//!
//! `payload` is what the pipelines carry; the rest reads, checks, cuts and translates it.

mod content_length;
mod cut;
pub mod descriptor;
pub mod edit;
pub mod format;
pub mod http1;
pub mod http2;
pub mod json;
pub mod logs;
mod nest;
pub mod payload;
mod profiles;
pub mod protobuf;
pub mod response;
mod rope;
pub mod rpc_status;
pub mod scan;
pub mod schema;
pub mod signal;
pub mod view;

pub use format::Format;
pub use payload::{Malformed, Payload};
pub use signal::Signal;
