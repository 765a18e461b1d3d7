//! The road out, written once: queue, batches, lanes, retries, workers, timeouts.
//!
//! An exporter is a [`Destination`]; everything around it is here. The tasks of one road:
//!
//! ```text
//! edge ──reserve, commit──▶ Intake ──data──▶ ┌─────────┐ ──Load──▶ Courier ─▶ attempt task ─▶ world
//! leaving callers ──────────────signals────▶ │  Owner  │ ◀──signals: ended, part ended──┘
//! Road (drain, close) ──────────signals────▶ │ engine  │ ──Outcome──▶ Receipt of each caller
//!                                            └─────────┘
//! ```

#![cfg_attr(
    test,
    allow(
        clippy::await_holding_invalid_type,
        reason = "tests hold data on purpose, to see what waits for it"
    )
)]

mod ascending;
pub mod config;
pub mod destination;
mod engine;
pub mod entry;
mod road;
pub mod settings;
mod target;

pub use destination::{Attempt, Destination, Reply};
pub use road::store::lease::is_in_use;
pub use road::{start, start_relay};
pub use settings::Settings;
pub use target::{Scope, Target, Targets};
