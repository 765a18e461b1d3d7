//! Schema: prints the JSON schema of a configuration, as the types say that are read.
//!
//! `cargo xtask docs` keeps it at `docs/configuration.schema.json`, which is what the product has:
//! the code that describes options is not a part of it.

mod written_forms;

use std::io::Write as _;

use config::service::Service;
use pipeline::{Factory, Kind};
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

fn main() -> std::io::Result<()> {
    writeln!(std::io::stdout().lock(), "{:#}", of_configuration())
}

/// One JSON schema (draft 2020-12) of the whole configuration.
fn of_configuration() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let mut properties = Map::new();
    let mut listing = Map::new();
    let mut parts = Map::new();
    for kind in Kind::ALL {
        let factories = components::FACTORIES.iter();
        let mut patterns = Map::new();
        let mut listed = Map::new();
        for factory in factories.filter(|factory| factory.kind == kind) {
            let key = format!("{} {}", kind.name(), factory.name);
            let part = (factory.schema)(&mut generator).to_value();
            parts.insert(key.clone(), part);
            let reference = json!({ "$ref": format!("#/$defs/{key}") });
            for name in factory.aliases.iter().chain([&factory.name]) {
                patterns.insert(format!("^{name}(/.+)?$"), nullable(&reference));
            }
            listed.insert(factory.name.to_owned(), listing_entry(factory, reference));
        }
        let section = json!({
            "type": ["object", "null"],
            "patternProperties": patterns,
            "additionalProperties": false,
        });
        properties.insert(kind.section().to_owned(), section);
        listing.insert(kind.section().to_owned(), listed.into());
    }
    properties.insert("service".to_owned(), Service::schema_among(&mut generator));
    parts.extend(generator.take_definitions(true));
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Tidegate configuration",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "$defs": parts,
    });
    written_forms::admit(&mut schema);
    schema["x-components"] = listing.into();
    schema
}

fn listing_entry(factory: &Factory, reference: Value) -> Value {
    let signals: Vec<&str> = factory.signals.iter().map(|signal| signal.name()).collect();
    json!({
        "about": factory.about,
        "aliases": factory.aliases,
        "signals": signals,
        "stability": factory.stability.name(),
        "schema": reference,
    })
}

/// A section may be empty: then everything has its default.
fn nullable(reference: &Value) -> Value {
    json!({ "anyOf": [reference, { "type": "null" }] })
}
