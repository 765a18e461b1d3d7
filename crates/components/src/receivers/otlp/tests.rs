//! The receiver over real sockets.

mod admission;
mod client;
mod grpc;
mod http;
mod lifecycle;
mod security;
mod sequential;
mod sink;
mod world;
