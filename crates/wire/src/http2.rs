//! HTTP/2, as bytes: frames, header blocks, and one end of a connection as a state machine.
//!
//! ```text
//! bytes ─▶ receive ─▶ events          commands ─▶ streams, in line ─▶ output ─▶ pieces
//!          (frames, HPACK, windows)               (windows, HPACK)    (heads, payloads by reference)
//! ```
//!
//! Cost: the data of bodies is sliced, never copied, in either direction.

mod connection;
mod frame;
mod head;
mod hpack;
mod output;
mod settings;
mod stream;
mod window;

pub use connection::{Connection, Event, Why};
pub use frame::{Fault, Reason};
pub use settings::Limits;

#[cfg(test)]
mod tests;
