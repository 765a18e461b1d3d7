//! Keys: the entries of a map and the items of a list, as serde walks through them.

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use crate::node::{Content, Entry, Node};
use crate::scalar::Scalar;

use super::error::Error;
use super::value::ValueReader;
use super::{Address, Decisions};

/// Walks the entries of a map.
pub(super) struct Entries<'a> {
    pub(super) entries: std::slice::Iter<'a, Entry>,
    pub(super) current: Option<&'a Entry>,
    pub(super) decisions: &'a Decisions,
    /// Whether the keys are fields that have defaults.
    pub(super) is_struct: bool,
}

impl<'a, 'de> MapAccess<'de> for Entries<'a> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let passed = &self.decisions.passed;
        self.current =
            self.entries.by_ref().find(|entry| !passed.contains(&Address::of(&entry.value)));
        let Some(entry) = self.current else { return Ok(None) };
        let key = seed.deserialize(KeyReader(&entry.key));
        key.map(Some).map_err(|error| error.within(&entry.value))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let Some(entry) = self.current else {
            return Err(de::Error::custom("a value was asked for before its key"));
        };
        let reader = ValueReader {
            node: &entry.value,
            decisions: self.decisions,
            null_is_empty: !self.is_struct,
        };
        seed.deserialize(reader).map_err(|error| error.within(&entry.value))
    }
}

/// Walks the items of a list.
pub(super) struct Items<'a> {
    pub(super) items: std::slice::Iter<'a, Node>,
    pub(super) decisions: &'a Decisions,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let passed = &self.decisions.passed;
        let Some(node) = self.items.find(|item| !passed.contains(&Address::of(item))) else {
            return Ok(None);
        };
        let reader = ValueReader { node, decisions: self.decisions, null_is_empty: true };
        seed.deserialize(reader).map(Some).map_err(|error| error.within(node))
    }
}

/// Walks the words of a text that stands where a list is expected: `a, b`.
pub(super) struct CommaList<'a> {
    pub(super) words: std::vec::IntoIter<&'a str>,
    pub(super) node: &'a Node,
    pub(super) decisions: &'a Decisions,
}

impl<'a> CommaList<'a> {
    pub(super) fn new(text: &'a str, node: &'a Node, decisions: &'a Decisions) -> Self {
        let words: Vec<_> = match text {
            "" => Vec::new(),
            _ => text.split(',').map(str::trim).collect(),
        };
        Self { words: words.into_iter(), node, decisions }
    }
}

impl<'de> SeqAccess<'de> for CommaList<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let Some(word) = self.words.next() else { return Ok(None) };
        let content = Content::Scalar(Scalar::plain(word));
        let item = Node { position: self.node.position.clone(), content };
        let reader = ValueReader { node: &item, decisions: self.decisions, null_is_empty: true };
        // The item is not part of the tree; the error belongs to the text as a whole.
        seed.deserialize(reader).map(Some).map_err(|error| error.moved_to(self.node))
    }
}

/// An enum written as a map of one key: the variant and its content.
pub(super) struct Variant<'a> {
    pub(super) node: &'a Node,
    pub(super) entry: &'a Entry,
    pub(super) decisions: &'a Decisions,
}

impl<'a, 'de> EnumAccess<'de> for Variant<'a> {
    type Error = Error;
    type Variant = ValueReader<'a>;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, ValueReader<'a>), Error> {
        let Self { node, entry, decisions } = self;
        let name = seed.deserialize(KeyReader(&entry.key)).map_err(|error| error.moved_to(node))?;
        Ok((name, ValueReader { node: &entry.value, decisions, null_is_empty: true }))
    }
}

impl<'de> VariantAccess<'de> for ValueReader<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.node.is_null() {
            true => Ok(()),
            false => Err(Error::exactly(self.node, "nothing is expected here")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        let node = self.node;
        seed.deserialize(self).map_err(|error| error.within(node))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_struct("", fields, visitor)
    }
}

/// The text of a key, for whatever type the keys of a map have.
struct KeyReader<'a>(&'a str);

impl<'de> Deserializer<'de> for KeyReader<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.0)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let name: StrDeserializer<'_, Error> = self.0.into_deserializer();
        visitor.visit_enum(name)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0.parse() {
            Ok(number) => visitor.visit_u64(number),
            Err(_) => Err(de::Error::invalid_type(Unexpected::Str(self.0), &visitor)),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u128 f32 f64 char str string bytes byte_buf
        option unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}
