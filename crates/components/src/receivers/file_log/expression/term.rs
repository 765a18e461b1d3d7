//! Term: a value while an expression is evaluated, borrowed from its entry where that is possible.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::receivers::file_log::entry::{Map, Value};

#[derive(Clone, Debug)]
pub(super) enum Term<'e> {
    Nil,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(Cow<'e, str>),
    Bytes(Cow<'e, [u8]>),
    List(Cow<'e, [Value]>),
    Map(Cow<'e, Map>),
}

impl<'e> Term<'e> {
    pub(super) fn of(value: &'e Value) -> Self {
        match value {
            Value::Nil => Self::Nil,
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value) => Self::Int(*value),
            Value::Double(value) => Self::Double(*value),
            Value::Text(text) => Self::Text(text.as_str().into()),
            Value::Bytes(bytes) => Self::Bytes(bytes.as_slice().into()),
            Value::List(list) => Self::List(list.as_slice().into()),
            Value::Map(map) => Self::Map(Cow::Borrowed(map)),
        }
    }

    pub(super) fn into_value(self) -> Value {
        match self {
            Self::Nil => Value::Nil,
            Self::Bool(value) => Value::Bool(value),
            Self::Int(value) => Value::Int(value),
            Self::Double(value) => Value::Double(value),
            Self::Text(text) => Value::Text(text.into_owned()),
            Self::Bytes(bytes) => Value::Bytes(bytes.into_owned()),
            Self::List(list) => Value::List(list.into_owned()),
            Self::Map(map) => Value::Map(map.into_owned()),
        }
    }

    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Bool(_) => "a truth value",
            Self::Int(_) | Self::Double(_) => "a number",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }

    pub(super) fn into_bool(self) -> Result<bool, String> {
        match self {
            Self::Bool(value) => Ok(value),
            other => Err(format!("true or false is needed, found {}", other.kind())),
        }
    }

    pub(super) fn as_text(&self) -> Result<&str, String> {
        match self {
            Self::Text(text) => Ok(text),
            other => Err(format!("text is needed, found {}", other.kind())),
        }
    }

    pub(super) fn is_equal(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nil, Self::Nil) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::List(a), Self::List(b)) => {
                let mut pairs = a.iter().zip(b.iter());
                a.len() == b.len() && pairs.all(|(a, b)| Term::of(a).is_equal(&Term::of(b)))
            }
            (Self::Map(a), Self::Map(b)) => a == b,
            _ => self.ordering(other) == Some(Ordering::Equal),
        }
    }

    /// How numbers or texts compare.
    pub(super) fn ordering(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(b)),
            (Self::Int(a), Self::Double(b)) => (*a as f64).partial_cmp(b),
            (Self::Double(a), Self::Int(b)) => a.partial_cmp(&(*b as f64)),
            (Self::Double(a), Self::Double(b)) => a.partial_cmp(b),
            (Self::Text(a), Self::Text(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }

    /// What stands at `key` in a map or a list.
    pub(super) fn member(self, key: &Term<'_>) -> Result<Term<'e>, String> {
        match (self, key) {
            (Self::Map(Cow::Borrowed(map)), Term::Text(key)) => {
                Ok(map.get(key.as_ref()).map_or(Term::Nil, Term::of))
            }
            (Self::Map(Cow::Owned(mut map)), Term::Text(key)) => {
                let found = map.shift_remove(key.as_ref()).unwrap_or_default();
                Ok(Term::owned(found))
            }
            (Self::List(list), Term::Int(index)) => {
                let from_end = usize::try_from(-*index).ok().filter(|_| *index < 0);
                let at = match from_end {
                    Some(from_end) => list.len().checked_sub(from_end),
                    None => usize::try_from(*index).ok(),
                };
                let found = at.and_then(|at| list.get(at));
                let missing = || format!("a list of {} has no element {index}", list.len());
                found.cloned().map(Term::owned).ok_or_else(missing)
            }
            (of, Term::Text(key)) => Err(format!("{} has no `{key}`", of.kind())),
            (of, key) => Err(format!("{} has no members by {}", of.kind(), key.kind())),
        }
    }

    pub(super) fn owned(value: Value) -> Self {
        match value {
            Value::Nil => Self::Nil,
            Value::Bool(value) => Self::Bool(value),
            Value::Int(value) => Self::Int(value),
            Value::Double(value) => Self::Double(value),
            Value::Text(text) => Self::Text(text.into()),
            Value::Bytes(bytes) => Self::Bytes(bytes.into()),
            Value::List(list) => Self::List(list.into()),
            Value::Map(map) => Self::Map(Cow::Owned(map)),
        }
    }
}
