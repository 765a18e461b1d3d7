use super::FACTORY;
use crate::testing::{check_config, environment, parse};
use http::{HeaderMap, HeaderValue};
use pipeline::{Blueprint, Code, Context, Metadata, Status};

#[test]
fn configuration_is_checked() {
    for (yaml, expected) in [
        ("headers: [{key: x-tenant, from_context: tenant}]", &[][..]),
        ("headers: [{action: insert, key: a, value: b}, {key: c, from_attribute: username}]", &[]),
        ("headers: [{key: a, from_context: b, default_value: c}]", &[]),
        ("", &["at least one header"]),
        ("headers: [{key: a}]", &["one of `value`, `from_context`"]),
        ("headers: [{key: a, value: b, from_context: c}]", &["one of `value`, `from_context`"]),
        ("headers: [{value: b}]", &["must be the name of a header"]),
        ("headers: [{action: delete, key: a}, {action: update, key: a, value: b}]", &[]),
        ("headers: [{action: delete, key: a, value: b}]", &["`delete` does not use `value`"]),
        ("headers: [{action: update, key: a}]", &["one of `value`, `from_context`"]),
        ("headers: [{action: put, key: a, value: b}]", &["put"]),
        ("headers: [{key: a, value: \"b\\nc\"}]", &["characters that a header cannot have"]),
    ] {
        check_config(&FACTORY, yaml, expected);
    }
}

/// The headers for a client that sent `metadata`.
async fn headers(yaml: &str, metadata: &[(&str, &str)]) -> Result<Vec<String>, Status> {
    let Ok(Blueprint::Extension(blueprint)) = parse(&FACTORY, yaml) else { panic!("{yaml}") };
    let extension = blueprint.build(environment("headers_setter", None)).unwrap();
    let pairs = metadata.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let metadata: Metadata = pairs.collect();
    let context = Context { identity: metadata.clone(), metadata, ..Context::default() };
    let headers = extension.client_auth().unwrap().headers(&context).await?;
    Ok(headers.iter().map(|(name, value)| format!("{name}={}", value.to_str().unwrap())).collect())
}

#[tokio::test]
async fn sets_what_the_client_sent() {
    let yaml = "headers: [{key: X-Scope, from_context: X-Tenant}, {key: fixed, value: v}, \
                {key: who, from_attribute: username}]";
    let sent = [("x-tenant", "acme"), ("username", "ann")];
    let set = headers(yaml, &sent).await;
    assert_eq!(set.unwrap(), ["x-scope=acme", "fixed=v", "who=ann"]);
}

#[tokio::test]
async fn missing_metadata_falls_back_or_is_left_out() {
    let yaml = "headers: [{key: a, from_context: t, default_value: d}, {key: b, from_context: t}]";
    assert_eq!(headers(yaml, &[]).await.unwrap(), ["a=d"]);
}

#[tokio::test]
async fn ambiguous_metadata_is_refused() {
    let yaml = "headers: [{key: a, from_context: t}]";
    let refused = headers(yaml, &[("t", "1"), ("t", "2")]).await.unwrap_err();
    assert_eq!(refused.code, Code::InvalidArgument);
}

#[tokio::test]
async fn actions_go_by_whether_the_header_is_there() {
    let yaml = "headers: [{action: insert, key: a, value: new}, {action: insert, key: x, value: new}, \
                {action: update, key: b, value: new}, {action: update, key: y, value: new}, \
                {action: upsert, key: c, value: new}, {action: upsert, key: z, value: new}, \
                {action: delete, key: d}, {action: delete, key: absent}, \
                {action: update, key: e, from_context: absent}, \
                {action: update, key: f, from_context: absent, default_value: new}]";
    let Ok(Blueprint::Extension(blueprint)) = parse(&FACTORY, yaml) else { panic!("{yaml}") };
    let extension = blueprint.build(environment("headers_setter", None)).unwrap();
    let mut headers = HeaderMap::new();
    for name in ["a", "b", "c", "d", "e", "f"] {
        headers.insert(name, HeaderValue::from_static("old"));
    }
    let context = Context::default();
    extension.client_auth().unwrap().amend(&context, &mut headers).await.unwrap();
    let mut changed: Vec<_> =
        headers.iter().map(|(name, value)| format!("{name}={}", value.to_str().unwrap())).collect();
    changed.sort();
    assert_eq!(changed, ["a=old", "b=new", "c=new", "e=old", "f=new", "x=new", "z=new"]);
    assert!(headers["b"].is_sensitive());
}
