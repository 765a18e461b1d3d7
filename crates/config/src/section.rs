//! Section: the part of a configuration that belongs to one component.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::node::{Content, Node};
use crate::parse;
use crate::problem::Faults;
use crate::reader;
use crate::{Fault, Gates, Position, Problem};

/// The words of a user for one component, and how they become complete settings.
///
/// Implementors deserialise with `#[serde(default, deny_unknown_fields)]`; doc comments on fields
/// become the reference documentation, with unit and meaning.
pub trait Words: DeserializeOwned + Default + JsonSchema {
    type Settings;

    /// Checks everything at once and completes it.
    fn validate(self, gates: &Gates) -> Result<Self::Settings, Faults>;
}

/// The part of a configuration that belongs to one component.
#[derive(Clone, Default)]
pub struct Section {
    origin: Origin,
    /// Nothing, when the section is not written at all.
    node: Option<Arc<Node>>,
}

/// Where a section stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin {
    /// From the root of the configuration, such as `exporters.otlp/2`.
    pub(crate) path: String,
    pub(crate) key: Option<Position>,
}

impl Origin {
    /// The path from the root of what stands at `path` below.
    pub(crate) fn path_to(&self, path: &str) -> String {
        match (self.path.as_str(), path) {
            ("", path) => path.to_owned(),
            (base, "") => base.to_owned(),
            (base, path) if path.starts_with('[') => format!("{base}{path}"),
            (base, path) => format!("{base}.{path}"),
        }
    }
}

impl Section {
    /// The section at `origin`.
    pub(crate) fn new(origin: Origin, node: Node) -> Self {
        Self { origin, node: Some(Arc::new(node)) }
    }

    /// A section read from YAML text, such as a component's built-in defaults.
    pub fn from_yaml(text: &str) -> Result<Self, Vec<Problem>> {
        let source = Arc::from("yaml");
        Ok(Self::new(Origin::default(), parse::parse(&source, text.as_bytes())?))
    }

    /// Reads the section into `W` and validates it; every problem has its position.
    pub fn read<W: Words>(&self, gates: &Gates) -> Result<W::Settings, Vec<Problem>> {
        let words = self.read_as::<W>()?;
        words.validate(gates).map_err(|faults| {
            faults.into_vec().into_iter().map(|fault| self.locate(fault)).collect()
        })
    }

    /// Reads the section into `T` as it is written.
    pub fn read_as<T: DeserializeOwned>(&self) -> Result<T, Vec<Problem>> {
        match &self.node {
            Some(node) => reader::read(node, &self.origin),
            None => {
                let position = Position { source: Arc::from(""), line: 1, column: 1 };
                reader::read(&Node::null(position), &self.origin)
            }
        }
    }

    /// Gives a fault the position of the key it names, or of the nearest one above it.
    #[must_use]
    pub fn locate(&self, fault: Fault) -> Problem {
        Problem {
            position: self.position_of(&fault.path),
            path: self.origin.path_to(&fault.path),
            message: fault.message,
            remedy: fault.remedy,
        }
    }

    /// Where the section's own key stands.
    #[must_use]
    pub fn position(&self) -> Option<&Position> {
        let node = self.node.as_deref().map(|node| &node.position);
        self.origin.key.as_ref().or(node)
    }

    /// Where the value at `path` stands, such as `tls.cert_file` or `actions[2].key`.
    ///
    /// Points at a single value itself, at the key of all else, and at the nearest key above when
    /// nothing stands there.
    #[must_use]
    pub fn position_of(&self, path: &str) -> Option<Position> {
        let mut position = self.position();
        let mut rest = path;
        let mut node = self.node.as_deref();
        while let Some((below, at, left)) = node.and_then(|node| step(node, rest)) {
            (node, position, rest) = (Some(below), Some(at), left);
        }
        position.cloned()
    }

    /// The path from the root of the configuration, such as `exporters.otlp/2`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.origin.path
    }

    /// The section as it stands, if it is written at all.
    #[must_use]
    pub fn node(&self) -> Option<&Node> {
        self.node.as_deref()
    }

    /// Whether both say the same, wherever they stand.
    #[must_use]
    pub fn is_equal(&self, other: &Self) -> bool {
        match (&self.node, &other.node) {
            (Some(a), Some(b)) => a.is_equal(b),
            (None, None) => true,
            (Some(node), None) | (None, Some(node)) => node.is_null(),
        }
    }

    /// Equal sections have equal fingerprints, within one process.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        self.node.as_ref().map_or(0, |node| node.fingerprint())
    }
}

/// One step along `path`: the node below, where to point for it, and the rest of the path.
fn step<'a, 'p>(node: &'a Node, path: &'p str) -> Option<(&'a Node, &'a Position, &'p str)> {
    let path = path.strip_prefix('.').unwrap_or(path);
    let (below, key, rest) = match &node.content {
        Content::Scalar(_) => return None,
        Content::List(items) => {
            let path = path.strip_prefix('[').unwrap_or(path);
            let digits = path.find(|c: char| !c.is_ascii_digit()).unwrap_or(path.len());
            let item = items.get(path[..digits].parse::<usize>().ok()?)?;
            let rest = &path[digits..];
            (item, &item.position, rest.strip_prefix(']').unwrap_or(rest))
        }
        Content::Map(entries) => {
            // A key may contain dots itself: the longest one that fits is meant.
            let rest_after = |key: &str| {
                let rest = path.strip_prefix(key)?;
                (rest.is_empty() || rest.starts_with(['.', '['])).then_some(rest)
            };
            let fitting = entries.iter().filter(|entry| rest_after(&entry.key).is_some());
            let entry = fitting.max_by_key(|entry| entry.key.len())?;
            (&entry.value, &entry.key_position, rest_after(&entry.key)?)
        }
    };
    let position = match &below.content {
        Content::Scalar(scalar) if !scalar.is_null() => &below.position,
        _ => key,
    };
    Some((below, position, rest))
}

// A section holds secrets; what is printed by accident must not show them.
impl fmt::Debug for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Section({})", self.origin.path)
    }
}

#[cfg(test)]
mod tests;
