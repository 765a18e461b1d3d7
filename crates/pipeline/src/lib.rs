//! What a component is, and how components become a running graph.
//!
//! An [`Envelope`] enters at a receiver, which keeps the waiting end of its [`Receipt`]. It moves
//! through [`Consumer`]s, none of which waits, until an engine or a sink answers the receipt:
//!
//! ```text
//! receiver ──Outlet──▶ processor ──Outlet──▶ fan-out ──Outlet──▶ exporter engine
//!    ▲                                                                 │
//!    └────────────── Receipt: exactly one Outcome ◀────────────────────┘
//! ```

#![cfg_attr(
    test,
    allow(
        clippy::await_holding_invalid_type,
        reason = "tests hold data on purpose, to see what waits for it"
    )
)]

pub mod auth;
pub mod component;
pub mod consumer;
pub mod context;
pub mod envelope;
pub mod factory;
pub mod fanout;
pub mod graph;
mod opaque;
pub mod outcome;
pub mod plan;
pub mod receipt;
pub mod storage;
#[cfg(test)]
mod testing;
pub mod trace;

pub use component::{
    Built, Component, Environment, Extension, Extensions, Outlets, StartError, Stateless,
};
pub use consumer::{Consumer, Need, Outlet, Refusal, Reservation, consume};
pub use context::{Context, Metadata, SpanContext};
pub use envelope::{Charge, Contributor, Envelope, Waiting};
pub use factory::{Blueprint, Factory, Kind, Stability};
pub use outcome::{Answer, Code, Outcome, Status, Verdict};
pub use receipt::{Holder, Leaver, Receipt, Sink, Waiter};
pub use storage::{ContextKey, Storage, StorageUse};
pub use trace::{Span, SpanKind, Tracer};
