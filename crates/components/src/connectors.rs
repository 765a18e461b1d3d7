//! Connectors: the end of one pipeline and the start of others.

pub mod forward;
