//! The sink by itself, and the exporter in front of it, over real sockets.

mod faults;
mod files;
mod isolation;
mod rates;
mod service;
mod world;
