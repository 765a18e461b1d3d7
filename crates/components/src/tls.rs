//! TLS of receivers and exporters: the words of `tls:`, certificates from PEM, and their reload.
//!
//! Bounds: a PEM file is read up to 1 MiB. Invariant: a reload that fails keeps what was in use.

mod client;
mod material;
mod parameters;
mod reload;
mod server;
mod verifier;

pub use client::{ClientSettings, ClientWords, Connector};
pub use material::TlsError;
pub use server::{Acceptor, ServerSettings, ServerWords};

/// The application protocol `h2`, as ALPN names it.
pub const HTTP2: &[u8] = b"h2";
/// The application protocol HTTP/1.1, as ALPN names it.
pub const HTTP1: &[u8] = b"http/1.1";

#[cfg(test)]
pub(crate) mod authority;
#[cfg(test)]
mod tests;
