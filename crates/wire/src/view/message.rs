//! Message: reads single fields of an encoded message; the last value of a field counts.
//!
//! `views!` turns a list of field names of the schema into a view with one accessor each.

use crate::protobuf::{Field, Fields, Value, read_varint};

/// An encoded message.
#[derive(Clone, Copy, Debug, Default)]
pub struct Message<'a>(&'a [u8]);

impl<'a> Message<'a> {
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// All values of a field.
    pub(crate) fn all(self, number: u32) -> impl Iterator<Item = Field<'a>> {
        Fields::of(self.0).filter(move |field| field.number == number)
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

    /// A text field of a message that may come in several parts.
    pub(super) fn nested_text(self, outer: u32, inner: u32) -> &'a str {
        self.nested(outer, inner).map_or("", |field| field.text())
    }

    /// A number field of a message that may come in several parts.
    pub(super) fn nested_number(self, outer: u32, inner: u32) -> u64 {
        self.nested(outer, inner).map_or(0, |field| field.number_value())
    }

    fn nested(self, outer: u32, inner: u32) -> Option<Field<'a>> {
        let parts = self.all(outer).filter_map(|part| part.bytes());
        parts.filter_map(|part| Message(part).last(inner)).last()
    }
}

/// The messages of a repeated field.
#[derive(Clone, Debug)]
pub struct Messages<'a, T> {
    fields: Fields<'a>,
    number: u32,
    kind: std::marker::PhantomData<T>,
}

impl<'a, T: From<Message<'a>>> Messages<'a, T> {
    pub(super) fn of(message: Message<'a>, number: u32) -> Self {
        Self { fields: Fields::of(message.0), number, kind: std::marker::PhantomData }
    }
}

impl<'a, T: From<Message<'a>>> Iterator for Messages<'a, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        let number = self.number;
        let field = self.fields.find(|field| field.number == number)?;
        Some(T::from(Message(field.bytes()?)))
    }
}

/// The numbers of a repeated field, packed or not.
#[derive(Clone, Debug)]
pub struct Numbers<'a> {
    fields: Fields<'a>,
    number: u32,
    is_fixed: bool,
    packed: &'a [u8],
}

impl<'a> Numbers<'a> {
    /// Eight-byte numbers.
    pub(super) fn fixed(message: Message<'a>, number: u32) -> Self {
        Self { fields: Fields::of(message.0), number, is_fixed: true, packed: &[] }
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
        $message.last($number).and_then(|field| field.bytes()).map(|bytes| {
            $view::from($crate::view::message::Message::of(bytes))
        })
    };
}

pub(super) use views;
