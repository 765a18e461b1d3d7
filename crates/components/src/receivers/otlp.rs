//! The `otlp` receiver: OTLP over gRPC and HTTP.
//!
//! ```text
//! listener ─▶ transport ─▶ grpc | http ─▶ intake ─▶ Outlet
//! (accepts)   (requests)   (protocol)     │ reading    wire bytes, from the receive share
//!                                         │ admission  whole reservation, then inflate
//!                                         └ answer     what the client is told
//! ```
//!
//! Cost: a body is copied once, from the frames it came in to one piece; payloads are slices of it.
//!
//! Tasks: one for each port, one for each connection, one for each HTTP/2 stream. Requests share
//! nothing but budgets. Only this edge waits: for bytes, at the door, and for the answer.

mod admission;
mod answer;
mod config;
mod grpc;
mod http;
mod intake;
mod listener;
mod receive;
mod receiver;
mod settings;
mod tally;
mod transport;

use pipeline::factory::About;
use pipeline::{Factory, Stability};
use wire::Signal;

pub use config::Config;

/// How `otlp` becomes a receiver.
pub const FACTORY: Factory = Factory::receiver::<Config>(About {
    name: "otlp",
    aliases: &[],
    signals: &Signal::ALL,
    stability: Stability::Stable,
    about: "Receives OTLP over gRPC and HTTP.",
});

#[cfg(test)]
mod tests;
