use std::time::{Duration, UNIX_EPOCH};

use super::config::Bodies;
use super::page::{Condition, answer};
use super::{FACTORY, Settings};
use crate::testing::{check_config, environment, parse};
use http::Method;
use pipeline::Blueprint;
use runtime::clock::Clock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[test]
fn configuration_is_checked() {
    for (yaml, expected) in [
        ("", &[][..]),
        ("{endpoint: 0.0.0.0:13133, path: /health, response_body: {healthy: ok}}", &[]),
        ("check_collector_pipeline: {enabled: true, interval: 5m}", &[]),
        ("path: health", &["must start with `/`"]),
        ("endpoint: ''", &["must not be empty"]),
        ("check_collector_pipeline: {enabled: true, interval: 0s}", &["greater than zero"]),
        ("port: 13133", &["port"]),
    ] {
        check_config(&FACTORY, yaml, expected);
    }
}

fn settings(path: &str, bodies: Option<Bodies>) -> Settings {
    let endpoint = "localhost:0".to_owned();
    Settings { endpoint, path: path.to_owned(), bodies, checks_pipeline: false }
}

/// Holds that a request for `path` gets `status` and `body`.
fn check_page(settings: &Settings, is_ready: bool, path: &str, status: u16, body: &str) {
    let condition = Condition { is_ready, since: UNIX_EPOCH, troubles: Vec::new() };
    let now = UNIX_EPOCH + Duration::from_millis(90_500);
    let response = answer(settings, &Method::GET, path, &condition, now);
    assert_eq!((response.status().as_u16(), response.body().as_str()), (status, body));
}

#[test]
fn status_is_json_unless_a_body_is_set() {
    let plain = settings("/", None);
    let up = r#"{"status":"Server available","upSince":"Thu, 01 Jan 1970 00:00:00 GMT","uptime":"1m30.5s"}"#;
    let down = r#"{"status":"Server not available","upSince":"Thu, 01 Jan 1970 00:00:00 GMT","uptime":""}"#;
    check_page(&plain, true, "/any", 200, up);
    check_page(&plain, false, "/", 503, down);
    let troubles = vec!["exporter `otlp`: its disk hangs".to_owned()];
    let condition = Condition { is_ready: true, since: UNIX_EPOCH, troubles };
    let response = answer(&plain, &Method::GET, "/", &condition, UNIX_EPOCH);
    assert_eq!(response.status(), 503);
    let reason = r#""reason":"exporter `otlp`: its disk hangs""#;
    assert!(response.body().contains(reason), "{}", response.body());
    let bodies = Bodies { healthy: "yes".to_owned(), unhealthy: "no".to_owned() };
    let custom = settings("/health", Some(bodies));
    check_page(&custom, true, "/health", 200, "yes");
    check_page(&custom, false, "/health", 503, "no");
    check_page(&custom, true, "/", 404, "not found\n");
}

#[tokio::test]
async fn answers_over_http_and_follows_readiness_and_health() {
    let folder = tempfile::tempdir().unwrap();
    let endpoint = format!("unix://{}/health.sock", folder.path().display());
    let yaml = format!("{{endpoint: '{endpoint}', response_body: {{healthy: y, unhealthy: n}}}}");
    let Ok(Blueprint::Extension(blueprint)) = parse(&FACTORY, &yaml) else { panic!("{yaml}") };
    let env = environment("health_check", None);
    let sign = env.health.sign("exporter");
    let extension = blueprint.build(env).unwrap();
    let all =
        [(false, None), (true, None), (true, Some("its disk hangs")), (true, None), (false, None)];
    for (is_ready, trouble) in all {
        extension.ready(is_ready);
        sign.set(trouble.map(str::to_owned));
        let status = if is_ready && trouble.is_none() { "200" } else { "503" };
        let path = folder.path().join("health.sock");
        let mut stream = tokio::net::UnixStream::connect(&path).await.unwrap();
        let request = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
    extension.close(Clock.now()).await;
}
