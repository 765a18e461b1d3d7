//! Moving: the operators `move`, `copy`, `add`, `remove`, `retain`, `flatten` and `assign_keys`.

use config::Faults;

use super::any::AnyWords;
use super::route::{field, operator_words};
use super::{Transform, Work};
use crate::receivers::file_log::entry::field::Found;
use crate::receivers::file_log::entry::{Entry, Field, Map, Root, Value};
use crate::receivers::file_log::expression::Expression;

operator_words! {
    /// Moves a value from one field to another.
    pub struct MoveWords {
        /// The field to take from. Needed.
        pub from: Option<String>,
        /// The field to put it into. Needed.
        pub to: Option<String>,
    }
}

operator_words! {
    /// Copies a value from one field to another.
    pub struct CopyWords {
        /// The field to copy from. Needed.
        pub from: Option<String>,
        /// The field to copy to. Needed.
        pub to: Option<String>,
    }
}

operator_words! {
    /// Sets a field.
    pub struct AddWords {
        /// The field to set. Needed.
        pub field: Option<String>,
        /// Its value, or `EXPR(...)` with an expression in it. Needed.
        pub value: Option<AnyWords>,
    }
}

operator_words! {
    /// Removes a field.
    pub struct RemoveWords {
        /// The field to remove: one, or all `attributes`, or the whole `resource`. Needed.
        pub field: Option<String>,
    }
}

operator_words! {
    /// Removes all fields but those that are listed.
    pub struct RetainWords {
        /// The fields to keep. Of body, attributes and resource, those remain whole of which no
        /// field is listed. Needed.
        pub fields: Vec<String>,
    }
}

operator_words! {
    /// Puts what is in a map beside it.
    pub struct FlattenWords {
        /// The field that holds the map. Needed.
        pub field: Option<String>,
    }
}

operator_words! {
    /// Makes a map of a list by giving a key to each of its values.
    pub struct AssignKeysWords {
        /// The field that holds the list. Needed.
        pub field: Option<String>,
        /// The keys, as many as there are values. Needed.
        pub keys: Vec<String>,
    }
}

#[derive(Debug)]
enum Moving {
    Move { from: Field, to: Field },
    Copy { from: Field, to: Field },
    Add { field: Field, value: Value },
    Compute { field: Field, expression: Expression },
    Remove(Field),
    Retain(Vec<Field>),
    Flatten(Field),
    AssignKeys { field: Field, keys: Vec<String> },
}

impl MoveWords {
    pub(super) fn build(self, faults: &mut Faults) -> Option<Work> {
        let from = field("from", self.from, faults);
        let to = field("to", self.to, faults);
        Some(Moving::Move { from: from?, to: to? }.into())
    }
}

impl CopyWords {
    pub(super) fn build(self, faults: &mut Faults) -> Option<Work> {
        let from = field("from", self.from, faults);
        let to = field("to", self.to, faults);
        Some(Moving::Copy { from: from?, to: to? }.into())
    }
}

impl AddWords {
    pub(super) fn build(self, faults: &mut Faults) -> Option<Work> {
        let field = field("field", self.field, faults);
        let Some(AnyWords(value)) = self.value else {
            faults.add("value", "`value` is needed");
            return None;
        };
        match value.as_text().and_then(Expression::embedded) {
            Some(Ok(expression)) => Some(Moving::Compute { field: field?, expression }.into()),
            Some(Err(message)) => {
                faults.add("value", message);
                None
            }
            None => {
                let field = field?;
                if !field.takes(&value) {
                    faults.add("value", format!("`{field}` can only be a map"));
                }
                Some(Moving::Add { field, value }.into())
            }
        }
    }
}

impl RemoveWords {
    pub(super) fn build(self, faults: &mut Faults) -> Option<Work> {
        Some(Moving::Remove(field("field", self.field, faults)?).into())
    }
}

impl RetainWords {
    pub(super) fn build(self, faults: &mut Faults) -> Option<Work> {
        if self.fields.is_empty() {
            faults.add("fields", "at least one field is needed");
        }
        let fields = self.fields.into_iter().enumerate();
        let fields = fields.map(|(at, text)| field(&format!("fields[{at}]"), Some(text), faults));
        Some(Moving::Retain(fields.collect::<Option<Vec<_>>>()?).into())
    }
}

