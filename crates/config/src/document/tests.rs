use std::io;

use super::*;
use crate::{Loader, Outside, render};

struct Nowhere;

impl Outside for Nowhere {
    fn variable(&self, _name: &str) -> Option<String> {
        None
    }

    fn file(&self, _path: &str, _bytes_max: usize) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }
}

fn tree(text: &str) -> Tree {
    Loader { sources: vec![format!("yaml:{text}")], sets: Vec::new() }.load(&Nowhere).unwrap()
}

#[track_caller]
fn check_refused(text: &str, expected: &[&str]) {
    let (_, problems) = Document::read(&tree(text));
    let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems, expected);
}

#[test]
fn finds_components_and_their_places() {
    let (document, problems) = Document::read(&tree(
        "receivers:\n  otlp:\n    protocols: {grpc: }\n  otlp/2:\nexporters: {nop: }\nprocessors:\n",
    ));
    assert_eq!(problems, []);
    let ids: Vec<_> = document.receivers.keys().map(ToString::to_string).collect();
    assert_eq!(ids, ["otlp", "otlp/2"]);
    let section = &document.receivers[&ComponentId::of_kind("otlp")];
    assert_eq!(section.path(), "receivers.otlp");
    assert_eq!(section.position().map(|at| (at.line, at.column)), Some((2, 3)));
    let at = section.key_position("protocols.grpc").unwrap();
    assert_eq!((at.line, at.column), (3, 17));
    assert!(document.processors.is_empty());
}

#[test]
fn tells_all_problems_of_all_sections() {
    check_refused(
        "exporter: {}\nreceivers: [otlp]\nexporters:\n  otlp/: {}\n  nop/a: {}\n  nop / a: {}\n\
         service: {pipeline: }\n",
        &[
            "--config yaml:1:1: exporter: there is no section `exporter`\n  \
             help: did you mean `exporters`?",
            "--config yaml:2:1: receivers: a map of components expected, found a list\n  \
             help: write each as `type:` or `type/name:`",
            "--config yaml:4:3: exporters.otlp/: `otlp/` is not a component id: expected `type` or \
             `type/name`\n  help: such as `otlp` or `otlp/2`",
            "--config yaml:6:3: exporters.nop / a: `nop/a` is defined twice\n  \
             help: spaces do not tell ids apart; rename one",
            "--config yaml:7:11: service.pipeline: there is no key `pipeline` here\n  \
             help: did you mean `pipelines`?",
        ],
    );
}

#[test]
fn takes_an_empty_configuration() {
    let (document, problems) = Document::read(&tree(""));
    assert_eq!(problems, []);
    assert!(document.receivers.is_empty() && document.service.pipelines.is_empty());
}

#[test]
fn masks_what_schemas_call_secret() {
    let tree = tree(
        "exporters: {otlp: {endpoint: a, token: b}, odd: {endpoint: c}}\n\
         service: {telemetry: {traces: {headers: d}, resource: {a: b}}}",
    );
    let mut generator = schemars::SchemaGenerator::default();
    let service = Service::schema_among(&mut generator);
    let otlp = serde_json::json!({
        "properties": { "endpoint": { "type": "string" }, "token": { "format": "password" } }
    });
    let schema = serde_json::json!({
        "properties": { "service": service },
        "$defs": generator.take_definitions(true),
        "otlp": otlp,
    });
    let pointer_of = |group: &str, id: &ComponentId| {
        (group == "exporters" && id.kind() == "otlp").then(|| "/otlp".to_owned())
    };
    let masked = tree.masked(&Description { schema, pointer_of });
    assert_eq!(
        render::yaml(&masked),
        "exporters:\n  otlp:\n    endpoint: a\n    token: \"[REDACTED]\"\n  odd:\n    \
         endpoint: \"[REDACTED]\"\nservice:\n  telemetry:\n    traces:\n      \
         headers: \"[REDACTED]\"\n    resource:\n      a: b\n"
    );
}
