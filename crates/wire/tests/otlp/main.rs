//! What payloads promise, held against an independent protobuf library.

#![allow(clippy::unwrap_used, reason = "a test ends where it goes wrong")]

mod cut;
mod edit;
mod random;
mod random_metrics;
mod requests;
mod scan;
mod scramble;
mod view;
