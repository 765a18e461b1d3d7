//! Merge: several sources become one tree. Maps are joined, all else is replaced, later wins.

use std::collections::HashMap;

use crate::node::{Content, Entry, Node};
use crate::parse::DEPTH_MAX;

/// What separates the keys of a path in a top-level key: `a::b: c`.
const PATH_SEPARATOR: &str = "::";

/// `base` with everything that `over` says; a null in `over` replaces too.
#[must_use]
pub(crate) fn merge(base: Node, over: Node) -> Node {
    match (base.content, over.content) {
        (Content::Map(below), Content::Map(above)) => {
            Node { position: base.position, content: Content::Map(merge_entries(below, above)) }
        }
        (_, content) => Node { position: over.position, content },
    }
}

fn merge_entries(mut below: Vec<Entry>, above: Vec<Entry>) -> Vec<Entry> {
    let places: HashMap<String, usize> =
        below.iter().enumerate().map(|(place, entry)| (entry.key.clone(), place)).collect();
    for entry in above {
        let Some(place) = places.get(&entry.key) else {
            below.push(entry);
            continue;
        };
        let known = &mut below[*place];
        let position = known.value.position.clone();
        let value = std::mem::replace(&mut known.value, Node::null(position));
        if value.entries().is_none() || entry.value.entries().is_none() {
            known.key_position = entry.key_position;
        }
        known.value = merge(value, entry.value);
    }
    below
}

/// The tree in which every top-level key such as `a::b` has become the map that it stands for.
#[must_use]
pub(crate) fn unfold(root: Node) -> Node {
    let Content::Map(entries) = root.content else { return root };
    let position = root.position;
    let empty = Node { position: position.clone(), content: Content::Map(Vec::new()) };
    entries.into_iter().fold(empty, |tree, entry| {
        let branch = Node { position: position.clone(), content: Content::Map(vec![nest(entry)]) };
        merge(tree, branch)
    })
}

fn nest(entry: Entry) -> Entry {
    let Entry { key, key_position, value } = entry;
    let mut keys = key.rsplitn(DEPTH_MAX, PATH_SEPARATOR).map(str::to_owned);
    let innermost = keys.next().unwrap_or_default();
    let start = Entry { key: innermost, key_position, value };
    keys.fold(start, |inner, key| {
        let key_position = inner.key_position.clone();
        let position = key_position.clone();
        Entry { key, key_position, value: Node { position, content: Content::Map(vec![inner]) } }
    })
}

#[cfg(test)]
mod tests;