impl FlattenWords {
    pub(super) fn build(self, faults: &mut Faults) -> Option<Work> {
        let field = field("field", self.field, faults)?;
        if field.is_root() {
            let message = format!("there is nothing above `{field}` into which to flatten it");
            faults.add("field", message);
        }
        Some(Moving::Flatten(field).into())
    }
}

impl AssignKeysWords {
    pub(super) fn build(self, faults: &mut Faults) -> Option<Work> {
        if self.keys.is_empty() {
            faults.add("keys", "at least one key is needed");
        }
        let field = field("field", self.field, faults)?;
        Some(Moving::AssignKeys { field, keys: self.keys }.into())
    }
}

impl From<Moving> for Work {
    fn from(moving: Moving) -> Self {
        Self::Transform(Box::new(moving))
    }
}

impl Transform for Moving {
    fn apply(&self, entry: &mut Entry) -> Result<(), String> {
        let missing = |field: &Field| format!("there is no `{field}`");
        match self {
            Self::Move { from, to } => {
                let found = from.of(entry).ok_or_else(|| missing(from))?;
                check(to, found)?;
                let value = from.remove(entry).ok_or_else(|| missing(from))?;
                to.set(entry, value);
            }
            Self::Copy { from, to } => {
                let found = from.of(entry).ok_or_else(|| missing(from))?;
                check(to, found)?;
                let value = found.to_value();
                to.set(entry, value);
            }
            Self::Add { field, value } => field.set(entry, value.clone()),
            Self::Compute { field, expression } => {
                let value = expression.value(entry)?;
                check(field, Found::Value(&value))?;
                field.set(entry, value);
            }
            Self::Remove(field) => {
                field.remove(entry).ok_or_else(|| missing(field))?;
            }
            Self::Retain(fields) => retain(fields, entry),
            Self::Flatten(field) => flatten(field, entry)?,
            Self::AssignKeys { field, keys } => assign_keys(field, keys, entry)?,
        }
        Ok(())
    }
}

/// Whether `found` can be put into `to`.
fn check(to: &Field, found: Found<'_>) -> Result<(), String> {
    let is_map = matches!(found, Found::Map(_) | Found::Value(Value::Map(_)));
    match !to.is_root() || to.root == Root::Body || is_map {
        true => Ok(()),
        false => Err(format!("`{to}` can only be a map, not {}", found.kind())),
    }
}

fn retain(fields: &[Field], entry: &mut Entry) {
    for root in [Root::Body, Root::Attributes, Root::Resource] {
        let listed: Vec<&Field> = fields.iter().filter(|field| field.root == root).collect();
        if listed.is_empty() || listed.iter().any(|field| field.is_root()) {
            continue;
        }
        let kept: Vec<Option<Value>> =
            listed.iter().map(|field| field.of(entry).map(Found::to_value)).collect();
        match root {
            Root::Body => entry.body = Value::Nil,
            Root::Attributes => entry.attributes.clear(),
            Root::Resource => entry.resource.clear(),
        }
        for (field, value) in listed.into_iter().zip(kept) {
            value.into_iter().for_each(|value| field.set(entry, value));
        }
    }
}

fn flatten(field: &Field, entry: &mut Entry) -> Result<(), String> {
    match field.of(entry) {
        None => return Err(format!("there is no `{field}`")),
        Some(Found::Value(Value::Map(_))) => {}
        Some(found) => return Err(format!("`{field}` is {}, not a map", found.kind())),
    }
    let Some(inner) = field.remove(entry) else { return Ok(()) };
    let mut above = field.clone();
    above.keys.pop();
    above.set(entry, inner);
    Ok(())
}

fn assign_keys(field: &Field, keys: &[String], entry: &mut Entry) -> Result<(), String> {
    let values = match field.of(entry) {
        Some(Found::Value(Value::List(values))) => values,
        Some(found) => return Err(format!("`{field}` is {}, not a list", found.kind())),
        None => return Err(format!("there is no `{field}`")),
    };
    if values.len() != keys.len() {
        return Err(format!("{} values for {} keys", values.len(), keys.len()));
    }
    let map: Map = keys.iter().cloned().zip(values.iter().cloned()).collect();
    if field.remove(entry).is_some() {
        field.set(entry, Value::Map(map));
    }
    Ok(())
}
