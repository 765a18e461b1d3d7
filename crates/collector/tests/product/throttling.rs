//! Throttling: what a destination asks for reaches the client that sent, whatever it speaks.
//!
//! Two collectors stand in a row between a client and a sink, so that an answer crosses from HTTP to
//! gRPC and back, or the other way.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;

use super::process::{PATIENCE, Running, command, free_port};

const LOGS: &str =
    r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"x"}}]}]}]}"#;
/// Longer than any client here waits, so that nobody tries again before its client is told.
const RETRY_AFTER_SECONDS: u64 = 70;

#[derive(Clone, Copy)]
enum Speech {
    Grpc,
    Http,
}

impl Speech {
    fn receiver(self, port: u16) -> String {
        let name = match self {
            Self::Grpc => "grpc",
            Self::Http => "http",
        };
        format!("{{protocols: {{{name}: {{endpoint: '127.0.0.1:{port}'}}}}}}")
    }

    fn exporter(self, port: u16) -> String {
        match self {
            Self::Grpc => {
                format!("otlp_grpc: {{endpoint: '127.0.0.1:{port}', tls: {{insecure: true}}}}")
            }
            Self::Http => format!("otlp_http: {{endpoint: 'http://127.0.0.1:{port}'}}"),
        }
    }

    fn exporter_name(self) -> &'static str {
        match self {
            Self::Grpc => "otlp_grpc",
            Self::Http => "otlp_http",
        }
    }
}

/// A collector between two ports, with default settings.
fn collector(into: (Speech, u16), out_of: (Speech, u16), processors: &str) -> Running {
    let names: Vec<&str> = processors.lines().filter_map(|line| line.split(':').next()).collect();
    let processors: String = processors.lines().map(|line| format!("  {line}\n")).collect();
    let section =
        if names.is_empty() { String::new() } else { format!("processors:\n{processors}") };
    let yaml = format!(
        "yaml:receivers:
  otlp: {}
{section}exporters:
  {}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    logs: {{receivers: [otlp], processors: [{}], exporters: [{}]}}
",
        into.0.receiver(into.1),
        out_of.0.exporter(out_of.1),
        names.join(", "),
        out_of.0.exporter_name(),
    );
    let mut running = Running::start(&["--config", &yaml]);
    running.wait_for("Everything is ready");
    running
}

/// A sink that asks everyone to come back later.
fn throttling_sink(speech: Speech, port: u16) -> Running {
    let address = format!("127.0.0.1:{port}");
    let (grpc, http) = match speech {
        Speech::Grpc => (address.as_str(), ""),
        Speech::Http => ("", address.as_str()),
    };
    let (grpc, http) = (format!("--grpc={grpc}"), format!("--http={http}"));
    let retry_after = format!("--retry-after={RETRY_AFTER_SECONDS}");
    let words = ["sink", &grpc, &http, "--fail-percent=100", "--fail-with=throttle", &retry_after];
    let mut sink = Running::start(&words);
    sink.wait_for("listening");
    sink
}

/// The head of the answer to one request in JSON.
fn post(port: u16) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let bytes = LOGS.len();
    write!(
        stream,
        "POST /v1/logs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {bytes}\r\nconnection: close\r\n\r\n{LOGS}"
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).to_lowercase()
}

#[test]
fn the_delay_of_an_http_destination_reaches_an_http_client_over_grpc() {
    let [sink, inner, outer] = [free_port(), free_port(), free_port()];
    let _sink = throttling_sink(Speech::Http, sink);
    let _inner = collector((Speech::Grpc, inner), (Speech::Http, sink), "");
    let _outer = collector((Speech::Http, outer), (Speech::Grpc, inner), "");
    let answer = post(outer);
    let is_retryable = answer.starts_with("http/1.1 503") || answer.starts_with("http/1.1 429");
    assert!(is_retryable, "{answer}");
    let delay = answer.lines().find_map(|line| line.strip_prefix("retry-after: "));
    let delay: u64 = delay.unwrap_or_else(|| panic!("no delay: {answer}")).trim().parse().unwrap();
    assert!(RETRY_AFTER_SECONDS <= delay, "{answer}");
}

/// What a load over gRPC came to.
fn generate(port: u16, words: &[&str]) -> Value {
    let endpoint = format!("--endpoint=127.0.0.1:{port}");
    let output = command(&["generate", "--json", &endpoint]).args(words).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_delay_of_a_grpc_destination_reaches_a_grpc_client_over_http() {
    let [sink, inner, outer] = [free_port(), free_port(), free_port()];
    let _sink = throttling_sink(Speech::Grpc, sink);
    let _inner = collector((Speech::Http, inner), (Speech::Grpc, sink), "");
    let _outer = collector((Speech::Grpc, outer), (Speech::Http, inner), "");
    let summary = generate(outer, &["--requests=1", "--concurrency=1"]);
    assert_eq!(summary["retryable_requests"], 1, "{summary}");
    let told = summary["delay_max_seconds"].as_f64().unwrap();
    assert!(RETRY_AFTER_SECONDS as f64 <= told, "{summary}");
}

#[test]
fn what_a_memory_limit_between_two_collectors_refuses_may_be_sent_again_and_none_is_lost() {
    let [sink_port, inner, outer] = [free_port(), free_port(), free_port()];
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("ledger.json");
    let (address, ledger) = (format!("--grpc=127.0.0.1:{sink_port}"), ledger.to_str().unwrap());
    let check = format!("--check={ledger}");
    let mut sink = Running::start(&["sink", &address, "--http=", "--delay=300", "--json", &check]);
    sink.wait_for("listening");
    let limit = "memory_limiter: {check_interval: 1s, limit_mib: 4}";
    let _inner = collector((Speech::Grpc, inner), (Speech::Grpc, sink_port), limit);
    let _outer = collector((Speech::Grpc, outer), (Speech::Grpc, inner), "");
    let ledger = format!("--ledger={ledger}");
    let load = ["--requests=200", "--concurrency=100", "--items=100", "--item-bytes=2000"];
    let summary = generate(outer, &[&load[..], &[&ledger, "--timeout=4"]].concat());
    assert!(0 < summary["acknowledged_items"].as_u64().unwrap(), "{summary}");
    assert_eq!(summary["refused_requests"], 0, "{summary}");
    sink.signal("TERM");
    let (status, log, _) = sink.end();
    assert!(status.success(), "what was acknowledged is missing: {log}");
}
