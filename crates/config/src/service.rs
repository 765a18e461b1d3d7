//! Service: which components run, how they are joined, and what Tidegate tells about itself.

pub mod telemetry;

use std::collections::{BTreeMap, BTreeSet};

use schemars::{JsonSchema, SchemaGenerator};
use serde::Deserialize;

use crate::id::ComponentId;
use crate::nearest;
use crate::node::{Entry, Node};
use crate::problem::{self, Problem};
use crate::section::Section;
use crate::{Fault, Position};

pub use telemetry::Telemetry;

/// What pipelines may carry.
const SIGNALS: &[&str] = &["logs", "metrics", "profiles", "traces"];

/// The `service` section.
#[derive(Clone, Debug, Default)]
pub struct Service {
    pub extensions: Vec<Reference>,
    pub pipelines: Vec<Pipeline>,
    pub telemetry: Telemetry,
    /// Where `pipelines` stands, or else `service`.
    pub position: Option<Position>,
    /// What the operator should know.
    pub warnings: Vec<Problem>,
}

/// One entry of `service.pipelines`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipeline {
    /// Its type is `logs`, `metrics`, `profiles` or `traces`.
    pub id: ComponentId,
    pub position: Option<Position>,
    pub receivers: Vec<Reference>,
    pub processors: Vec<Reference>,
    pub exporters: Vec<Reference>,
}

/// A component that is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    pub id: ComponentId,
    pub position: Option<Position>,
}

/// The words of `service`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct ServiceWords {
    /// The extensions that run, in the order in which they start.
    extensions: Vec<ComponentId>,
    /// The pipelines, by signal and name, such as `traces` or `logs/audit`.
    pipelines: BTreeMap<String, PipelineWords>,
    /// What Tidegate tells about itself.
    telemetry: Telemetry,
}

/// One pipeline.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct PipelineWords {
    /// Where data comes from: receivers, and connectors that other pipelines end in.
    receivers: Vec<ComponentId>,
    /// What is done to it, in this order.
    processors: Vec<ComponentId>,
    /// Where data goes: exporters, and connectors that other pipelines start from.
    exporters: Vec<ComponentId>,
}

impl Service {
    /// Reads the section; all problems are told at once.
    pub fn read(section: &Section) -> Result<Self, Vec<Problem>> {
        let mut problems = check_pipeline_ids(section);
        let read = section.read_as().map_err(|found| problems.extend(found));
        let ServiceWords { extensions, pipelines, telemetry } = read.unwrap_or_default();
        if let Err(faults) = telemetry.check() {
            let found = faults.into_vec().into_iter().map(|fault| section.locate(fault));
            problems.extend(found);
        }
        if !problems.is_empty() {
            problem::sort(&mut problems);
            return Err(problems);
        }
        let pipelines = pipelines.into_iter().filter_map(|(key, words)| {
            let id = key.parse().ok()?;
            let path = format!("pipelines.{key}");
            Some(Pipeline {
                id,
                position: section.key_position(&path),
                receivers: references(section, &path, "receivers", words.receivers),
                processors: references(section, &path, "processors", words.processors),
                exporters: references(section, &path, "exporters", words.exporters),
            })
        });
        Ok(Self {
            extensions: references(section, "", "extensions", extensions),
            pipelines: pipelines.collect(),
            warnings: telemetry::warnings(section),
            telemetry,
            position: section.key_position("pipelines"),
        })
    }

    /// The JSON schema of the section, its definitions left with `generator`, so that their names
    /// differ from those of everything else that is described there.
    pub fn schema_among(generator: &mut SchemaGenerator) -> serde_json::Value {
        ServiceWords::json_schema(generator).to_value()
    }
}

/// What is wrong with the keys of `pipelines`.
fn check_pipeline_ids(section: &Section) -> Vec<Problem> {
    let entries = section.node_at("pipelines").and_then(Node::entries).unwrap_or_default();
    let mut known = BTreeSet::new();
    let check = |entry: &Entry| {
        let (message, remedy) = match pipeline_id(&entry.key) {
            Ok(id) if known.insert(id.clone()) => return None,
            Ok(id) => (format!("the pipeline `{id}` is defined twice"), None),
            Err(error) => error,
        };
        Some(locate_key(section, format!("pipelines.{}", entry.key), message, remedy))
    };
    entries.iter().filter_map(check).collect()
}

fn pipeline_id(key: &str) -> Result<ComponentId, (String, Option<String>)> {
    let id: ComponentId = key.parse().map_err(|_| {
        let message = format!("`{key}` is not a pipeline id");
        (message, Some("write a signal, or a signal and a name: `logs`, `logs/audit`".to_owned()))
    })?;
    match SIGNALS.contains(&id.kind()) {
        true => Ok(id),
        false => {
            let message = format!("there is no signal `{}`", id.kind());
            Err((message, nearest::remedy(id.kind(), SIGNALS)))
        }
    }
}

fn locate_key(section: &Section, path: String, message: String, remedy: Option<String>) -> Problem {
    let position = section.key_position(&path);
    Problem { position, ..section.locate(Fault { path, message, remedy }) }
}

/// The components named in the list `key` of what stands at `path`.
fn references(section: &Section, path: &str, key: &str, ids: Vec<ComponentId>) -> Vec<Reference> {
    let dot = if path.is_empty() { "" } else { "." };
    let position = |index| section.position_of(&format!("{path}{dot}{key}[{index}]"));
    let place = |(index, id)| Reference { id, position: position(index) };
    ids.into_iter().enumerate().map(place).collect()
}

#[cfg(test)]
mod tests;
