use std::sync::Arc;
use std::time::Duration;

use super::FACTORY;
use crate::testing::{check_config, environment, parse};
use http::{HeaderMap, HeaderName, HeaderValue};
use pipeline::{Blueprint, Code, Context, Extension};
use runtime::clock::Clock;

#[test]
fn configuration_is_checked() {
    for (yaml, expected) in [
        ("token: abc", &[][..]),
        ("{scheme: Token, token: abc, header: X-Auth}", &[]),
        ("tokens: [a, b]", &[]),
        ("filename: /etc/token", &[]),
        ("", &["exactly one of"]),
        ("{token: a, filename: /b}", &["exactly one of"]),
        ("tokens: ['']", &["a token is empty"]),
        ("{token: a, header: 'b c'}", &["must be the name of a header"]),
        ("{token: a, bearer: b}", &["bearer"]),
    ] {
        check_config(&FACTORY, yaml, expected);
    }
}

fn extension(yaml: &str) -> Arc<dyn Extension> {
    let Ok(Blueprint::Extension(blueprint)) = parse(&FACTORY, yaml) else { panic!("{yaml}") };
    blueprint.build(environment("bearertokenauth", None)).unwrap()
}

fn accepts(extension: &dyn Extension, name: &'static str, value: &'static str) -> bool {
    let header = (HeaderName::from_static(name), HeaderValue::from_static(value));
    let checked = extension.server_auth().unwrap().authenticate(&HeaderMap::from_iter([header]));
    checked.map_err(|status| assert_eq!(status.code, Code::Unauthenticated)).is_ok()
}

async fn sent(extension: &dyn Extension) -> String {
    let auth = extension.client_auth().unwrap();
    let headers = auth.headers(&Context::default()).await.unwrap();
    assert!(headers[0].1.is_sensitive());
    format!("{}: {}", headers[0].0, headers[0].1.to_str().unwrap())
}

#[tokio::test]
async fn any_token_is_accepted_and_the_first_is_sent() {
    let both = extension("tokens: [one, two]");
    assert!(accepts(both.as_ref(), "authorization", "Bearer one"));
    assert!(accepts(both.as_ref(), "authorization", "Bearer two"));
    for wrong in ["Bearer three", "Bearer", "one", "Basic one", ""] {
        assert!(!accepts(both.as_ref(), "authorization", wrong), "{wrong}");
    }
    assert!(!accepts(both.as_ref(), "x-other", "Bearer one"));
    assert_eq!(sent(both.as_ref()).await, "authorization: Bearer one");
}

#[tokio::test]
async fn header_and_scheme_can_be_chosen() {
    let bare = extension("{header: X-Api-Key, scheme: '', token: k}");
    assert!(accepts(bare.as_ref(), "x-api-key", "k"));
    assert_eq!(sent(bare.as_ref()).await, "x-api-key: k");
}

#[tokio::test(start_paused = true)]
async fn changed_file_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "old\n").unwrap();
    let from_file = extension(&format!("filename: '{}'", path.display()));
    assert_eq!(sent(from_file.as_ref()).await, "authorization: Bearer old");
    // The task reads the file once before its first pause.
    tokio::task::yield_now().await;
    std::fs::write(&path, "new\nolder\n").unwrap();
    Clock.sleep(Duration::from_secs(6)).await;
    assert_eq!(sent(from_file.as_ref()).await, "authorization: Bearer new");
    assert!(accepts(from_file.as_ref(), "authorization", "Bearer older"));
    std::fs::write(&path, "").unwrap();
    Clock.sleep(Duration::from_secs(6)).await;
    assert_eq!(sent(from_file.as_ref()).await, "authorization: Bearer new");
    from_file.close(Clock.now()).await;
}

#[test]
fn missing_file_is_a_start_error() {
    let Ok(Blueprint::Extension(blueprint)) = parse(&FACTORY, "filename: /nowhere/token") else {
        panic!("no extension")
    };
    let error = blueprint.build(environment("bearertokenauth", None)).unwrap_err();
    assert!(error.to_string().contains("/nowhere/token"), "{error}");
}
