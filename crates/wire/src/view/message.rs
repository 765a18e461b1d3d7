//! Message: reads single fields of an encoded message; the last value of a field counts.
//!
//! `views!` turns a list of field names of the schema into a view with one accessor each.

use crate::protobuf::{Field, Fields, Value, read_varint};

/// An encoded message, in one piece or, as protobuf allows for singular messages, in several parts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Message<'a> {
    bytes: &'a [u8],
    /// The message is what all fields of this number in `bytes` hold; 0 for `bytes` itself.
    part: u32,
}

/// The fields of a message, in order, whatever parts it comes in.
#[derive(Clone, Debug)]
pub(super) struct AllFields<'a> {
    parts: Fields<'a>,
    part: u32,
    fields: Fields<'a>,
}

impl<'a> Iterator for AllFields<'a> {
    type Item = Field<'a>;

    #[inline]
    fn next(&mut self) -> Option<Field<'a>> {
        loop {
            if let Some(field) = self.fields.next() {
                return Some(field);
            }
            let number = self.part;
            let part = self.parts.find(|part| part.number == number)?;
            self.fields = Fields::of(part.bytes().unwrap_or_default());
        }
    }
}

impl<'a> AllFields<'a> {
    /// The bytes that were not read yet, of a message in one piece.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.fields.rest()
    }
}

impl<'a> Message<'a> {
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        Self { bytes, part: 0 }
    }

    /// The message in field `number` of the message `outer`.
    pub(super) fn within(outer: &'a [u8], number: u32) -> Self {
        Self { bytes: outer, part: number }
    }

    /// The message in field `number` of this one, if there.
    pub(super) fn inner(self, number: u32) -> Option<Self> {
        let last = self.last(number)?;
        let is_whole = self.part == 0;
        Some(if is_whole {
            Self::within(self.bytes, number)
        } else {
            Self::of(last.bytes().unwrap_or_default())
        })
    }

    pub(crate) fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// The encoded message; of one that comes in parts, the last part.
    pub(super) fn encoded(self) -> &'a [u8] {
        match self.part {
            0 => self.bytes,
            part => Self::of(self.bytes).data(part),
        }
    }

    pub(super) fn fields(self) -> AllFields<'a> {
        let (parts, fields) =
            if self.part == 0 { (&[][..], self.bytes) } else { (self.bytes, &[][..]) };
        AllFields { parts: Fields::of(parts), part: self.part, fields: Fields::of(fields) }
    }

    /// All values of a field.
    pub(crate) fn all(self, number: u32) -> impl Iterator<Item = Field<'a>> {
        self.fields().filter(move |field| field.number == number)
    }

    pub(crate) fn last(self, number: u32) -> Option<Field<'a>> {
        self.all(number).last()
    }

    pub(crate) fn text(self, number: u32) -> &'a str {
        self.last(number).map_or("", |field| field.text())
    }

    pub(crate) fn number(self, number: u32) -> u64 {
        self.last(number).map_or(0, |field| field.number_value())
    }

    pub(crate) fn zigzag(self, number: u32) -> i32 {
        let value = self.number(number) as u32;
        (value >> 1) as i32 ^ -((value & 1) as i32)
    }

    pub(crate) fn double(self, number: u32) -> f64 {
        f64::from_bits(self.number(number))
    }

    pub(crate) fn data(self, number: u32) -> &'a [u8] {
        self.last(number).and_then(|field| field.bytes()).unwrap_or_default()
    }
}

/// The messages of a repeated field.
#[derive(Clone, Debug)]
pub struct Messages<'a, T> {
    fields: AllFields<'a>,
    number: u32,
    kind: std::marker::PhantomData<T>,
}

impl<'a, T: From<Message<'a>>> Messages<'a, T> {
    pub(super) fn of(message: Message<'a>, number: u32) -> Self {
        Self { fields: message.fields(), number, kind: std::marker::PhantomData }
    }
}

impl<'a, T: From<Message<'a>>> Iterator for Messages<'a, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        let number = self.number;
        let field = self.fields.find(|field| field.number == number)?;
        Some(T::from(Message::of(field.bytes()?)))
    }
}

/// The numbers of a repeated field, packed or not.
#[derive(Clone, Debug)]
pub struct Numbers<'a> {
    fields: AllFields<'a>,
    number: u32,
    is_fixed: bool,
    packed: &'a [u8],
}

impl<'a> Numbers<'a> {
    /// Eight-byte numbers.
    pub(super) fn fixed(message: Message<'a>, number: u32) -> Self {
        Self { fields: message.fields(), number, is_fixed: true, packed: &[] }
    }

    /// Varints.
    pub(super) fn varints(message: Message<'a>, number: u32) -> Self {
        Self { is_fixed: false, ..Self::fixed(message, number) }
    }

