//! The client side of HTTP: names become addresses, addresses connections, connections answers.
//!
//! ```text
//! Channel::call ──reads the view──▶ peers with connections that work
//!      │ reports a peer that failed        ▲ publishes
//!      └──────────▶ keeper (one task) ─────┘──▶ resolver, one dial task for each address
//! ```

mod body;
mod channel;
mod dial;
mod directory;
mod endpoint;
mod heart;
mod keeper;
mod link;
mod peer;
mod proxy;

pub(crate) use channel::{Answer, Call, CallError, Channel, Plan};
pub(crate) use dial::{Dialer, Protocol};
pub(crate) use directory::Policy;
pub(crate) use endpoint::{Endpoint, Host, Scheme};
pub(crate) use peer::Limits;
pub(crate) use proxy::Proxy;

pub(crate) use crate::http2::Keepalive;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
