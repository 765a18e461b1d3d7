//! What the exporters that call servers share, first of all the two of OTLP: words, credentials,
//! verdicts, memory to encode in, and the component around it.

pub(super) mod client;
pub(super) mod component;
pub(super) mod compression;
pub(super) mod credentials;
pub(super) mod trace;
pub(super) mod verdict;
pub(super) mod way;
pub(super) mod workspace;

/// The `user-agent` of requests.
pub(super) const AGENT: &str = concat!("tidegate/", env!("CARGO_PKG_VERSION"));

#[cfg(test)]
mod tests;
