//! What users name in YAML: receivers, processors, exporters, connectors, extensions.
//!
//! The tasks that run here (`=>`), and the threads (`->`); engines run in `delivery`:
//!
//! ```text
//! receivers/otlp   => grpc, http (accept) => connection, one a client => stream, one an HTTP/2 request
//!                  -> otlp receiver-0..N  (inflate and check what takes long)
//! receivers/file_log => tailer (owner of all files) => changes (what the kernel tells)
//!                       => turn (one payload), look (one discovery)
//!                  -> file_log-0..N       (read, cut and encode)
//! client           => connection keeper   (one an endpoint) => its connections (=> last answers)
//! tls              => tls reload          (one a listener or client that reads its files again)
//! extensions       => health_check: accept => connection
//!                  => bearer token reload, token keeper
//! ```

#![cfg_attr(
    test,
    allow(
        clippy::await_holding_invalid_type,
        reason = "tests hold data on purpose, to see what waits for it"
    )
)]

pub mod aws;
mod calendar;
mod client;
pub mod compression;
pub mod connectors;
pub mod exporters;
pub mod extensions;
pub mod http1;
mod http2;
pub mod processors;
pub mod receivers;
mod syntax;
pub mod tls;
mod vigil;

use pipeline::Factory;

/// Every component there is, in the order of the documentation.
///
/// Not a constant: what it names would be compiled anew for whoever uses it.
pub static FACTORIES: &[Factory] = &[
    receivers::otlp::FACTORY,
    receivers::file_log::FACTORY,
    processors::memory_limiter::FACTORY,
    processors::attributes::FACTORY,
    processors::resource::FACTORY,
    processors::filter::FACTORY,
    processors::batch::FACTORY,
    exporters::otlp_grpc::FACTORY,
    exporters::otlp_http::FACTORY,
    exporters::aws_cloudwatch_logs::FACTORY,
    exporters::debug::FACTORY,
    exporters::file::FACTORY,
    exporters::nop::FACTORY,
    connectors::forward::FACTORY,
    extensions::health_check::FACTORY,
    extensions::basic_auth::FACTORY,
    extensions::bearer_token_auth::FACTORY,
    extensions::oauth2_client::FACTORY,
    extensions::headers_setter::FACTORY,
    extensions::file_storage::FACTORY,
    extensions::zpages::FACTORY,
    extensions::pprof::FACTORY,
];

#[cfg(test)]
mod testing;
