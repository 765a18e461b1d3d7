//! Read: JSON text into protobuf, driven by the schema.
//!
//! Unknown names are passed over, `null` means absent, a name given twice is an error.
//! Cost: one pass over the text; each message is moved once for each length over 127 around it.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::draft::Draft;
use super::scalar::{Form, Scalar};
use super::{EXPANSION_MAX, JsonError};
use crate::nest;
use crate::protobuf::Fault;
use crate::scan::DEPTH_MAX;
use crate::schema::{Field, Kind, Message, Presence};

/// Reads a message of this type; `None` if it takes more than `bytes_max`.
pub(super) fn read(
    message: &'static Message,
    text: &[u8],
    bytes_max: usize,
) -> Result<Option<Vec<u8>>, JsonError> {
    let text = match simdutf8::basic::from_utf8(text) {
        Ok(text) => text,
        Err(_) => return Err(not_utf8(text)),
    };
    // All at once, so that it never moves; what is not written to costs nothing.
    let mut draft = Draft::new(bytes_max.min(EXPANSION_MAX * text.len()), bytes_max);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = Object { message, draft: &mut draft }
        .deserialize(&mut deserializer)
        .and_then(|()| deserializer.end());
    match read {
        Ok(()) => Ok(Some(draft.finish())),
        Err(_) if draft.is_full() => Ok(None),
        Err(error) => Err(draft.explain(&error)),
    }
}

fn not_utf8(text: &[u8]) -> JsonError {
    let valid = std::str::from_utf8(text).map_or_else(|error| error.valid_up_to(), str::len);
    let before = &text[..valid];
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    JsonError {
        line: before.iter().filter(|byte| **byte == b'\n').count() + 1,
        column: valid - line_start + 1,
        path: String::new(),
        what: "the text is not UTF-8".to_owned(),
    }
}

/// A JSON object that is a message.
struct Object<'d> {
    message: &'static Message,
    draft: &'d mut Draft,
}

impl<'de> DeserializeSeed<'de> for Object<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { message, draft } = self;
        let mut given = Given { message, named: 0, present: 0 };
        while let Some(known) = map.next_key_seed(Name { message })? {
            let Some(field) = known else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            draft.enter_field(field);
            given.name(field).map_err(A::Error::custom)?;
            if map.next_value_seed(Member { field, draft: &mut *draft })? {
                given.set(field).map_err(A::Error::custom)?;
            }
            draft.check_room()?;
            draft.leave();
        }
        Ok(())
    }
}

/// Which fields of a message the text gave, as bits by field number.
struct Given {
    message: &'static Message,
    named: u32,
    present: u32,
}

impl Given {
    /// Notes a name; `null` counts, as in protobuf's own parsers.
    fn name(&mut self, field: &Field) -> Result<(), &'static str> {
        let bit = 1 << field.number;
        if self.named & bit != 0 {
            return Err("the field is given twice");
        }
        self.named |= bit;
        Ok(())
    }

    /// Notes a value.
    fn set(&mut self, field: &Field) -> Result<(), &'static str> {
        if field.oneof().is_some() && self.has_sibling(field) {
            return Err("another field of the same choice is given too");
        }
        self.present |= 1 << field.number;
        Ok(())
    }

    fn has_sibling(&self, field: &Field) -> bool {
        self.present != 0
            && self.message.fields.iter().any(|other| {
                other.oneof() == field.oneof() && self.present & (1 << other.number) != 0
            })
    }
}

/// The name of a member: the field, if there is one.
struct Name {
    message: &'static Message,
}

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Option<&'static Field>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Option<&'static Field>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.message.field_named(name))
    }
}

/// The value of a member; says whether there was one.
struct Member<'d> {
    field: &'static Field,
    draft: &'d mut Draft,
}

impl<'de> DeserializeSeed<'de> for Member<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Member<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or null")
    }

    fn visit_unit<E: Error>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_none<E: Error>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        let Self { field, draft } = self;
        if field.is_repeated() {
            deserializer.deserialize_seq(List { field, draft })?;
        } else {
            // What has explicit presence is written even when it is zero.
            let form = match field.presence {
                Presence::Implicit => Form::Implicit,
                _ => Form::Explicit,
            };
            Single { field, form, draft }.deserialize(deserializer)?;
        }
        Ok(true)
    }
}

/// The values of a repeated field.
struct List<'d> {
    field: &'static Field,
    draft: &'d mut Draft,
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        let Self { field, draft } = self;
        let packed = field.is_packed().then(|| nest::open(&mut draft.out, field.number));
        let form = if field.is_packed() { Form::Packed } else { Form::Explicit };
        for at in 0.. {
            draft.enter_item(at);
            let value = values.next_element_seed(Single { field, form, draft: &mut *draft })?;
            draft.check_room()?;
            draft.leave();
            if value.is_none() {
                break;
            }
        }
        if let Some(opened) = packed {
            nest::close_unless_empty(&mut draft.out, opened);
        }
        Ok(())
    }
}

/// One value of a field.
struct Single<'d> {
    field: &'static Field,
    form: Form,
    draft: &'d mut Draft,
}

impl<'de> DeserializeSeed<'de> for Single<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Self { field, form, draft } = self;
        let Kind::Message(message) = field.kind else {
            return deserializer.deserialize_any(Scalar { field, form, out: &mut draft.out });
        };
        if draft.depth == DEPTH_MAX {
            return Err(D::Error::custom(Fault::TooDeep.message()));
        }
        draft.depth += 1;
        let opened = nest::open(&mut draft.out, field.number);
        Object { message, draft: &mut *draft }.deserialize(deserializer)?;
        nest::close(&mut draft.out, opened);
        draft.depth -= 1;
        Ok(())
    }
}
