//! Destination: where the tools of the command line send, through an exporter of the product.

use std::time::Duration;

use clap::{Args, ValueEnum};
use pipeline::{Answer, Built, Envelope, consume};
use runtime::clock::Clock;
use wire::Payload;

use crate::bench_world::BenchWorld;

/// Where to send, and how.
#[derive(Clone, Debug, Args)]
pub(crate) struct DestinationOptions {
    /// Where to send: `host:port` for gRPC, `http://host:port` for HTTP.
    #[arg(long, value_name = "ENDPOINT", default_value = "localhost:4317")]
    pub(crate) endpoint: String,

    /// The protocol to speak.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) protocol: Protocol,

    /// Compression of requests.
    #[arg(long, default_value = "none")]
    pub(crate) compression: String,

    /// How long to wait for an answer, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub(crate) timeout: u64,

    /// Headers to send, as `name=value`.
    #[arg(long, value_name = "NAME=VALUE", value_parser = header)]
    pub(crate) header: Vec<(String, String)>,

    /// Speaks TLS, trusting the certificates of this file beside the system's.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Protocol {
    #[default]
    Grpc,
    /// Protobuf over HTTP.
    Http,
    /// JSON over HTTP.
    #[value(name = "http/json")]
    HttpJson,
}

fn header(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("a header is written as NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl DestinationOptions {
    /// Starts an exporter, told apart by `name`. Without queue and retry each answer is the
    /// destination's own.
    pub(crate) fn exporter(&self, world: &BenchWorld, name: &str) -> anyhow::Result<Built> {
        let kind = match self.protocol {
            Protocol::Grpc => "otlp_grpc",
            Protocol::Http | Protocol::HttpJson => "otlp_http",
        };
        world.exporter(&format!("{kind}/{name}"), &self.yaml())
    }

    /// How long to wait for an answer.
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }

    fn yaml(&self) -> String {
        let mut yaml = format!(
            "endpoint: {}\ncompression: {}\ntimeout: {}s\nretry_on_failure: {{enabled: false}}\n\
             sending_queue: {{enabled: false}}\n",
            quoted(&self.endpoint),
            quoted(&self.compression),
            self.timeout,
        );
        if self.protocol == Protocol::HttpJson {
            yaml += "encoding: json\n";
        }
        yaml += &match &self.ca_file {
            Some(file) => {
                format!("tls: {{ca_file: {}, include_system_ca_certs_pool: true}}\n", quoted(file))
            }
            None => "tls: {insecure: true}\n".to_owned(),
        };
        let headers = self.header.iter();
        let headers: Vec<String> =
            headers.map(|(name, value)| format!("{}: {}", quoted(name), quoted(value))).collect();
        yaml + &format!("headers: {{{}}}\n", headers.join(", "))
    }
}

/// Sends one request; `None` when there is no answer in time.
pub(crate) async fn send(
    clock: Clock,
    exporter: &Built,
    payload: Payload,
    timeout: Duration,
) -> Option<Answer> {
    let deadline = clock.now() + timeout;
    let (envelope, waiter) = Envelope::of_one(payload, deadline);
    consume(exporter.consumer.as_ref(), envelope);
    let outcome = waiter.wait_until(clock, deadline).await;
    outcome.map(|outcome| outcome.answer())
}

/// As a scalar of YAML, whatever is in it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
