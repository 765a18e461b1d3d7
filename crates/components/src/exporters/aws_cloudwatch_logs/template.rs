//! Template: the name of a log group or stream, with places for attributes.
//!
//! Pure. `{ClusterName}` and the like are those of the Collector's AWS exporters and stand for
//! resource attributes; any other `{key}` is an attribute of the record, else of its resource.

use std::fmt::Write as _;

use wire::view::{AnyValue, Attributes};

use super::names::Kind;

/// What stands in a name for an attribute that is not there, as upstream.
const MISSING: &str = "undefined";

/// The places that the Collector knows, and the attributes that fill them.
const KNOWN: &[(&str, &str)] = &[
    ("ClusterName", "aws.ecs.cluster.name"),
    ("TaskId", "aws.ecs.task.id"),
    ("NodeName", "k8s.node.name"),
    ("PodName", "pod"),
    ("ServiceName", "service.name"),
    ("ContainerInstanceId", "aws.ecs.container.instance.id"),
    ("TaskDefinitionFamily", "aws.ecs.task.family"),
    ("InstanceId", "service.instance.id"),
    ("FaasName", "faas.name"),
    ("FaasVersion", "faas.version"),
];

/// A name with places for attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    kind: Kind,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Attribute { keys: Vec<String>, is_of_record: bool },
}

/// What the attributes of a name depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Depth {
    Nothing,
    Resource,
    Record,
}

impl Template {
    /// Reads a template; what is written out must be allowed in such a name.
    pub(super) fn parse(kind: Kind, text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (before, place) = match rest.split_once('{') {
                Some((before, after)) => {
                    let closed = after.split_once('}').ok_or("a `{` is not closed by `}`")?;
                    (before, Some(closed))
                }
                None => (rest, None),
            };
            if let Some(flaw) = kind.flaw(before) {
                return Err(flaw);
            }
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            let Some((key, after)) = place else { break };
            parts.push(Part::named(key.trim())?);
            rest = after;
        }
        let starts_reserved = kind == Kind::Group
            && matches!(parts.first(), Some(Part::Text(t)) if t.starts_with("aws/"));
        if starts_reserved {
            return Err("names that begin with `aws/` are reserved".to_owned());
        }
        Ok(Self { kind, parts })
    }

    /// What the name depends on.
    pub(super) fn depth(&self) -> Depth {
        let depths = self.parts.iter().map(|part| match part {
            Part::Text(_) => Depth::Nothing,
            Part::Attribute { is_of_record: false, .. } => Depth::Resource,
            Part::Attribute { is_of_record: true, .. } => Depth::Record,
        });
        depths.max().unwrap_or(Depth::Nothing)
    }

    /// The name, if it depends on nothing.
    pub(super) fn literal(&self) -> Option<String> {
        let texts = self.parts.iter().map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            Part::Attribute { .. } => None,
        });
        texts.collect::<Option<String>>().map(|name| self.kind.mended(&name))
    }

    /// The name for a record with these attributes, fit for the service.
    pub(super) fn expand(
        &self,
        resource: &Attributes<'_>,
        record: Option<&Attributes<'_>>,
    ) -> String {
        let mut name = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => name.push_str(text),
                Part::Attribute { keys, is_of_record } => {
                    let record = record.filter(|_| *is_of_record);
                    let found = keys.iter().find_map(|key| {
                        let own = record.and_then(|attributes| value(attributes, key));
                        own.or_else(|| value(resource, key))
                    });
                    match found {
                        Some(found) => write!(name, "{found}").unwrap_or_default(),
                        None => name.push_str(MISSING),
                    }
                }
            }
        }
        self.kind.mended(&name)
    }
}

impl Part {
    fn named(key: &str) -> Result<Self, String> {
        if key.is_empty() {
            return Err("`{}` names no attribute".to_owned());
        }
        let known = KNOWN.iter().find(|(name, _)| *name == key);
        Ok(match known {
            Some((name, attribute)) => Self::Attribute {
                keys: vec![(*name).to_owned(), (*attribute).to_owned()],
                is_of_record: false,
            },
            None => Self::Attribute { keys: vec![key.to_owned()], is_of_record: true },
        })
    }
}

fn value<'a>(attributes: &Attributes<'a>, key: &str) -> Option<AnyValue<'a>> {
    let value = attributes.get(key)?;
    let is_empty = matches!(value, AnyValue::Empty | AnyValue::Text(""));
    (!is_empty).then_some(value)
}

#[cfg(test)]
mod tests;
