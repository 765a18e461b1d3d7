//! Value: one node, as serde asks for it.
//!
//! What is written decides, not what is wanted: `"5"` is not a number and `yes` is not a truth
//! value. Only text takes every single value, as it was written.

use serde::de::value::StrDeserializer;
use serde::de::{self, Deserializer, Expected, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use crate::nearest;
use crate::node::{Content, Entry, Node};
use crate::scalar::{Meaning, Scalar, resolve};

use super::error::{Error, Flaw, shortened, unknown_key, unknown_word};
use super::keys::{CommaList, Entries, Items, Variant};
use super::{Address, Decisions};

/// Reads one node.
#[derive(Clone, Copy)]
pub(super) struct ValueReader<'a> {
    pub(super) node: &'a Node,
    pub(super) decisions: &'a Decisions,
    /// Whether nothing stands for the empty value of its type; else its field keeps the default.
    pub(super) null_is_empty: bool,
}

impl<'a> ValueReader<'a> {
    /// The reader of a whole section.
    pub(super) fn root(node: &'a Node, decisions: &'a Decisions) -> Self {
        Self { node, decisions, null_is_empty: true }
    }

    fn meaning(&self) -> Option<Meaning<'a>> {
        let Content::Scalar(scalar) = &self.node.content else { return None };
        if self.decisions.texts.contains(&Address::of(self.node)) {
            return Some(Meaning::Text(&scalar.text));
        }
        Some(scalar.meaning())
    }

    fn scalar(&self) -> Option<&'a Scalar> {
        match &self.node.content {
            Content::Scalar(scalar) => Some(scalar),
            Content::List(_) | Content::Map(_) => None,
        }
    }

    fn entries(&self) -> Option<&'a [Entry]> {
        match &self.node.content {
            Content::Map(entries) => Some(entries),
            Content::Scalar(scalar) if self.null_is_empty && scalar.is_null() => Some(&[]),
            Content::Scalar(_) | Content::List(_) => None,
        }
    }

    /// The node is not what was wanted.
    fn mismatch(&self, wanted: &str) -> Error {
        let found = match self.meaning() {
            None => self.node.kind().to_owned(),
            Some(Meaning::Null) => "nothing".to_owned(),
            Some(Meaning::Bool(value)) => format!("`{value}`"),
            Some(Meaning::Integer(value)) => format!("the number {value}"),
            Some(Meaning::Float(value)) => format!("the number {value}"),
            Some(Meaning::Text(text)) => format!("the text `{}`", shortened(text)),
        };
        Error::exactly(self.node, format!("{wanted} expected, found {found}"))
    }

    /// The node is no map; a text in its place may be secret and is not shown.
    fn no_map(&self) -> Error {
        match self.meaning() {
            Some(Meaning::Text(_)) => Error::exactly(self.node, "a map expected, found text"),
            _ => self.mismatch("a map"),
        }
    }

    /// The number, with a fraction or without.
    fn number(&self, wanted: &str) -> Result<Meaning<'a>, Error> {
        match self.meaning() {
            Some(number @ (Meaning::Integer(_) | Meaning::Float(_))) => Ok(number),
            Some(Meaning::Text(text))
                if matches!(resolve(text), Meaning::Integer(_) | Meaning::Float(_)) =>
            {
                Err(self.mismatch(wanted).remedied("write it without quotes"))
            }
            _ => Err(self.mismatch(wanted)),
        }
    }

    fn integer<'de, V: Visitor<'de>>(
        self,
        wanted: &str,
        range: (i128, i128),
        visitor: V,
    ) -> Result<V::Value, Error> {
        let value = match self.number(wanted)? {
            Meaning::Integer(value) => Some(value),
            Meaning::Float(value) => whole(value),
            Meaning::Null | Meaning::Bool(_) | Meaning::Text(_) => None,
        };
        let value = value.ok_or_else(|| self.mismatch(wanted))?;
        let (least, greatest) = range;
        if !(least..=greatest).contains(&value) {
            let message = format!("{value} is out of range: {least} to {greatest}");
            return Err(Error::exactly(self.node, message));
        }
        match u64::try_from(value) {
            Ok(value) => visitor.visit_u64(value),
            Err(_) => visitor.visit_i64(value.try_into().unwrap_or(i64::MIN)),
        }
    }

    /// Refuses the keys that are not among `fields`, all at once.
    fn refuse_unknown(&self, entries: &[Entry], fields: &[&str]) -> Result<(), Error> {
        let is_unknown = |entry: &&Entry| {
            !fields.contains(&entry.key.as_str())
                && !self.decisions.passed.contains(&Address::of(&entry.value))
        };
        let flaw = |entry: &Entry| Flaw {
            at: Some(Address::of(&entry.value)),
            is_exact: true,
            is_key: true,
            remedy: nearest::remedy(&entry.key, fields),
            ..Flaw::new(unknown_key(&entry.key))
        };
        let flaws: Vec<_> = entries.iter().filter(is_unknown).map(flaw).collect();
        if flaws.is_empty() { Ok(()) } else { Err(Error::UnknownKeys(flaws)) }
    }
}

/// The integer that a float stands for, as in `1e3`.
fn whole(value: f64) -> Option<i128> {
    /// The first float above every `u64`.
    const BEYOND: f64 = 18_446_744_073_709_551_616.0;
    let is_whole = value.fract() == 0.0 && -BEYOND < value && value < BEYOND;
    is_whole.then(|| format!("{value:.0}").parse().ok())?
}

