use super::*;
use crate::tls::ClientWords;

fn targets(all: &str, logs: &str, headers: &mut HeaderMap) -> Result<Vec<Target>, Faults> {
    let own = [
        (Signal::Logs, "logs_endpoint", logs),
        (Signal::Traces, "traces_endpoint", ""),
        (Signal::Metrics, "metrics_endpoint", ""),
        (Signal::Profiles, "profiles_endpoint", ""),
    ];
    let tls = ClientWords::default().validate().unwrap();
    Endpoints { all, own }.targets(&tls, headers)
}

fn urls(all: &str, logs: &str) -> Vec<String> {
    let targets = targets(all, logs, &mut HeaderMap::new()).unwrap();
    targets.iter().map(|target| target.url.to_string()).collect()
}

#[test]
fn the_paths_of_signals_are_appended_with_or_without_a_trailing_slash() {
    let expected = [
        "https://gate:4318/otlp/v1/logs",
        "https://gate:4318/otlp/v1/traces",
        "https://gate:4318/otlp/v1/metrics",
        "https://gate:4318/otlp/v1development/profiles",
    ];
    assert_eq!(urls("https://gate:4318/otlp", ""), expected);
    assert_eq!(urls("https://gate:4318/otlp/", ""), expected);
    assert_eq!(urls("http://gate", "")[0], "http://gate/v1/logs");
}

#[test]
fn an_endpoint_of_a_signal_is_used_as_it_is() {
    assert_eq!(urls("", "http://gate:4318/in?tenant=a"), ["http://gate:4318/in?tenant=a"]);
    assert_eq!(urls("", "http://gate:4318"), ["http://gate:4318/"]);
    assert_eq!(
        urls("http://one", "http://two/logs")[..2],
        ["http://two/logs".to_owned(), "http://one/v1/traces".to_owned()]
    );
}

#[test]
fn a_host_header_names_the_authority_but_not_the_address() {
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, http::HeaderValue::from_static("tenant.example"));
    let targets = targets("http://gate:4318", "", &mut headers).unwrap();
    assert_eq!(targets[0].url.to_string(), "http://tenant.example/v1/logs");
    assert_eq!(targets[0].origin.host, Host::Name("gate".into(), 4318));
    assert!(headers.is_empty());
}

#[test]
fn faults_are_told_once() {
    let faults = |all, logs| {
        let faults = targets(all, logs, &mut HeaderMap::new()).unwrap_err().into_vec();
        faults.into_iter().map(|fault| fault.path).collect::<Vec<_>>()
    };
    assert_eq!(faults("", ""), ["endpoint"]);
    assert_eq!(faults("gate:4318", ""), ["endpoint"]);
    assert_eq!(faults("gate:4318", "http://"), ["logs_endpoint", "endpoint"]);
    assert_eq!(faults("http://user:word@gate", ""), ["endpoint"]);
}
