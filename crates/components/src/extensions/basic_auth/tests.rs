use std::sync::Arc;

use super::FACTORY;
use crate::testing::{check_config, environment, parse};
use http::{HeaderMap, HeaderValue};
use pipeline::{Blueprint, Code, Context, Extension};

#[test]
fn configuration_is_checked() {
    for (yaml, expected) in [
        ("htpasswd: {inline: 'ann:secret'}", &[][..]),
        ("htpasswd: {file: /etc/htpasswd}", &[]),
        ("client_auth: {username: ann, password: secret}", &[]),
        ("client_auth: {username_file: /a, password_file: /b}", &[]),
        ("", &["one of `htpasswd` and `client_auth`"]),
        ("{htpasswd: {inline: 'a:b'}, client_auth: {username: a, password: b}}", &["not both"]),
        ("htpasswd: {}", &["one of `file` and `inline`"]),
        ("htpasswd: {inline: ann}", &["line 1 has no `:`"]),
        ("htpasswd: {inline: 'a:$apr1$x$y'}", &["MD5 password that is cut off or damaged"]),
        ("htpasswd: {inline: 'a:{SSHA}zz'}", &["20 bytes and a salt"]),
        ("htpasswd: {inline: 'a:$6$x$y'}", &["`$6$`; use bcrypt"]),
        ("htpasswd: {inline: 'a:{SHA}zz'}", &["not base64 of 20 bytes"]),
        ("htpasswd: {inline: 'a:$2y$05$short'}", &["cut off or damaged"]),
        ("client_auth: {username: ann}", &["one of `password` and `password_file`"]),
        ("client_auth: {username: 'a:b', password: c}", &["cannot contain `:`"]),
    ] {
        check_config(&FACTORY, yaml, expected);
    }
}

fn extension(yaml: &str) -> Arc<dyn Extension> {
    let Ok(Blueprint::Extension(blueprint)) = parse(&FACTORY, yaml) else { panic!("{yaml}") };
    blueprint.build(environment("basicauth", None)).unwrap()
}

fn headers(authorization: &'static str) -> HeaderMap {
    let value = HeaderValue::from_static(authorization);
    HeaderMap::from_iter([(http::header::AUTHORIZATION, value)])
}

#[test]
fn lets_known_users_in() {
    let hashed = bcrypt::hash("sesame", 4).unwrap();
    let yaml = format!(
        "htpasswd:\n  inline: |\n    ann:secret\n    bob:{{SHA}}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n    \
         cid:{hashed}\n    dan:$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/\n    \
         eve:{{SSHA}}BpcFLGzcUyXv4sUg2sK0lUOoXapOYUNsIQ==\n"
    );
    let auth = extension(&yaml).server_auth().unwrap();
    for (header, expected) in [
        ("Basic YW5uOnNlY3JldA==", Some("ann")),
        ("basic YW5uOnNlY3JldA==", Some("ann")),
        ("Basic Ym9iOnBhc3N3b3Jk", Some("bob")),
        ("Basic Y2lkOnNlc2FtZQ==", Some("cid")),
        ("Basic Y2lkOnNlc2FtZQ==", Some("cid")),
        ("Basic Y2lkOndyb25n", None),
        ("Basic ZGFuOm15UGFzc3dvcmQ=", Some("dan")),
        ("Basic ZGFuOndyb25n", None),
        ("Basic ZXZlOnBhc3N3b3Jk", Some("eve")),
        ("Basic ZXZlOndyb25n", None),
        ("Basic YW5uOndyb25n", None),
        ("Basic bm9ib2R5OnNlY3JldA==", None),
        ("Basic YW5u", None),
        ("Basic %%%", None),
        ("Bearer YW5uOnNlY3JldA==", None),
    ] {
        let identity = auth.authenticate(&headers(header));
        match expected {
            Some(name) => assert_eq!(identity.unwrap().first("username"), Some(name)),
            None => assert_eq!(identity.unwrap_err().code, Code::Unauthenticated, "{header}"),
        }
    }
    assert_eq!(auth.authenticate(&HeaderMap::new()).unwrap_err().code, Code::Unauthenticated);
}

#[test]
fn hashes_that_are_quick_to_guess_are_warned_about() {
    let warnings = |inline: &str| {
        let yaml = format!("htpasswd: {{inline: '{inline}'}}");
        let Ok(Blueprint::Extension(blueprint)) = parse(&FACTORY, &yaml) else { panic!("{yaml}") };
        blueprint.warnings()
    };
    let hashed = bcrypt::hash("sesame", 4).unwrap();
    assert!(warnings(&format!("ann:{hashed}")).is_empty());
    for weak in [
        "bob:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=",
        "bob:{SSHA}BpcFLGzcUyXv4sUg2sK0lUOoXapOYUNsIQ==",
        "bob:$1$abc$sKfFU11LnpAPFKwjSiE7b1",
    ] {
        let warnings = warnings(weak);
        assert_eq!(warnings.len(), 1, "{weak}");
        assert!(warnings[0].contains("`bob`") && warnings[0].contains("bcrypt"), "{warnings:?}");
    }
}

#[test]
fn file_is_read_and_inline_lines_win() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("htpasswd");
    std::fs::write(&path, "# users\nann:other\nbob:password\n").unwrap();
    let yaml = format!("htpasswd: {{file: '{}', inline: 'ann:secret'}}", path.display());
    let auth = extension(&yaml).server_auth().unwrap();
    assert!(auth.authenticate(&headers("Basic YW5uOnNlY3JldA==")).is_ok());
    assert!(auth.authenticate(&headers("Basic Ym9iOnBhc3N3b3Jk")).is_ok());
}

#[tokio::test]
async fn exporters_send_the_user() {
    let yaml = "client_auth: {username: ann, password: secret}";
    let auth = extension(yaml).client_auth().unwrap();
    let headers = auth.headers(&Context::default()).await.unwrap();
    assert_eq!(headers[0].0, http::header::AUTHORIZATION);
    assert_eq!(headers[0].1, "Basic YW5uOnNlY3JldA==");
    assert!(headers[0].1.is_sensitive());
}
