//! Place: where a node stands in its tree. Walked only once something is wrong.

use crate::Position;
use crate::node::{Content, Node};
use crate::path::Path;

use super::{Address, children};

/// A node and the way to it.
pub(super) struct Place<'a> {
    pub(super) node: &'a Node,
    pub(super) path: Path,
    /// Where its key stands, if it is the value of one.
    pub(super) key: Option<&'a Position>,
}

impl<'a> Place<'a> {
    pub(super) fn root(node: &'a Node) -> Self {
        Self { node, path: Path::root(), key: None }
    }

    /// Where to point: at a single value itself, at the key of all else.
    pub(super) fn position(&self) -> &'a Position {
        match &self.node.content {
            Content::Scalar(scalar) if !scalar.is_null() => &self.node.position,
            _ => self.key.unwrap_or(&self.node.position),
        }
    }
}

/// Where the node with that address stands below `root`.
pub(super) fn locate(root: &Node, at: Address) -> Option<Place<'_>> {
    let mut path = Path::root();
    let (node, key) = descend(root, None, at, &mut path)?;
    Some(Place { node, path, key })
}

fn descend<'a>(
    node: &'a Node,
    key: Option<&'a Position>,
    at: Address,
    path: &mut Path,
) -> Option<(&'a Node, Option<&'a Position>)> {
    if Address::of(node) == at {
        return Some((node, key));
    }
    match &node.content {
        Content::Scalar(_) => None,
        Content::List(items) => items.iter().enumerate().find_map(|(index, item)| {
            path.push_index(index);
            let found = descend(item, None, at, path);
            found.or_else(|| leave(path))
        }),
        Content::Map(entries) => entries.iter().find_map(|entry| {
            path.push_key(&entry.key);
            let found = descend(&entry.value, Some(&entry.key_position), at, path);
            found.or_else(|| leave(path))
        }),
    }
}

fn leave<T>(path: &mut Path) -> Option<T> {
    path.pop();
    None
}

/// The node with that address below `root`.
pub(super) fn find(root: &Node, at: Address) -> Option<&Node> {
    if Address::of(root) == at {
        return Some(root);
    }
    children(root).find_map(|child| find(child, at))
}

/// The nodes above the one with that address, the nearest first.
pub(super) fn ancestors(root: &Node, at: Address) -> Option<Vec<Address>> {
    if Address::of(root) == at {
        return Some(Vec::new());
    }
    let mut above = children(root).find_map(|child| ancestors(child, at))?;
    above.push(Address::of(root));
    Some(above)
}
