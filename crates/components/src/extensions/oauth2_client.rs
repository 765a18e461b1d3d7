//! The `oauth2client` extension: tokens by the client credentials grant, for exporters.
//!
//! ```text
//! headers() ──wanted──▶ keeper (one task) ──POST──▶ token_url
//!     ▲                     │ publishes
//!     └──────latest token───┘
//! ```
//!
//! Owner of the token: the keeper. Bounds: one request at a time, replies of `REPLY_BYTES_MAX`.
//! Invariant: a token that is still valid is used while the next one is fetched.

mod config;
mod extension;
mod grant;
mod keeper;

use pipeline::factory::About;
use pipeline::{Factory, Stability};

pub use config::{Config, Settings};

/// How `oauth2client` becomes an extension.
pub const FACTORY: Factory = Factory::extension::<Config>(About {
    name: "oauth2client",
    aliases: &["oauth2_client"],
    signals: &[],
    stability: Stability::Beta,
    about: "Adds OAuth 2 tokens that it fetches by the client credentials grant.",
});

#[cfg(test)]
mod tests;
