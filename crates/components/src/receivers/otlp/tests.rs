//! The receiver over real sockets.

mod client;
mod grpc;
mod http;
mod sink;
mod world;
