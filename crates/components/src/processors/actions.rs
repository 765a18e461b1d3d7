//! Actions: what the `attributes` and `resource` processors do to a list of attributes.

mod apply;
mod config;

pub(crate) use config::{Action, ActionWords, Scalar, regex, validate};