/// Whether serde only buffers the value, to read it later without us: flattened structs and
/// untagged enums do so.
fn is_buffering(visitor: &dyn Expected) -> bool {
    visitor.to_string() == "any value"
}

macro_rules! integers {
    ($($method:ident $type:ty, $wanted:literal;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.integer($wanted, (<$type>::MIN.into(), <$type>::MAX.into()), visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for ValueReader<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let is_buffering = is_buffering(&visitor);
        match self.meaning() {
            None if matches!(self.node.content, Content::Map(_)) => self.deserialize_map(visitor),
            None => self.deserialize_seq(visitor),
            // Serde would read nothing into `None`; an optional struct is to be present.
            Some(Meaning::Null) if is_buffering => visitor.visit_some(EmptyMap),
            Some(Meaning::Null) => visitor.visit_unit(),
            Some(Meaning::Bool(value)) => visitor.visit_bool(value),
            Some(Meaning::Integer(value)) => match u64::try_from(value) {
                Ok(value) => visitor.visit_u64(value),
                Err(_) => visitor.visit_i64(value.try_into().unwrap_or(i64::MIN)),
            },
            Some(Meaning::Float(value)) => match whole(value).and_then(|v| u64::try_from(v).ok()) {
                Some(value) if is_buffering => visitor.visit_u64(value),
                _ => visitor.visit_f64(value),
            },
            Some(Meaning::Text(text)) => visitor.visit_str(text),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        const WANTED: &str = "`true` or `false`";
        match self.meaning() {
            Some(Meaning::Bool(value)) => visitor.visit_bool(value),
            Some(Meaning::Text(text)) => {
                let error = self.mismatch(WANTED);
                Err(match text.to_ascii_lowercase().as_str() {
                    "true" | "yes" | "on" | "y" => error.remedied("write `true`, without quotes"),
                    "false" | "no" | "off" | "n" => error.remedied("write `false`, without quotes"),
                    _ => error,
                })
            }
            _ => Err(self.mismatch(WANTED)),
        }
    }

    integers! {
        deserialize_i8 i8, "a whole number";
        deserialize_i16 i16, "a whole number";
        deserialize_i32 i32, "a whole number";
        deserialize_i64 i64, "a whole number";
        deserialize_u8 u8, "a whole number, 0 or more,";
        deserialize_u16 u16, "a whole number, 0 or more,";
        deserialize_u32 u32, "a whole number, 0 or more,";
        deserialize_u64 u64, "a whole number, 0 or more,";
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.number("a number")? {
            Meaning::Integer(value) => match u64::try_from(value) {
                Ok(value) => visitor.visit_u64(value),
                Err(_) => visitor.visit_i64(value.try_into().unwrap_or(i64::MIN)),
            },
            Meaning::Float(value) => visitor.visit_f64(value),
            Meaning::Null | Meaning::Bool(_) | Meaning::Text(_) => Err(self.mismatch("a number")),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.scalar() {
            Some(scalar) if !scalar.is_null() => visitor.visit_str(&scalar.text),
            Some(_) if self.null_is_empty => visitor.visit_str(""),
            _ => Err(self.mismatch("text")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(Self { null_is_empty: true, ..self })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match (&self.node.content, self.meaning()) {
            (Content::List(items), _) => {
                visitor.visit_seq(Items { items: items.iter(), decisions: self.decisions })
            }
            (_, Some(Meaning::Text(text))) => {
                visitor.visit_seq(CommaList::new(text, self.node, self.decisions))
            }
            _ => Err(self.mismatch("a list")),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let entries = self.entries().ok_or_else(|| self.no_map())?;
        let decisions = self.decisions;
        let entries = entries.iter();
        visitor.visit_map(Entries { entries, current: None, decisions, is_struct: false })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let entries = self.entries().ok_or_else(|| self.no_map())?;
        self.refuse_unknown(entries, fields)?;
        let decisions = self.decisions;
        let entries = entries.iter();
        visitor.visit_map(Entries { entries, current: None, decisions, is_struct: true })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let word = match &self.node.content {
            Content::Map(entries) => match entries.as_slice() {
                [entry] => {
                    return visitor.visit_enum(Variant {
                        node: self.node,
                        entry,
                        decisions: self.decisions,
                    });
                }
                _ => return Err(self.mismatch("a map with one key")),
            },
            Content::List(_) => return Err(self.mismatch("a single value")),
            Content::Scalar(scalar) if scalar.is_null() => return Err(self.mismatch("a value")),
            Content::Scalar(scalar) => scalar.text.as_str(),
        };
        if !variants.contains(&word) {
            let error = Error::exactly(self.node, unknown_word(word, variants));
            return Err(match nearest(word, variants.iter().copied()) {
                Some(near) => error.remedied(format!("did you mean `{near}`?")),
                None => error,
            });
        }
        let name: StrDeserializer<'_, Error> = word.into_deserializer();
        visitor.visit_enum(name)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.node.is_null() {
            true => visitor.visit_unit(),
            false => Err(self.mismatch("nothing")),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    forward_to_deserialize_any! { i128 u128 bytes byte_buf }
}

/// What serde buffers for an empty value.
struct EmptyMap;

impl<'de> Deserializer<'de> for EmptyMap {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let no_entries = std::iter::empty::<((), ())>();
        visitor.visit_map(de::value::MapDeserializer::new(no_entries))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}
