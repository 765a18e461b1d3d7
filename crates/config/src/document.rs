//! Document: a configuration by its sections, each component with its id and its place.

use std::collections::BTreeMap;

use crate::id::ComponentId;
use crate::loader::Tree;
use crate::mask::{self, Description};
use crate::nearest;
use crate::node::{Content, Entry, Node};
use crate::problem::{self, Problem};
use crate::section::{Origin, Section};
use crate::service::Service;

/// The top-level keys.
const KEYS: &[&str] =
    &["receivers", "processors", "exporters", "connectors", "extensions", "service"];

/// The components of one kind, by id.
pub type Components = BTreeMap<ComponentId, Section>;

/// A whole configuration; its components are not read yet.
#[derive(Clone, Debug, Default)]
pub struct Document {
    pub receivers: Components,
    pub processors: Components,
    pub exporters: Components,
    pub connectors: Components,
    pub extensions: Components,
    pub service: Service,
    /// What the operator should know.
    pub warnings: Vec<Problem>,
}

impl Document {
    /// Reads the tree; gives what could be read, and all problems at once.
    pub fn read(tree: &Tree) -> (Self, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut document = Self { warnings: tree.warnings.clone(), ..Self::default() };
        for entry in tree.root.entries().unwrap_or_default() {
            let components = match entry.key.as_str() {
                "receivers" => &mut document.receivers,
                "processors" => &mut document.processors,
                "exporters" => &mut document.exporters,
                "connectors" => &mut document.connectors,
                "extensions" => &mut document.extensions,
                "service" => {
                    let section = section("service".to_owned(), entry);
                    match Service::read(&section) {
                        Ok(service) => document.service = service,
                        Err(found) => problems.extend(found),
                    }
                    continue;
                }
                unknown => {
                    problems.push(Problem {
                        position: Some(entry.key_position.clone()),
                        path: unknown.to_owned(),
                        message: format!("there is no section `{unknown}`"),
                        remedy: nearest::remedy(unknown, KEYS),
                    });
                    continue;
                }
            };
            *components = read_components(entry, &mut problems);
        }
        document.warnings.extend(document.service.warnings.iter().cloned());
        problem::sort(&mut problems);
        (document, problems)
    }
}

fn read_components(group: &Entry, problems: &mut Vec<Problem>) -> Components {
    let mut components = Components::new();
    let entries = match &group.value.content {
        Content::Map(entries) => entries.as_slice(),
        Content::Scalar(scalar) if scalar.is_null() => &[],
        Content::Scalar(_) | Content::List(_) => {
            problems.push(Problem {
                position: Some(group.key_position.clone()),
                path: group.key.clone(),
                message: format!("a map of components expected, found {}", group.value.kind()),
                remedy: Some("write each as `type:` or `type/name:`".to_owned()),
            });
            return components;
        }
    };
    for entry in entries {
        let refuse = |message: String, remedy: &str| Problem {
            position: Some(entry.key_position.clone()),
            path: format!("{}.{}", group.key, entry.key),
            message,
            remedy: Some(remedy.to_owned()),
        };
        match entry.key.parse::<ComponentId>() {
            Err(error) => problems.push(refuse(error.to_string(), "such as `otlp` or `otlp/2`")),
            Ok(id) if components.contains_key(&id) => {
                let message = format!("`{id}` is defined twice");
                problems.push(refuse(message, "spaces do not tell ids apart; rename one"));
            }
            Ok(id) => {
                let path = format!("{}.{id}", group.key);
                components.insert(id, section(path, entry));
            }
        }
    }
    components
}

fn section(path: String, entry: &Entry) -> Section {
    let key = Some(entry.key_position.clone());
    Section::new(Origin { path, key }, entry.value.clone())
}

impl Tree {
    /// The tree without its secrets; of a component that is not described, everything is masked.
    #[must_use]
    pub fn masked(&self, description: &Description) -> Node {
        let mask = |entry: &Entry| Entry {
            value: match entry.key.as_str() {
                "service" => description.mask(&entry.value, "/properties/service"),
                group => mask_components(group, &entry.value, description),
            },
            ..entry.clone()
        };
        let entries = self.root.entries().unwrap_or_default();
        let content = Content::Map(entries.iter().map(mask).collect());
        Node { position: self.root.position.clone(), content }
    }
}

fn mask_components(group: &str, node: &Node, description: &Description) -> Node {
    let Some(entries) = node.entries() else { return mask::all(node) };
    let mask = |entry: &Entry| {
        let id = entry.key.parse::<ComponentId>().ok();
        let value = match id.and_then(|id| (description.pointer_of)(group, &id)) {
            Some(pointer) => description.mask(&entry.value, &pointer),
            None => mask::all(&entry.value),
        };
        Entry { value, ..entry.clone() }
    };
    let content = Content::Map(entries.iter().map(mask).collect());
    Node { position: node.position.clone(), content }
}

#[cfg(test)]
mod tests;
