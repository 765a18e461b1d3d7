use super::*;

fn check_grpc(text: &str, expected: &str) {
    let found = match Endpoint::grpc(text) {
        Ok(Endpoint { scheme, host: Host::Unix(path), .. }) => format!("{scheme:?} {path:?}"),
        Ok(endpoint) => format!("{:?} {}", endpoint.scheme, endpoint.host),
        Err(error) => error.to_owned(),
    };
    assert!(found.contains(expected), "{text}: {found}, expected {expected}");
}

#[test]
fn grpc_endpoints_are_read_in_all_their_forms() {
    check_grpc("gate:4317", "None gate:4317");
    check_grpc("http://gate:4317", "Some(Http) gate:4317");
    check_grpc("https://gate:4317/", "Some(Https) gate:4317");
    check_grpc("dns:///gate:4317", "None gate:4317");
    check_grpc("dns:gate:4317", "None gate:4317");
    check_grpc("passthrough:///gate:4317", "None gate:4317");
    check_grpc("[::1]:4317", "None [::1]:4317");
    check_grpc("unix:/run/gate.sock", "None \"/run/gate.sock\"");
    check_grpc("unix:///run/gate.sock", "None \"/run/gate.sock\"");
    check_grpc("unix:gate.sock", "None \"gate.sock\"");
}

#[test]
fn what_is_wrong_with_a_grpc_endpoint_is_said() {
    check_grpc("gate", "no port");
    check_grpc("https://gate", "no port");
    check_grpc(":4317", "no host name");
    check_grpc("", "no host name");
    check_grpc("gate:otlp", "not a number");
    check_grpc("gate:99999", "not a number");
    check_grpc("::1:4317", "in brackets");
    check_grpc("[::1:4317", "not closed");
    check_grpc("ftp://gate:21", "neither");
    check_grpc("gate:4317/v1/logs", "no path");
    check_grpc("dns://8.8.8.8/gate:4317", "DNS server of its own");
    check_grpc("unix:", "path of a socket");
}

#[test]
fn http_endpoints_have_a_scheme_and_perhaps_a_path() {
    let endpoint = Endpoint::http("https://gate.example/otlp/").unwrap();
    assert_eq!(endpoint.scheme, Some(Scheme::Https));
    assert_eq!(
        (endpoint.host.to_string(), endpoint.path),
        ("gate.example:443".into(), "/otlp".into())
    );
    let endpoint = Endpoint::http("http://user:word@gate:4318/v1/logs?tenant=a").unwrap();
    assert_eq!(endpoint.user.as_deref(), Some("user:word"));
    assert_eq!(endpoint.path, "/v1/logs?tenant=a");
    assert!(Endpoint::http("gate:4318").unwrap_err().contains("must start with"));
}
