use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::{JsonSchema, schema_for};
use serde::Deserialize;

use super::*;
use crate::parse::parse;
use crate::value::{Headers, Secret};

#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only its schema is of interest")]
struct Words {
    endpoint: String,
    password: Option<Secret>,
    headers: Headers,
    users: Vec<User>,
    by_name: BTreeMap<String, Option<User>>,
    #[serde(flatten)]
    shared: Shared,
    extra: Value,
}

#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only its schema is of interest")]
struct User {
    name: String,
    token: Secret,
}

#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only its schema is of interest")]
struct Shared {
    key: Secret,
    limit: u64,
}

fn node(text: &str) -> Node {
    parse(&Arc::from("test"), text.as_bytes()).unwrap()
}

#[track_caller]
fn check(text: &str, expected: &str) {
    let description =
        Description { schema: schema_for!(Words).to_value(), pointer_of: |_, _| None };
    assert!(description.mask(&node(text), "").is_equal(&node(expected)), "{text}");
}

#[test]
fn strikes_out_secrets_and_nothing_else() {
    check("{endpoint: a:1, password: x}", "{endpoint: a:1, password: '[REDACTED]'}");
    check("{password: 17, limit: 5}", "{password: '[REDACTED]', limit: 5}");
    check("password:", "password:");
    check("headers: {a: b}", "headers: {a: '[REDACTED]'}");
    check("headers: [{name: a, value: b}]", "headers: [{name: a, value: '[REDACTED]'}]");
    check("users: [{name: a, token: b}]", "users: [{name: a, token: '[REDACTED]'}]");
    check("by_name: {x: {name: a, token: b}}", "by_name: {x: {name: a, token: '[REDACTED]'}}");
    check("{key: k, limit: 1}", "{key: '[REDACTED]', limit: 1}");
    check("extra: {a: [b]}", "extra: {a: [b]}");
}

#[test]
fn strikes_out_what_the_schema_does_not_know() {
    check("passwrod: x", "passwrod: '[REDACTED]'");
    check("nested: {a: [x, 1]}", "nested: {a: ['[REDACTED]', '[REDACTED]']}");
}

#[test]
fn strikes_out_passwords_in_urls() {
    check("endpoint: https://u:p@h:1/x?y@z", "endpoint: https://[REDACTED]@h:1/x?y@z");
    check("endpoint: https://h:1/x@y", "endpoint: https://h:1/x@y");
}

#[test]
fn strikes_out_everything_without_a_schema() {
    assert!(all(&node("{a: x, b: 1}")).is_equal(&node("{a: '[REDACTED]', b: '[REDACTED]'}")));
}
