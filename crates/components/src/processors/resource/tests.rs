use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use pipeline::{Answer, Context, Metadata};
use wire::Signal;

use super::FACTORY;
use crate::testing::{attribute, check_config, deliver_from, logs_of, payload, processor, string};

fn typed(key: &str, value: Value) -> KeyValue {
    let value = Some(AnyValue { value: Some(value) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

/// Holds that `actions` turn the resource attributes `before` into `after`.
async fn check(actions: &str, before: Vec<KeyValue>, after: Vec<KeyValue>) {
    let (consumer, capture) =
        processor(&FACTORY, &format!("attributes: [{actions}]"), Signal::Logs);
    let logs = |attributes| {
        let mut logs = logs_of(&["a", "b"]);
        logs.resource_logs[0].resource = Some(Resource { attributes, ..Resource::default() });
        logs
    };
    let pairs = [("tenant", "acme"), ("many", "1"), ("many", "2")];
    let pairs = pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let identity = Metadata::from_iter([("subject".to_owned(), "ann".to_owned())]);
    let metadata = Metadata::from_iter(pairs);
    let context =
        Context { metadata, identity, peer: Some("10.0.0.1".into()), ..Context::default() };
    let answer = deliver_from(consumer.as_ref(), payload(&logs(before)), context).await;
    assert_eq!(answer, Answer::Delivered { rejected: 0, warning: None });
    assert_eq!(capture.only::<ExportLogsServiceRequest>(), logs(after), "{actions}");
}

#[test]
fn configuration_is_checked() {
    for (yaml, expected) in [
        ("attributes: [{key: a, value: 1, action: insert}]", &[][..]),
        ("attributes: [{key: a, from_attribute: b, action: upsert}]", &[]),
        ("attributes: [{pattern: '^x', action: delete}]", &[]),
        ("attributes: [{key: a, pattern: '(?P<b>.*)', action: extract}]", &[]),
        ("attributes: [{key: a, converted_type: int, action: convert}]", &[]),
        ("", &["needs at least one action"]),
        ("attributes: [{key: a, value: 1}]", &["`action` is needed"]),
        ("attributes: [{key: a, action: insert}]", &["exactly one of `value`"]),
        ("attributes: [{key: a, value: 1, from_attribute: b, action: insert}]", &["exactly one"]),
        ("attributes: [{value: 1, action: insert}]", &["`key` is needed"]),
        ("attributes: [{key: a, value: 1, action: delete}]", &["does not use `value`"]),
        ("attributes: [{key: a, pattern: b, value: 1, action: update}]", &["not use `pattern`"]),
        ("attributes: [{key: a, action: extract}]", &["needs a `pattern`"]),
        ("attributes: [{key: a, pattern: '(x)', action: extract}]", &["no named groups"]),
        ("attributes: [{key: a, pattern: '(', action: hash}]", &["not a regular expression"]),
        ("attributes: [{key: a, action: convert}]", &["needs a `converted_type`"]),
        ("attributes: [{key: a, from_context: host, action: insert}]", &["part of the context"]),
        ("attributes: [{key: a, action: remove}]", &["remove"]),
    ] {
        check_config(&FACTORY, yaml, expected);
    }
}

#[tokio::test]
async fn sets_values_by_presence() {
    let a = || vec![attribute("a", "old")];
    check("{key: a, value: new, action: insert}", a(), a()).await;
    check("{key: a, value: new, action: insert}", vec![], vec![attribute("a", "new")]).await;
    check("{key: a, value: new, action: update}", a(), vec![attribute("a", "new")]).await;
    check("{key: a, value: new, action: update}", vec![], vec![]).await;
    check("{key: a, value: 7, action: upsert}", a(), vec![typed("a", Value::IntValue(7))]).await;
    let both = vec![typed("x", Value::BoolValue(true)), typed("y", Value::DoubleValue(1.5))];
    let actions = "{key: x, value: true, action: upsert}, {key: y, value: 1.5, action: upsert}";
    check(actions, vec![], both).await;
}

#[tokio::test]
async fn takes_values_from_attributes_and_from_the_client() {
    let list = Value::ArrayValue(opentelemetry_proto::tonic::common::v1::ArrayValue {
        values: vec![string("x"), string("y")],
    });
    let before = vec![typed("from", list.clone())];
    let after = vec![typed("from", list.clone()), typed("to", list)];
    check("{key: to, from_attribute: from, action: insert}", before, after).await;
    check("{key: to, from_attribute: absent, action: insert}", vec![], vec![]).await;
    for (from, value) in [
        ("metadata.Tenant", "acme"),
        ("metadata.many", "1;2"),
        ("auth.subject", "ann"),
        ("client.address", "10.0.0.1"),
    ] {
        let action = format!("{{key: a, from_context: {from}, action: insert}}");
        check(&action, vec![], vec![attribute("a", value)]).await;
    }
    check("{key: a, from_context: metadata.absent, action: upsert}", vec![], vec![]).await;
}

#[tokio::test]
async fn deletes_and_hashes_by_key_and_pattern() {
    let before = || vec![attribute("a", "1"), attribute("ab", "2"), attribute("c", "3")];
    check("{key: a, action: delete}", before(), before()[1..].to_vec()).await;
    check("{pattern: ^a, action: delete}", before(), before()[2..].to_vec()).await;
    let one = "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b";
    let hashed = vec![attribute("a", one), attribute("ab", "2"), attribute("c", "3")];
    check("{key: a, action: hash}", before(), hashed).await;
}

#[tokio::test]
async fn extracts_named_groups() {
    let action = r"{key: url, pattern: '^(?P<host>[^/]+)/(?P<path>.*)$', action: extract}";
    let url = attribute("url", "shop/cart");
    let after = vec![url.clone(), attribute("host", "shop"), attribute("path", "cart")];
    check(action, vec![url], after).await;
    let other = vec![attribute("url", "nothing")];
    check(action, other.clone(), other).await;
}

#[tokio::test]
async fn converts_what_can_be_converted() {
    let text = |text| vec![attribute("a", text)];
    let int = |value| vec![typed("a", Value::IntValue(value))];
    let double = |value| vec![typed("a", Value::DoubleValue(value))];
    let to = |kind: &str| format!("{{key: a, converted_type: {kind}, action: convert}}");
    check(&to("int"), text("42"), int(42)).await;
    check(&to("int"), text("x"), text("x")).await;
    check(&to("int"), double(2.9), int(2)).await;
    check(&to("double"), text("2.5"), double(2.5)).await;
    check(&to("double"), int(3), double(3.0)).await;
    check(&to("string"), int(3), text("3")).await;
    check(&to("string"), vec![typed("a", Value::BoolValue(true))], text("true")).await;
}
