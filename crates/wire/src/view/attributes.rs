//! Attributes: a list of keys and values, read as it stands.

use super::any_value::AnyValue;
use super::message::{AllFields, Message};
use crate::payload::shape::number;
use crate::protobuf::LEN;
use crate::schema;

pub(crate) const KEY: u32 = number(&schema::KEY_VALUE, "key");
pub(crate) const VALUE: u32 = number(&schema::KEY_VALUE, "value");

/// Goes through the attributes of something, in order.
#[derive(Clone, Debug)]
pub struct Attributes<'a> {
    fields: AllFields<'a>,
    number: u32,
}

/// One attribute.
#[derive(Clone, Copy, Debug)]
pub struct KeyValue<'a>(Message<'a>);

impl<'a> Attributes<'a> {
    /// The list in field `number`.
    pub(crate) fn direct(message: Message<'a>, number: u32) -> Self {
        Self { fields: message.fields(), number }
    }

    /// The encoded list, when it is the rest of one message.
    pub(super) fn encoded(&self) -> &'a [u8] {
        self.fields.rest()
    }

    pub(super) fn none() -> Self {
        Self::direct(Message::default(), 0)
    }

    /// The value of the first attribute with this key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<AnyValue<'a>> {
        self.clone().find(|attribute| attribute.is_key(key)).map(KeyValue::value)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.clone().next().is_none()
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = KeyValue<'a>;

    fn next(&mut self) -> Option<KeyValue<'a>> {
        let number = self.number;
        let field = self.fields.find(|field| field.number == number)?;
        Some(KeyValue::of(field.bytes().unwrap_or_default()))
    }
}

impl<'a> KeyValue<'a> {
    pub(crate) fn of(encoded: &'a [u8]) -> Self {
        Self(Message::of(encoded))
    }

    #[must_use]
    pub fn key(self) -> &'a str {
        self.0.text(KEY)
    }

    /// Whether the key is this one; quicker than reading it.
    #[must_use]
    pub fn is_key(self, key: &str) -> bool {
        let encoded = plain_key(self.0.bytes()).unwrap_or_else(|| self.0.data(KEY));
        encoded == key.as_bytes()
    }

    #[must_use]
    pub fn value(self) -> AnyValue<'a> {
        AnyValue::in_field(self.0, VALUE)
    }
}

/// The key of an attribute that holds a short key, then a value, and nothing else, as nearly all do.
#[inline]
fn plain_key(attribute: &[u8]) -> Option<&[u8]> {
    const KEY_TAG: u8 = (KEY as u8) << 3 | LEN;
    const VALUE_TAG: u8 = (VALUE as u8) << 3 | LEN;
    let &[KEY_TAG, key_len @ ..0x80, ref rest @ ..] = attribute else { return None };
    let (key, rest) = rest.split_at_checked(key_len.into())?;
    let &[VALUE_TAG, value_len @ ..0x80, ref value @ ..] = rest else { return None };
    (value.len() == usize::from(value_len)).then_some(key)
}
