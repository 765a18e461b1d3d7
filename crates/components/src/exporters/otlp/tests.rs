//! What both exporters send is read by our own receiver's code.

use pipeline::factory::Blueprint;
use pipeline::{Answer, Built, Context, Outlet, Outlets, SpanContext};
use runtime::metrics::{Exposition, Resource};
use std::sync::Arc;
use wire::{Payload, Signal};

use crate::client::testing::Server;
use crate::compression::{Algorithm, inflate};
use crate::exporters::{otlp_grpc, otlp_http};
use crate::receivers;
use crate::testing::{Capture, deliver, envelope, environment, logs_of, parse, payload};

const COMPRESSIONS: [&str; 6] = ["none", "gzip", "zstd", "snappy", "deflate", "zlib"];

fn exporter(factory: &pipeline::Factory, yaml: &str) -> Built {
    let Blueprint::Exporter(blueprint) = parse(factory, yaml).unwrap() else {
        panic!("not an exporter")
    };
    blueprint.build(environment("otlp", None)).unwrap()
}

/// The labels of the series `name` of the exporter that `yaml` makes.
fn labels_of_sent(factory: &pipeline::Factory, yaml: &str, name: &str) -> String {
    let Blueprint::Exporter(blueprint) = parse(factory, yaml).unwrap() else {
        panic!("not an exporter")
    };
    let env = environment("otlp", None);
    let metrics = env.metrics.clone();
    blueprint.build(env).unwrap();
    let text = metrics.exposition(&Resource::default(), Exposition::IMPLICIT);
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_end_matches(" 0").to_owned()
}

#[tokio::test]
async fn metrics_name_the_place_that_items_go_to() {
    let sent_spans = "otelcol_exporter_sent_spans";
    for (factory, yaml, expected) in [
        (
            &otlp_grpc::FACTORY,
            "endpoint: 'backend.example:4317'",
            "server_address=\"backend.example\",server_port=\"4317\"",
        ),
        (
            &otlp_grpc::FACTORY,
            "{endpoint: 'unix:///run/otlp.sock', tls: {insecure: true}}",
            "server_address=\"/run/otlp.sock\"",
        ),
        (
            &otlp_http::FACTORY,
            "{endpoint: 'http://a.example', traces_endpoint: 'https://b.example/own'}",
            "server_address=\"b.example\",server_port=\"443\",url_path=\"/own\"",
        ),
    ] {
        let expected = format!("{{exporter=\"otlp\",{expected}}}");
        assert_eq!(labels_of_sent(factory, yaml, sent_spans), expected);
    }
    let yaml = "endpoint: 'http://a.example/base'";
    let labels = labels_of_sent(&otlp_http::FACTORY, yaml, "otelcol_exporter_sent_log_records");
    assert!(labels.contains("url_path=\"/base/v1/logs\""), "{labels}");
}

fn many_logs() -> Payload {
    payload(&logs_of(&["the same words again and again"; 500]))
}

#[tokio::test]
async fn our_receiver_takes_every_compression_of_grpc_over_a_unix_socket() {
    let folder = tempfile::TempDir::new().unwrap();
    let socket = format!("unix:{}", folder.path().join("otlp.sock").display());
    let yaml = format!("protocols: {{grpc: {{endpoint: '{socket}'}}}}");
    let Blueprint::Receiver(blueprint) = parse(&receivers::otlp::FACTORY, &yaml).unwrap() else {
        panic!("not a receiver")
    };
    let capture = Arc::new(Capture::default());
    let outlet = Outlet::to(capture.clone());
    let outlets = Outlets::from_iter([(Signal::Logs, outlet)]);
    let _receiver = blueprint.build(environment("otlp", None), outlets).unwrap();
    for compression in COMPRESSIONS {
        let yaml = format!(
            "endpoint: '{socket}'\ntls: {{insecure: true}}\ncompression: {compression}\n\
             wait_for_ready: true"
        );
        let exporter = exporter(&otlp_grpc::FACTORY, &yaml);
        let answer = deliver(exporter.consumer.as_ref(), many_logs()).await;
        assert_eq!(answer, Answer::Delivered { rejected: 0, warning: None }, "{compression}");
        let arrived = capture.take();
        assert_eq!(arrived[0].to_bytes(), many_logs().to_bytes(), "{compression}");
    }
}

#[tokio::test]
async fn our_receiver_reads_every_compression_of_http_by_its_name() {
    let server = Server::http([]);
    for compression in COMPRESSIONS.into_iter().chain(["x-snappy-framed"]) {
        let yaml = format!("endpoint: http://{}\ncompression: {compression}", server.address);
        let exporter = exporter(&otlp_http::FACTORY, &yaml);
        let answer = deliver(exporter.consumer.as_ref(), many_logs()).await;
        assert_eq!(answer, Answer::Delivered { rejected: 0, warning: None }, "{compression}");
        let seen = server.seen().pop().unwrap();
        let name = seen.headers.get("content-encoding").map(|name| name.to_str().unwrap());
        let body = match name.map(|name| Algorithm::from_name(name).unwrap()) {
            Some(algorithm) => inflate(algorithm, &seen.body, 1 << 20).unwrap(),
            None => seen.body,
        };
        assert_eq!(body, many_logs().to_bytes(), "{compression}");
    }
}

#[tokio::test]
async fn the_span_of_a_request_travels_on() {
    let (grpc, http) = (Server::grpc([]), Server::http([]));
    let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let exporters = [
        exporter(
            &otlp_grpc::FACTORY,
            &format!("endpoint: {}\ntls: {{insecure: true}}", grpc.address),
        ),
        exporter(&otlp_http::FACTORY, &format!("endpoint: http://{}", http.address)),
    ];
    for exporter in exporters {
        let context = Context { trace_state: Some("vendor=1".into()), ..Context::default() };
        let (mut envelope, waiter) = envelope(many_logs(), context);
        envelope.contributors[0].trace = SpanContext::from_traceparent(text);
        pipeline::consume(exporter.consumer.as_ref(), envelope);
        waiter.wait().await.unwrap();
    }
    for server in [grpc, http] {
        assert_eq!(server.seen()[0].headers["traceparent"], text);
        assert_eq!(server.seen()[0].headers["tracestate"], "vendor=1");
    }
}