    fn next_packed(&mut self) -> Option<u64> {
        if self.is_fixed {
            let (first, rest) = self.packed.split_first_chunk()?;
            self.packed = rest;
            return Some(u64::from_le_bytes(*first));
        }
        let mut at = 0;
        let value = read_varint(self.packed, &mut at).ok()?;
        self.packed = &self.packed[at..];
        Some(value)
    }
}

impl Iterator for Numbers<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        loop {
            if let Some(value) = self.next_packed() {
                return Some(value);
            }
            let number = self.number;
            match self.fields.find(|field| field.number == number)?.value {
                Value::Varint(value) | Value::Fixed64(value) => return Some(value),
                Value::Fixed32(value) => return Some(value.into()),
                Value::Bytes(packed) => self.packed = packed,
            }
        }
    }
}

/// The doubles of a repeated field, packed or not.
#[derive(Clone, Debug)]
pub struct Doubles<'a>(Numbers<'a>);

impl<'a> Doubles<'a> {
    pub(super) fn of(message: Message<'a>, number: u32) -> Self {
        Self(Numbers::fixed(message, number))
    }
}

impl Iterator for Doubles<'_> {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        self.0.next().map(f64::from_bits)
    }
}

/// Turns `View of SCHEMA { field: kind, ... }` into a view whose accessors bear the schema's names.
macro_rules! views {
    ($($(#[$about:meta])* $view:ident of $schema:ident { $($field:ident: $kind:tt,)* })*) => { $(
        $(#[$about])*
        #[derive(Clone, Copy, Debug)]
        pub struct $view<'a>($crate::view::message::Message<'a>);

        impl<'a> From<$crate::view::message::Message<'a>> for $view<'a> {
            fn from(message: $crate::view::message::Message<'a>) -> Self {
                Self(message)
            }
        }

        impl<'a> $view<'a> {
            /// The encoded message, for readers that know it by its schema.
            #[must_use]
            pub fn encoded(self) -> &'a [u8] {
                self.0.encoded()
            }

            $(
                #[doc = concat!("The field `", stringify!($field), "`.")]
                #[must_use]
                pub fn $field(self) -> views!(@type $kind) {
                    const NUMBER: u32 =
                        $crate::payload::shape::number(&$crate::schema::$schema, stringify!($field));
                    views!(@read $kind, self.0, NUMBER)
                }
            )*
        }
    )* };
    (@type text) => { &'a str };
    (@type number) => { u64 };
    (@type int) => { i32 };
    (@type signed) => { i64 };
    (@type zigzag) => { i32 };
    (@type double) => { f64 };
    (@type maybe_double) => { Option<f64> };
    (@type flag) => { bool };
    (@type data) => { &'a [u8] };
    (@type value) => { $crate::view::AnyValue<'a> };
    (@type attributes) => { $crate::view::Attributes<'a> };
    (@type fixed_list) => { $crate::view::Numbers<'a> };
    (@type varint_list) => { $crate::view::Numbers<'a> };
    (@type double_list) => { $crate::view::Doubles<'a> };
    (@type [$view:ident]) => { $crate::view::Messages<'a, $view<'a>> };
    (@type ($view:ident)) => { Option<$view<'a>> };
    (@read text, $message:expr, $number:expr) => { $message.text($number) };
    (@read number, $message:expr, $number:expr) => { $message.number($number) };
    (@read int, $message:expr, $number:expr) => { $message.number($number) as i32 };
    (@read signed, $message:expr, $number:expr) => { $message.number($number) as i64 };
    (@read zigzag, $message:expr, $number:expr) => { $message.zigzag($number) };
    (@read double, $message:expr, $number:expr) => { $message.double($number) };
    (@read maybe_double, $message:expr, $number:expr) => {
        $message.last($number).map(|field| f64::from_bits(field.number_value()))
    };
    (@read flag, $message:expr, $number:expr) => { $message.number($number) != 0 };
    (@read data, $message:expr, $number:expr) => { $message.data($number) };
    (@read value, $message:expr, $number:expr) => {
        $crate::view::AnyValue::in_field($message, $number)
    };
    (@read attributes, $message:expr, $number:expr) => {
        $crate::view::Attributes::direct($message, $number)
    };
    (@read fixed_list, $message:expr, $number:expr) => {
        $crate::view::Numbers::fixed($message, $number)
    };
    (@read varint_list, $message:expr, $number:expr) => {
        $crate::view::Numbers::varints($message, $number)
    };
    (@read double_list, $message:expr, $number:expr) => {
        $crate::view::Doubles::of($message, $number)
    };
    (@read [$view:ident], $message:expr, $number:expr) => {
        $crate::view::Messages::of($message, $number)
    };
    (@read ($view:ident), $message:expr, $number:expr) => {
        $message.inner($number).map($view::from)
    };
}

pub(super) use views;
