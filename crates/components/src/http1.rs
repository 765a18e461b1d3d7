//! HTTP/1.1 over a byte stream, the end that answers.
//!
//! ```text
//!             ┌─ serve (one task a connection) ───────────────────────────────┐
//! socket ◀──▶ │ Line: heads, bodies, answers ◀──▶ the answer's future ◀── Body │
//!             │ Vigil: patience                    (polled in place)           │
//!             └────────────────────────────────────────────────────────────────┘
//! ```
//!
//! A connection has one request at a time, so whoever wants bytes reads them from the socket itself: no
//! channel and no second task. Cost: a body of known size goes straight to its place but for what came
//! with its head; an answer is one write. A connection that waits holds no buffer.

mod body;
mod connection;
mod line;

pub use body::{Body, Lost};
pub use connection::{Content, Settings, serve};

pub use crate::vigil::Patience;

#[cfg(test)]
mod tests;
