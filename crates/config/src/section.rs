//! Section: the part of a configuration that belongs to one component.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::node::{Content, Node};
use crate::parse;
use crate::problem::{self, Faults};
use crate::reader::{self, Reading};
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
        let Reading { value, mut problems } = self.reading::<W>();
        let Some(words) = value else { return Err(problems) };
        match words.validate(gates) {
            Ok(settings) if problems.is_empty() => return Ok(settings),
            Ok(_) => {}
            Err(faults) => {
                let faults = faults.into_vec().into_iter();
                let sure = faults.filter(|fault| self.is_sure(fault, &problems));
                let sure: Vec<_> = sure.map(|fault| self.locate(fault)).collect();
                problems.extend(sure);
            }
        }
        problem::sort(&mut problems);
        Err(problems)
    }

    /// Whether a fault is one beside `problems`, for which parts were passed over: what is missing
    /// may be what one of them was meant to be, and behind one in a list others have moved up.
    fn is_sure(&self, fault: &Fault, problems: &[Problem]) -> bool {
        let path = self.origin.path_to(&fault.path);
        let node = self.node_at(&fault.path);
        let is_value = node.is_some_and(|node| node.entries().is_none() && !node.is_null());
        let lists = || path.match_indices('[').map(|(at, _)| &path[..=at]);
        let is_touched = |problem: &Problem| {
            let rest = path.strip_prefix(&problem.path);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
                || lists().any(|list| problem.path.starts_with(list))
        };
        problems.is_empty() || (is_value && !problems.iter().any(is_touched))
    }

    /// Reads the section into `T` as it is written.
    pub fn read_as<T: DeserializeOwned>(&self) -> Result<T, Vec<Problem>> {
        self.reading().into_result()
    }

    fn reading<T: DeserializeOwned>(&self) -> Reading<T> {
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
        let last = self.steps(path).last();
        last.map(Step::place).or(self.position()).cloned()
    }

    /// Where the key of the value at `path` stands, or the nearest one above.
    #[must_use]
    pub fn key_position(&self, path: &str) -> Option<Position> {
        let last = self.steps(path).last();
        last.map(|step| step.key).or(self.position()).cloned()
    }

    /// What stands at `path`, if anything does.
    #[must_use]
    pub fn node_at(&self, path: &str) -> Option<&Node> {
        if path.is_empty() {
            return self.node();
        }
        let last = self.steps(path).last()?;
        last.rest.is_empty().then_some(last.node)
    }

    /// The steps along `path`, as far as it exists.
    fn steps<'n, 'p>(&'n self, path: &'p str) -> impl Iterator<Item = Step<'n, 'p>> {
        let first = self.node.as_deref().and_then(|node| step(node, path));
        std::iter::successors(first, |last| step(last.node, last.rest))
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
        self.node.as_ref().map_or_else(Node::fingerprint_of_nothing, |node| node.fingerprint())
    }
}

/// One step along a path.
#[derive(Clone, Copy)]
struct Step<'n, 'p> {
    node: &'n Node,
    /// Where its key stands, or the node itself in a list.
    key: &'n Position,
    /// What is left of the path.
    rest: &'p str,
}

impl<'n> Step<'n, '_> {
    /// Where to point: at a single value itself, at the key of all else.
    fn place(self) -> &'n Position {
        match &self.node.content {
            Content::Scalar(scalar) if !scalar.is_null() => &self.node.position,
            _ => self.key,
        }
    }
}

fn step<'n, 'p>(node: &'n Node, path: &'p str) -> Option<Step<'n, 'p>> {
    let path = path.strip_prefix('.').unwrap_or(path);
    match &node.content {
        Content::Scalar(_) => None,
        Content::List(items) => {
            let path = path.strip_prefix('[').unwrap_or(path);
            let digits = path.find(|c: char| !c.is_ascii_digit()).unwrap_or(path.len());
            let node = items.get(path[..digits].parse::<usize>().ok()?)?;
            let rest = &path[digits..];
            let rest = rest.strip_prefix(']').unwrap_or(rest);
            Some(Step { node, key: &node.position, rest })
        }
        Content::Map(entries) => {
            // A key may contain dots itself: the longest one that fits is meant.
            let rest_after = |key: &str| {
                let rest = path.strip_prefix(key)?;
                (rest.is_empty() || rest.starts_with(['.', '['])).then_some(rest)
            };
            let fitting = entries.iter().filter(|entry| rest_after(&entry.key).is_some());
            let entry = fitting.max_by_key(|entry| entry.key.len())?;
            let rest = rest_after(&entry.key)?;
            Some(Step { node: &entry.value, key: &entry.key_position, rest })
        }
    }
}

// A section holds secrets; what is printed by accident must not show them.
impl fmt::Debug for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Section({})", self.origin.path)
    }
}

#[cfg(test)]
mod tests;
