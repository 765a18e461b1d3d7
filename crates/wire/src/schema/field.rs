//! Fields: number, names, type and presence of one field of a message.

use super::Message;

/// One field of a message.
#[derive(Debug)]
pub struct Field {
    pub number: u32,
    /// As the `.proto` file writes it.
    pub name: &'static str,
    /// The lowerCamel form.
    pub json_name: &'static str,
    pub kind: Kind,
    pub presence: Presence,
}

/// The type of a field's value, with what OTLP adds to protobuf's types.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Bool,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Fixed32,
    Fixed64,
    Sfixed64,
    Double,
    String,
    Bytes,
    /// Bytes of this length, written in hex in JSON: trace, span and profile ids.
    Id(usize),
    /// An `int32` that points into a table of the profiles dictionary.
    Index(Table),
    Enum(&'static Enumeration),
    Message(&'static Message),
}

/// How often a field may occur and what its absence means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Absent means zero; messages know whether they are there.
    Implicit,
    /// `optional`: zero and absent differ.
    Explicit,
    /// A member of the oneof of this name.
    OneOf(&'static str),
    Repeated,
}

/// A table of `ProfilesDictionary`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    Mappings,
    Locations,
    Functions,
    Links,
    Strings,
    Attributes,
    Stacks,
}

/// An enum type and the names of its values.
#[derive(Debug)]
pub struct Enumeration {
    pub package: &'static str,
    /// The name below the package; nested types carry their parents: `Span.SpanKind`.
    pub name: &'static str,
    pub values: &'static [(i32, &'static str)],
}

impl Field {
    /// Whether there may be several values.
    #[must_use]
    #[inline]
    pub fn is_repeated(&self) -> bool {
        matches!(self.presence, Presence::Repeated)
    }

    /// Whether several values share one length-delimited record when written.
    #[must_use]
    #[inline]
    pub fn is_packed(&self) -> bool {
        self.is_repeated() && self.kind.is_scalar()
    }

    /// The oneof that the field is a member of.
    #[must_use]
    pub fn oneof(&self) -> Option<&'static str> {
        match self.presence {
            Presence::OneOf(name) => Some(name),
            _ => None,
        }
    }
}

impl Kind {
    /// The protobuf wire type: 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes.
    #[must_use]
    #[inline]
    pub const fn wire_type(self) -> u8 {
        match self {
            Self::Bool
            | Self::Int32
            | Self::Int64
            | Self::Uint32
            | Self::Uint64
            | Self::Sint32
            | Self::Index(_)
            | Self::Enum(_) => 0,
            Self::Fixed64 | Self::Sfixed64 | Self::Double => 1,
            Self::String | Self::Bytes | Self::Id(_) | Self::Message(_) => 2,
            Self::Fixed32 => 5,
        }
    }

    /// Whether the value is a number, that is, neither bytes nor a message.
    #[must_use]
    #[inline]
    pub const fn is_scalar(self) -> bool {
        self.wire_type() != 2
    }

    /// The message type of an embedded message.
    #[must_use]
    #[inline]
    pub const fn message(self) -> Option<&'static Message> {
        match self {
            Self::Message(message) => Some(message),
            _ => None,
        }
    }
}

impl Table {
    /// All tables, in the order of their field numbers.
    pub const ALL: [Self; 7] = [
        Self::Mappings,
        Self::Locations,
        Self::Functions,
        Self::Links,
        Self::Strings,
        Self::Attributes,
        Self::Stacks,
    ];

    /// The field of `ProfilesDictionary` that holds the table.
    #[must_use]
    pub const fn field_number(self) -> u32 {
        self as u32 + 1
    }

    /// The table that a field of `ProfilesDictionary` holds.
    #[must_use]
    pub fn of_field(number: u32) -> Option<Self> {
        Self::ALL.get((number as usize).wrapping_sub(1)).copied()
    }
}

impl Enumeration {
    /// The number of a value's name.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<i32> {
        self.values.iter().find(|(_, known)| *known == name).map(|(number, _)| *number)
    }

    /// The name with its package.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.package, self.name)
    }
}

/// A field with implicit presence.
pub(super) const fn one(
    number: u32,
    name: &'static str,
    json_name: &'static str,
    kind: Kind,
) -> Field {
    Field { number, name, json_name, kind, presence: Presence::Implicit }
}

/// A field marked `optional`.
pub(super) const fn optional(
    number: u32,
    name: &'static str,
    json_name: &'static str,
    kind: Kind,
) -> Field {
    Field { number, name, json_name, kind, presence: Presence::Explicit }
}

/// A repeated field.
pub(super) const fn many(
    number: u32,
    name: &'static str,
    json_name: &'static str,
    kind: Kind,
) -> Field {
    Field { number, name, json_name, kind, presence: Presence::Repeated }
}

/// A member of a oneof.
pub(super) const fn choice(
    oneof: &'static str,
    number: u32,
    name: &'static str,
    json_name: &'static str,
    kind: Kind,
) -> Field {
    Field { number, name, json_name, kind, presence: Presence::OneOf(oneof) }
}
