use std::sync::Arc;
use std::time::Duration;

use super::FACTORY;
use super::grant::Token;
use super::keeper::Held;
use crate::client::testing::{Act, Server};
use crate::testing::{check_config, environment, parse};
use http::HeaderValue;
use pipeline::{Blueprint, Code, Context, Extension, Status};
use runtime::clock::Clock;

#[test]
fn configuration_is_checked() {
    for (yaml, expected) in [
        ("{client_id: a, client_secret: b, token_url: 'https://host/token'}", &[][..]),
        (
            "{client_id: a, client_secret_file: /b, token_url: 'http://host/t', scopes: [x], \
             endpoint_params: {audience: [y]}, timeout: 2s, expiry_buffer: 10s}",
            &[],
        ),
        ("", &["one of `client_id`", "one of `client_secret`", "`token_url`"]),
        (
            "{client_id: a, client_id_file: b, client_secret: c, token_url: 'https://h/t'}",
            &["not both"],
        ),
        (
            "{client_id: a, client_secret: b, token_url: 'http://h/t', tls: {ca_file: /c}}",
            &["has no effect"],
        ),
        ("{client_id: a, client_secret: b, token_uri: 'https://h/t'}", &["token_uri"]),
    ] {
        check_config(&FACTORY, yaml, expected);
    }
}

fn reply(status: u16, body: &str) -> Act {
    let headers = vec![("content-type", "application/json".to_owned())];
    Act::Answer(status, headers, body.as_bytes().to_vec(), None)
}

fn extension(server: &Server, words: &str) -> Arc<dyn Extension> {
    let yaml = format!(
        "{{client_id: 'me/1', client_secret: 's p', token_url: 'http://{}/token'{words}}}",
        server.address
    );
    let Ok(Blueprint::Extension(blueprint)) = parse(&FACTORY, &yaml) else { panic!("{yaml}") };
    blueprint.build(environment("oauth2client", None)).unwrap()
}

async fn sent(extension: &dyn Extension) -> Result<String, Status> {
    let auth = extension.client_auth().unwrap();
    let headers = auth.headers(&Context::default()).await?;
    Ok(headers[0].1.to_str().unwrap().to_owned())
}

fn bodies(server: &Server) -> Vec<String> {
    let seen = server.seen().into_iter();
    seen.map(|seen| String::from_utf8(seen.body.to_vec()).unwrap()).collect()
}

#[tokio::test]
async fn token_is_fetched_once_for_all() {
    let body = r#"{"access_token":"t1","token_type":"bearer","expires_in":3600}"#;
    let server = Server::http([reply(200, body)]);
    let words = ", scopes: [a, b], endpoint_params: {audience: [x&y]}";
    let extension = extension(&server, words);
    let all = (0..10).map(|_| sent(extension.as_ref()));
    for header in futures_util::future::join_all(all).await {
        assert_eq!(header.unwrap(), "Bearer t1");
    }
    let expected = "grant_type=client_credentials&scope=a%20b&audience=x%26y";
    assert_eq!(bodies(&server), [expected]);
    let seen = server.seen().remove(0);
    assert_eq!(seen.path, "/token");
    assert_eq!(seen.headers["authorization"], "Basic bWUlMkYxOnMlMjBw");
    extension.close(Clock.now()).await;
}

#[tokio::test]
async fn servers_that_want_the_secret_in_the_body_get_it_there() {
    let server = Server::http([
        reply(401, r#"{"error":"invalid_client"}"#),
        reply(200, r#"{"access_token":"t1","expires_in":"60"}"#),
    ]);
    let extension = extension(&server, "");
    assert_eq!(sent(extension.as_ref()).await.unwrap(), "Bearer t1");
    assert!(bodies(&server)[1].ends_with("&client_id=me%2F1&client_secret=s%20p"));
}

#[tokio::test]
async fn failure_is_told_and_retryable() {
    for answer in [reply(500, "no"), reply(200, "{}"), reply(200, &"x".repeat(100 << 10))] {
        let server = Server::http([answer]);
        let extension = extension(&server, "");
        let status = sent(extension.as_ref()).await.unwrap_err();
        assert_eq!(status.code, Code::Unavailable, "{status}");
    }
    let silent = Server::http([Act::Silence]);
    let extension = extension(&silent, ", timeout: 50ms");
    assert_eq!(sent(extension.as_ref()).await.unwrap_err().code, Code::Unavailable);
}

#[test]
fn token_is_stale_before_it_ends() {
    let now = Clock.now();
    let after = |seconds| now + Duration::from_secs(seconds);
    let header = HeaderValue::from_static("Bearer t");
    let buffer = Duration::from_secs(300);
    for (lifetime, stale, end) in [(3600, 3300, 3600), (60, 30, 60), (0, 0, 1)] {
        let lifetime = Some(Duration::from_secs(lifetime));
        let held = Held::new(Token { header: header.clone(), lifetime }, now, buffer);
        assert!(held.is_usable(after(stale)) && !held.is_usable(after(end)), "{lifetime:?}");
        assert!(held.is_stale(after(stale + 1)), "{lifetime:?}");
    }
    let endless = Held::new(Token { header, lifetime: None }, now, buffer);
    assert!(endless.is_usable(after(1 << 30)) && !endless.is_stale(after(1 << 30)));
}
