//! Schema: the JSON schema of a configuration, for editors, the reference and masking.

mod written_forms;

use config::ComponentId;
use config::service::Service;
use pipeline::Factory;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::inspect::{KINDS, of_kind, stability_name};

/// One JSON schema (draft 2020-12) of the whole configuration.
pub(crate) fn of_configuration() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let mut properties = Map::new();
    let mut listing = Map::new();
    let mut parts = Map::new();
    for kind in KINDS {
        let mut patterns = Map::new();
        let mut listed = Map::new();
        for factory in of_kind(kind) {
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

/// The JSON schema, with its definitions, of the component `id` in a top-level section.
pub(crate) fn of_component(section: &str, id: &ComponentId) -> Option<Value> {
    let kind = KINDS.into_iter().find(|kind| kind.section() == section)?;
    let factory = of_kind(kind).find(|factory| factory.is_named(id.kind()))?;
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = (factory.schema)(&mut generator).to_value();
    let definitions = generator.take_definitions(true);
    schema.as_object_mut()?.insert("$defs".to_owned(), definitions.into());
    Some(schema)
}

fn listing_entry(factory: &Factory, reference: Value) -> Value {
    let signals: Vec<&str> = factory.signals.iter().map(|signal| signal.name()).collect();
    json!({
        "about": factory.about,
        "aliases": factory.aliases,
        "signals": signals,
        "stability": stability_name(factory.stability),
        "schema": reference,
    })
}

/// A section may be empty: then everything has its default.
fn nullable(reference: &Value) -> Value {
    json!({ "anyOf": [reference, { "type": "null" }] })
}
