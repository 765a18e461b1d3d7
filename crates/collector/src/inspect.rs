//! Inspect: what the binary can tell about itself without running anything.

use clap::CommandFactory as _;
use clap_complete::Shell;
use config::ComponentId;
use config::gates;
use config::service::Service;
use pipeline::{Factory, Kind, Stability};
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::cli::Cli;

/// The kinds in the order of a configuration file.
const KINDS: [Kind; 5] =
    [Kind::Receiver, Kind::Processor, Kind::Exporter, Kind::Connector, Kind::Extension];

/// Every component as YAML, in the form of the OpenTelemetry Collector's `components`.
pub(crate) fn components() -> String {
    let mut text = format!(
        "buildinfo:\n    command: tidegate\n    description: Tidegate telemetry collector\n    version: {}\n",
        env!("CARGO_PKG_VERSION")
    );
    for kind in KINDS {
        text += &format!("{}:\n", kind.section());
        for factory in of_kind(kind) {
            text += &format!("    - name: {}\n", factory.name);
            if !factory.aliases.is_empty() {
                text += &format!("      aliases: [{}]\n", factory.aliases.join(", "));
            }
            text += &format!("      about: {}\n", Value::from(factory.about));
            text += &stability(factory);
        }
    }
    text
}

fn stability(factory: &Factory) -> String {
    let level = stability_name(factory.stability);
    let signals = factory.signals.iter().map(|signal| format!("        {signal}: {level}\n"));
    let lines: String = signals.collect();
    if lines.is_empty() {
        format!("      stability:\n        extension: {level}\n")
    } else {
        format!("      stability:\n{lines}")
    }
}

/// The feature gates as a table, or one of them.
pub(crate) fn feature_gates(id: Option<&str>) -> anyhow::Result<String> {
    let shown: Vec<_> =
        gates::ALL.iter().filter(|gate| id.is_none_or(|id| id == gate.id)).collect();
    if let (Some(id), true) = (id, shown.is_empty()) {
        let known: Vec<&str> = gates::ALL.iter().map(|gate| gate.id).collect();
        anyhow::bail!("there is no feature gate `{id}`; known: {}", known.join(", "));
    }
    let rows = shown.iter().map(|gate| format!("{:<28} off by default  {}\n", gate.id, gate.about));
    Ok(rows.collect())
}

/// One JSON schema (draft 2020-12) of the whole configuration.
pub(crate) fn schema() -> Value {
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
    let mut service = Service::schema();
    if let Some(Value::Object(of_service)) =
        service.as_object_mut().and_then(|it| it.remove("$defs"))
    {
        parts.extend(of_service);
    }
    properties.insert("service".to_owned(), service);
    parts.extend(generator.take_definitions(true));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Tidegate configuration",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "$defs": parts,
        "x-components": listing,
    })
}

/// The JSON schema, with its definitions, of the component `id` in a top-level section.
pub(crate) fn component_schema(section: &str, id: &ComponentId) -> Option<Value> {
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

/// A completion script for the shell.
pub(crate) fn completion(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "tidegate", &mut script);
    script
}

/// The manual page, in roff.
pub(crate) fn manual() -> anyhow::Result<Vec<u8>> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page)?;
    Ok(page)
}

fn of_kind(kind: Kind) -> impl Iterator<Item = &'static Factory> {
    components::FACTORIES.iter().filter(move |factory| factory.kind == kind)
}

fn stability_name(stability: Stability) -> &'static str {
    match stability {
        Stability::Stable => "stable",
        Stability::Beta => "beta",
        Stability::Alpha => "alpha",
        Stability::Reserved => "reserved",
    }
}
