//! The outside world and the vital signs: the only crate that touches clocks, sockets and threads.
//!
//! Everything above asks it for time, tasks, channels, memory and network, so that every wait has a
//! name and a bound, and a test can put another world underneath.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this crate is the one place that wraps the raw world"
)]

pub mod budget;
pub mod channel;
pub mod clock;
pub mod disk;
pub mod door;
pub mod host;
pub mod mailbox;
pub mod metrics;
pub mod net;
pub mod random;
pub mod shutdown;
pub mod signals;
pub mod task;
pub mod threads;
pub mod waits;

mod slab;
