use pipeline::factory::Blueprint;

use crate::receivers::otlp::FACTORY;
use crate::testing::{check_config, parse};

#[test]
fn takes_the_keys_of_the_opentelemetry_collector() {
    check_config(
        &FACTORY,
        "
protocols:
  grpc:
    endpoint: 0.0.0.0:4317
    transport: tcp
    max_recv_msg_size_mib: 32
    max_concurrent_streams: 16
    read_buffer_size: 1024
    write_buffer_size: 1024
    include_metadata: true
    keepalive:
      server_parameters:
        max_connection_idle: 11s
        max_connection_age: 12s
        max_connection_age_grace: 13s
        time: 30s
        timeout: 5s
      enforcement_policy:
        min_time: 10s
        permit_without_stream: true
    tls: {cert_file: test.crt, key_file: test.key}
    auth: {authenticator: basicauth/server}
  http:
    endpoint: 'localhost:4318'
    traces_url_path: traces
    metrics_url_path: /v2/metrics
    logs_url_path: log/ingest
    max_request_body_size: 1048576
    compression_algorithms: ['', gzip, zstd]
    include_metadata: true
    response_headers: {X-Served-By: tidegate}
    read_timeout: 10s
    read_header_timeout: 5s
    write_timeout: 20s
    idle_timeout: 1m
    keep_alives_enabled: false
    cors:
      allowed_origins: ['https://*.test.com', 'https://test.com']
      allowed_headers: [X-Token]
      exposed_headers: [X-Trace]
      max_age: 7200
",
        &[],
    );
}

#[test]
fn a_protocol_is_on_when_its_key_is_present() {
    check_config(&FACTORY, "protocols: {grpc: }", &[]);
    check_config(&FACTORY, "protocols: {grpc: {}, http: }", &[]);
    check_config(&FACTORY, "protocols: {}", &["must specify at least one protocol"]);
    check_config(&FACTORY, "", &["must specify at least one protocol"]);
}

#[test]
fn unix_sockets_are_written_in_either_way() {
    check_config(&FACTORY, "protocols: {grpc: {endpoint: /run/otlp.sock, transport: unix}}", &[]);
    check_config(&FACTORY, "protocols: {grpc: {endpoint: 'unix:///run/otlp.sock'}}", &[]);
}

#[test]
fn every_problem_is_told_at_once() {
    check_config(
        &FACTORY,
        "
timeout: 0s
protocols:
  grpc:
    endpoint: localhost
    transport: udp
    max_recv_msg_size_mib: 5000
    auth: {}
    limits: {connections: 0}
  http:
    logs_url_path: /same
    traces_url_path: /same
    compression_algorithms: [lz4]
    cors: {exposed_headers: [X]}
    tls: {cert_file: only.crt}
",
        &[
            "timeout: must be greater than 0",
            "protocols.grpc.transport: `udp`",
            "protocols.grpc.max_recv_msg_size_mib",
            "protocols.grpc.auth.authenticator",
            "protocols.grpc.limits.connections",
            "protocols.http.traces_url_path",
            "protocols.http.compression_algorithms[0]: `lz4`",
            "protocols.http.cors.allowed_origins",
            "protocols.http.tls.key_file",
        ],
    );
}

#[test]
fn an_endpoint_without_a_port_is_refused() {
    check_config(&FACTORY, "protocols: {grpc: {endpoint: localhost}}", &["has no port"]);
}

#[test]
fn an_unknown_key_is_refused() {
    check_config(&FACTORY, "protocols: {grpc: {endpont: 'localhost:1'}}", &["endpont", "endpoint"]);
}

fn warnings(yaml: &str) -> Vec<String> {
    let Ok(Blueprint::Receiver(blueprint)) = parse(&FACTORY, yaml) else { panic!("refused") };
    blueprint.warnings()
}

#[test]
fn a_port_that_others_can_reach_without_tls_is_warned_about() {
    let exposed = warnings("protocols: {grpc: {endpoint: '0.0.0.0:4317'}, http: }");
    assert_eq!(exposed.len(), 1);
    assert!(exposed[0].contains("protocols.grpc.endpoint"), "{exposed:?}");
    let secured = "{endpoint: '0.0.0.0:4317', tls: {cert_file: a, key_file: b}}";
    assert_eq!(warnings(&format!("protocols: {{grpc: {secured}}}")), Vec::<String>::new());
}

#[test]
fn the_authenticator_is_a_dependency() {
    let yaml = "protocols: {http: {auth: {authenticator: basicauth/a}}}";
    let Ok(Blueprint::Receiver(blueprint)) = parse(&FACTORY, yaml) else { panic!("refused") };
    let named = ("basicauth/a".parse().unwrap(), "protocols.http.auth.authenticator".to_owned());
    assert_eq!(blueprint.extensions(), [named]);
}
