//! Field: the name of a place in an entry, such as `body.a.b` or `attributes["a.b"]`.

use std::fmt;

use super::{Entry, Map, Value};

/// A place in an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub root: Root,
    pub keys: Vec<String>,
}

/// Where a place begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    Body,
    Attributes,
    Resource,
}

const ROOTS: [(&str, Root); 3] =
    [("body", Root::Body), ("attributes", Root::Attributes), ("resource", Root::Resource)];

impl Field {
    /// The body as a whole.
    #[must_use]
    pub fn body() -> Self {
        Self { root: Root::Body, keys: Vec::new() }
    }

    /// All attributes.
    #[must_use]
    pub fn attributes() -> Self {
        Self { root: Root::Attributes, keys: Vec::new() }
    }

    /// An attribute.
    #[must_use]
    pub fn attribute(key: &str) -> Self {
        Self { root: Root::Attributes, keys: vec![key.to_owned()] }
    }

    /// Reads the name of a place; says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let end = text.find(['.', '[']).unwrap_or(text.len());
        let (root, mut rest) = text.split_at(end);
        let Some((_, root)) = ROOTS.into_iter().find(|(name, _)| *name == root) else {
            return Err(format!(
                "`{text}` is no field: it must begin with `body`, `attributes` or `resource`"
            ));
        };
        let mut keys = Vec::new();
        while !rest.is_empty() {
            let (key, after) = next_key(rest).ok_or_else(|| {
                format!("`{text}` is no field: `{rest}` is neither `.key` nor `[\"key\"]`")
            })?;
            keys.push(key.to_owned());
            rest = after;
        }
        Ok(Self { root, keys })
    }

    /// Whether it is a body, all attributes or the whole resource.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.keys.is_empty()
    }

    /// What stands there.
    #[must_use]
    pub fn of<'e>(&self, entry: &'e Entry) -> Option<Found<'e>> {
        let Some((first, rest)) = self.keys.split_first() else {
            return Some(match self.root {
                Root::Body => Found::Value(&entry.body),
                Root::Attributes => Found::Map(&entry.attributes),
                Root::Resource => Found::Map(&entry.resource),
            });
        };
        let map = match self.root {
            Root::Body => entry.body.as_map()?,
            Root::Attributes => &entry.attributes,
            Root::Resource => &entry.resource,
        };
        let first = map.get(first)?;
        let found = rest.iter().try_fold(first, |value, key| value.as_map()?.get(key))?;
        Some(Found::Value(found))
    }

    /// Puts a value there; a map is merged with the map that stands there. What is in the way
    /// makes room.
    pub fn set(&self, entry: &mut Entry, value: Value) {
        if let Value::Map(new) = value {
            return self.map_mut(entry).extend(new);
        }
        match (self.keys.split_last(), self.root) {
            (None, Root::Body) => entry.body = value,
            // Attributes and resources are always maps.
            (None, Root::Attributes | Root::Resource) => {}
            (Some((last, above)), _) => {
                descend(self.root_mut(entry), above).insert(last.clone(), value);
            }
        }
    }

    /// Whether `set` can put this value there.
    #[must_use]
    pub fn takes(&self, value: &Value) -> bool {
        !self.is_root() || self.root == Root::Body || value.as_map().is_some()
    }

    /// Takes what stands there away.
    pub fn remove(&self, entry: &mut Entry) -> Option<Value> {
        let Some((last, above)) = self.keys.split_last() else {
            return Some(match self.root {
                Root::Body => std::mem::take(&mut entry.body),
                Root::Attributes => Value::Map(std::mem::take(&mut entry.attributes)),
                Root::Resource => Value::Map(std::mem::take(&mut entry.resource)),
            });
        };
        let mut map = match (self.root, &mut entry.body) {
            (Root::Body, Value::Map(map)) => map,
            (Root::Body, _) => return None,
            (Root::Attributes, _) => &mut entry.attributes,
            (Root::Resource, _) => &mut entry.resource,
        };
        for key in above {
            let Some(Value::Map(inner)) = map.get_mut(key) else { return None };
            map = inner;
        }
        map.shift_remove(last)
    }

    /// The map that stands there; made if there is none.
    fn map_mut<'e>(&self, entry: &'e mut Entry) -> &'e mut Map {
        descend(self.root_mut(entry), &self.keys)
    }

    fn root_mut<'e>(&self, entry: &'e mut Entry) -> &'e mut Map {
        match self.root {
            Root::Body => entry.body.to_map_mut(),
            Root::Attributes => &mut entry.attributes,
            Root::Resource => &mut entry.resource,
        }
    }
}

/// What stands in a place.
#[derive(Clone, Copy, Debug)]
pub enum Found<'e> {
    Value(&'e Value),
    /// All attributes, or the whole resource.
    Map(&'e Map),
}

impl<'e> Found<'e> {
    /// A copy.
    #[must_use]
    pub fn to_value(self) -> Value {
        match self {
            Self::Value(value) => value.clone(),
            Self::Map(map) => Value::Map(map.clone()),
        }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_text(self) -> Option<&'e str> {
        match self {
            Self::Value(value) => value.as_text(),
            Self::Map(_) => None,
        }
    }

    /// What kind of value it is, for messages.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Value(value) => value.kind(),
            Self::Map(_) => "a map",
        }
    }
}

/// Walks down, and makes maps where there are none.
fn descend<'m>(map: &'m mut Map, keys: &[String]) -> &'m mut Map {
    keys.iter().fold(map, |map, key| map.entry(key.clone()).or_default().to_map_mut())
}

/// The first key of `.key…` or `["key"]…`, and what follows.
fn next_key(text: &str) -> Option<(&str, &str)> {
    if let Some(rest) = text.strip_prefix('.') {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (key, after) = rest.split_at(end);
        return (!key.is_empty()).then_some((key, after));
    }
    let rest = text.strip_prefix('[')?;
    let quote = rest.chars().next().filter(|quote| ['"', '\''].contains(quote))?;
    let (key, after) = rest[1..].split_once(quote)?;
    Some((key, after.strip_prefix(']')?))
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = ROOTS.iter().find(|(_, root)| *root == self.root).map_or("", |(name, _)| name);
        f.write_str(name)?;
        self.keys.iter().try_for_each(|key| match key.contains(['.', '[']) {
            true => write!(f, "[\"{key}\"]"),
            false => write!(f, ".{key}"),
        })
    }
}

#[cfg(test)]
mod tests;
