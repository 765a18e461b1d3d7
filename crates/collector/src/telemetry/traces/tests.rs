use super::*;

#[track_caller]
fn check_url(endpoint: &str, insecure: bool, expected: &str) {
    let endpoint = endpoint.to_owned();
    let destination = SpanDestination { endpoint, insecure, ..SpanDestination::default() };
    assert_eq!(traces_url(&destination), expected);
}

#[test]
fn spans_are_posted_to_the_usual_path() {
    check_url("http://a:4318", false, "http://a:4318/v1/traces");
    check_url("http://a:4318/", false, "http://a:4318/v1/traces");
    check_url("https://a/x/v1/traces", false, "https://a/x/v1/traces");
    check_url("a:4318", true, "http://a:4318/v1/traces");
    check_url("a:4318", false, "https://a:4318/v1/traces");
}

#[test]
fn the_products_exporters_understand_every_destination() {
    for protocol in [SpanProtocol::Http, SpanProtocol::Grpc] {
        let destination = SpanDestination {
            protocol,
            endpoint: "http://a:4317".to_owned(),
            compression: "gzip".to_owned(),
            timeout: Some(5),
            ..SpanDestination::default()
        };
        let id = exporter_id(protocol).unwrap();
        blueprint(Kind::Exporter, &id, &yaml(&destination)).unwrap();
    }
}
