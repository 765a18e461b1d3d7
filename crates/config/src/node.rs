//! Node: a configuration as a tree in which every part knows where it was written.
//!
//! Invariant: the keys of a map are distinct. Bounds: depth and weight, held by the parser and the
//! expansion.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use crate::Position;
use crate::scalar::{Meaning, Scalar};

/// A part of a configuration.
#[derive(Clone)]
pub struct Node {
    pub position: Position,
    pub content: Content,
}

/// What a node holds.
#[derive(Clone)]
pub enum Content {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key of a map with its value.
#[derive(Clone)]
pub struct Entry {
    pub key: String,
    pub key_position: Position,
    pub value: Node,
}

/// What stands for nothing in a fingerprint.
const NOTHING: u8 = 0;

impl Node {
    /// A node that says nothing.
    #[must_use]
    pub fn null(position: Position) -> Self {
        Self { position, content: Content::Scalar(Scalar::plain("")) }
    }

    /// Whether it says nothing.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(&self.content, Content::Scalar(scalar) if scalar.is_null())
    }

    /// The entries, if it is a map.
    #[must_use]
    pub fn entries(&self) -> Option<&[Entry]> {
        match &self.content {
            Content::Map(entries) => Some(entries),
            Content::Scalar(_) | Content::List(_) => None,
        }
    }

    /// The entry of `key`, if it is a map that has it.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries()?.iter().find(|entry| entry.key == key)
    }

    /// How many parts it has; a single value has none.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "an empty map and nothing are not the same")]
    pub fn len(&self) -> usize {
        match &self.content {
            Content::Scalar(_) => 0,
            Content::List(items) => items.len(),
            Content::Map(entries) => entries.len(),
        }
    }

    /// What kind of thing it is, for messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match &self.content {
            Content::Scalar(_) => "a single value",
            Content::List(_) => "a list",
            Content::Map(_) => "a map",
        }
    }

    /// Gives every part of it the same position.
    pub(crate) fn move_to(&mut self, position: &Position) {
        self.position = position.clone();
        match &mut self.content {
            Content::Scalar(_) => {}
            Content::List(items) => items.iter_mut().for_each(|item| item.move_to(position)),
            Content::Map(entries) => {
                for entry in entries {
                    entry.key_position = position.clone();
                    entry.value.move_to(position);
                }
            }
        }
    }

    /// Whether both say the same; positions, key order and comments do not matter.
    #[must_use]
    pub fn is_equal(&self, other: &Self) -> bool {
        match (&self.content, &other.content) {
            (Content::Scalar(a), Content::Scalar(b)) => a.is_equal(b),
            (Content::List(a), Content::List(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.is_equal(b))
            }
            (Content::Map(a), Content::Map(b)) => {
                let known: BTreeMap<_, _> = b.iter().map(|entry| (&entry.key, entry)).collect();
                let is_same = |entry: &Entry| {
                    known.get(&entry.key).is_some_and(|other| entry.value.is_equal(&other.value))
                };
                a.len() == b.len() && a.iter().all(is_same)
            }
            _ => false,
        }
    }

    /// Equal nodes have equal fingerprints, within one process.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash_into(&mut hasher);
        hasher.finish()
    }

    /// The fingerprint of a node that says nothing.
    pub(crate) fn fingerprint_of_nothing() -> u64 {
        let mut hasher = DefaultHasher::new();
        NOTHING.hash(&mut hasher);
        hasher.finish()
    }

    fn hash_into(&self, hasher: &mut DefaultHasher) {
        match &self.content {
            Content::Scalar(scalar) => match scalar.meaning() {
                Meaning::Null => NOTHING.hash(hasher),
                Meaning::Text(text) => (1_u8, text).hash(hasher),
                _ => (4_u8, &scalar.text).hash(hasher),
            },
            Content::List(items) => {
                (2_u8, items.len()).hash(hasher);
                items.iter().for_each(|item| item.hash_into(hasher));
            }
            Content::Map(entries) => {
                (3_u8, entries.len()).hash(hasher);
                let sorted: BTreeMap<_, _> =
                    entries.iter().map(|entry| (&entry.key, &entry.value)).collect();
                for (key, value) in sorted {
                    key.hash(hasher);
                    value.hash_into(hasher);
                }
            }
        }
    }

    /// The bytes it takes, roughly: what budgets are counted in.
    #[must_use]
    pub fn weight(&self) -> usize {
        /// A node without its text.
        const NODE: usize = size_of::<Entry>();
        match &self.content {
            Content::Scalar(scalar) => NODE + scalar.text.len(),
            Content::List(items) => NODE + items.iter().map(Self::weight).sum::<usize>(),
            Content::Map(entries) => {
                let weights = entries.iter().map(|entry| entry.key.len() + entry.value.weight());
                NODE + weights.sum::<usize>()
            }
        }
    }

    /// How many levels it has; a scalar has one.
    #[must_use]
    pub fn depth(&self) -> usize {
        let below = match &self.content {
            Content::Scalar(_) => None,
            Content::List(items) => items.iter().map(Self::depth).max(),
            Content::Map(entries) => entries.iter().map(|entry| entry.value.depth()).max(),
        };
        1 + below.unwrap_or(0)
    }
}

// A tree holds secrets; what is printed by accident must not show them.
impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Position { source, line, column } = &self.position;
        write!(f, "Node({} at {source}:{line}:{column})", self.kind())
    }
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry").field("key", &self.key).field("value", &self.value).finish()
    }
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Scalar(_) => f.write_str("Scalar"),
            Self::List(items) => f.debug_list().entries(items).finish(),
            Self::Map(entries) => f.debug_list().entries(entries).finish(),
        }
    }
}

#[cfg(test)]
mod tests;
