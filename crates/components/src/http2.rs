//! HTTP/2 over a byte stream: what servers and clients share.
//!
//! ```text
//!               ┌─ Driver (one task a connection) ─┐
//! socket ◀────▶ │ large reads, vectored writes     │      one short lock
//!               │ Watch: pings, patience           │ ◀──▶ State ◀──▶ Inflow, Outflow, Client
//!               └──────────────────────────────────┘      (engine)   (in the tasks of streams)
//! ```
//!
//! Cost: a read of up to 256 KiB becomes slices of one buffer; a write takes the heads of frames and
//! their payloads by reference, 64 pieces at a time.

mod driver;
mod keepalive;
mod state;
mod stream;
mod turns;

pub(crate) use driver::{Driver, Ended, Sign, Verdict, Watch};
pub(crate) use keepalive::{Feeling, Keepalive, Pulse};
pub(crate) use state::{Accepted, Handle};
pub(crate) use stream::{Broken, Inflow, Outflow};
pub(crate) use wire::http2::{Limits, Reason};

#[cfg(test)]
mod tests;
