//! Values: what a path yields, how two of them compare, and how they read as text.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use wire::protobuf::{Field as Encoded, Fields};
use wire::schema::{self, Kind, Message};

use super::Comparison;
use super::dictionary::Dictionary;

/// An id of zeros, as long as the longest.
const NO_ID: [u8; 16] = [0; 16];

/// A value of a field, borrowed from its encoded message.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Nil,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(Cow<'a, str>),
    Bytes(Cow<'a, [u8]>),
    /// An encoded `KeyValueList`.
    Map(Cow<'a, [u8]>),
    /// An encoded `ArrayValue`.
    List(Cow<'a, [u8]>),
}

impl<'a> Value<'a> {
    /// The value of an encoded `AnyValue`; `strings` is the table of a profiles dictionary.
    pub(super) fn of_any(any: &'a [u8], strings: Strings<'a>) -> Self {
        let mut value = Self::Nil;
        for field in Fields::of(any) {
            value = match field.number {
                1 => Self::Text(field.text().into()),
                2 => Self::Bool(field.number_value() != 0),
                3 => Self::Int(field.number_value().cast_signed()),
                4 => Self::Double(f64::from_bits(field.number_value())),
                5 => Self::List(field.bytes().unwrap_or_default().into()),
                6 => Self::Map(field.bytes().unwrap_or_default().into()),
                7 => Self::Bytes(field.bytes().unwrap_or_default().into()),
                8 => Self::Text(strings.at(field.number_value()).into()),
                _ => value,
            };
        }
        value
    }

    /// The value of a field of this kind; `None` is a field that is absent.
    pub(super) fn of_field(kind: Kind, encoded: Option<Encoded<'a>>, strings: Strings<'a>) -> Self {
        let number = encoded.map_or(0, |field| field.number_value());
        match kind {
            Kind::Bool => Self::Bool(number != 0),
            Kind::Double => Self::Double(f64::from_bits(number)),
            Kind::Sint32 => Self::Int((number >> 1).cast_signed() ^ -(number & 1).cast_signed()),
            Kind::Int32 | Kind::Enum(_) => Self::Int((number as i32).into()),
            Kind::String => Self::Text(encoded.map_or("", |field| field.text()).into()),
            Kind::Bytes => {
                Self::Bytes(encoded.and_then(|field| field.bytes()).unwrap_or_default().into())
            }
            // An id that is not there is one of zeros.
            Kind::Id(len) => match encoded.and_then(|field| field.bytes()) {
                Some(id) if !id.is_empty() => Self::Bytes(id.into()),
                _ => Self::Bytes(NO_ID.get(..len).unwrap_or(&NO_ID).into()),
            },
            Kind::Index(_) => Self::Text(strings.at(number).into()),
            Kind::Message(_) => {
                let any = encoded.and_then(|field| field.bytes());
                any.map_or(Self::Nil, |any| Self::of_any(any, strings))
            }
            _ => Self::Int(number.cast_signed()),
        }
    }

    /// Whether `self comparison other` holds, by OTTL's rules: values of different types are only
    /// ever unequal, numbers compare as numbers.
    pub(super) fn compares(&self, comparison: Comparison, other: &Self) -> bool {
        let Some(ordering) = self.ordering(other) else {
            return comparison == Comparison::NotEqual;
        };
        match comparison {
            Comparison::Equal => ordering.is_eq(),
            Comparison::NotEqual => ordering.is_ne(),
            Comparison::Less => ordering.is_lt(),
            Comparison::LessOrEqual => ordering.is_le(),
            Comparison::Greater => ordering.is_gt(),
            Comparison::GreaterOrEqual => ordering.is_ge(),
        }
    }

    fn ordering(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Nil, Self::Nil) => Some(Ordering::Equal),
            (Self::Bool(left), Self::Bool(right)) => Some(left.cmp(right)),
            (Self::Int(left), Self::Int(right)) => Some(left.cmp(right)),
            (Self::Int(left), Self::Double(right)) => (*left as f64).partial_cmp(right),
            (Self::Double(left), Self::Int(right)) => left.partial_cmp(&(*right as f64)),
            (Self::Double(left), Self::Double(right)) => left.partial_cmp(right),
            (Self::Text(left), Self::Text(right)) => Some(left.cmp(right)),
            (Self::Bytes(left), Self::Bytes(right)) => Some(left.cmp(right)),
            (Self::Map(left), Self::Map(right)) | (Self::List(left), Self::List(right)) => {
                (left == right).then_some(Ordering::Equal)
            }
            _ => None,
        }
    }

    /// Whether two values are equal, by the rules of comparisons.
    pub(super) fn is_equal(&self, other: &Self) -> bool {
        self.compares(Comparison::Equal, other)
    }

    /// The same value, borrowed from this one.
    pub(super) fn borrowed(&self) -> Value<'_> {
        match self {
            Self::Nil => Value::Nil,
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::Int(*value),
            Self::Double(value) => Value::Double(*value),
            Self::Text(text) => Value::Text(Cow::Borrowed(text)),
            Self::Bytes(bytes) => Value::Bytes(Cow::Borrowed(bytes)),
            Self::Map(map) => Value::Map(Cow::Borrowed(map)),
            Self::List(list) => Value::List(Cow::Borrowed(list)),
        }
    }

    /// The same value as a copy that outlives the payload.
    pub(super) fn into_owned(self) -> Value<'static> {
        match self {
            Self::Nil => Value::Nil,
            Self::Bool(value) => Value::Bool(value),
            Self::Int(value) => Value::Int(value),
            Self::Double(value) => Value::Double(value),
            Self::Text(text) => Value::Text(text.into_owned().into()),
            Self::Bytes(bytes) => Value::Bytes(bytes.into_owned().into()),
            Self::Map(map) => Value::Map(map.into_owned().into()),
            Self::List(list) => Value::List(list.into_owned().into()),
        }
    }

    /// How many bytes have to be looked at to know it.
    pub(super) fn bytes_len(&self) -> usize {
        match self {
            Self::Nil | Self::Bool(_) | Self::Int(_) | Self::Double(_) => 0,
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) | Self::Map(bytes) | Self::List(bytes) => bytes.len(),
        }
    }

    /// How long a text or bytes are, or how many elements a map or list has.
    pub(super) fn len(&self) -> Option<usize> {
        match self {
            Self::Text(text) => Some(text.len()),
            Self::Bytes(bytes) => Some(bytes.len()),
            Self::Map(fields) | Self::List(fields) => Some(Fields::of(fields).count()),
            Self::Nil | Self::Bool(_) | Self::Int(_) | Self::Double(_) => None,
        }
    }

    /// The elements of a list.
    pub(super) fn elements(&self) -> Option<impl Iterator<Item = Value<'_>>> {
        let Self::List(list) = self else { return None };
        let elements = Fields::of(list).filter_map(|field| field.bytes());
        Some(elements.map(|any| Value::of_any(any, Strings::default())))
    }

    /// What kind of value it is, in words.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "an integer",
            Self::Double(_) => "a floating point number",
            Self::Text(_) => "a string",
            Self::Bytes(_) => "bytes",
            Self::Map(_) => "a map",
            Self::List(_) => "a list",
        }
    }

    /// The value as text, if it is there; maps and lists as JSON.
    pub(super) fn to_text(&self) -> Option<Cow<'_, str>> {
        Some(match self {
            Self::Nil => return None,
            Self::Bool(value) => value.to_string().into(),
            Self::Int(value) => value.to_string().into(),
            Self::Double(value) => value.to_string().into(),
            Self::Text(text) => Cow::Borrowed(text),
            Self::Bytes(bytes) => hex(bytes).into(),
            Self::Map(_) | Self::List(_) => self.to_json().to_string().into(),
        })
    }

    fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Nil => serde_json::Value::Null,
            Self::Bool(value) => (*value).into(),
            Self::Int(value) => (*value).into(),
            Self::Double(value) => (*value).into(),
            Self::Text(text) => text.as_ref().into(),
            Self::Bytes(bytes) => BASE64_STANDARD.encode(bytes).into(),
            Self::Map(map) => {
                let mut pairs: Vec<_> = Fields::of(map)
                    .filter_map(|field| field.bytes())
                    .map(|pair| (key_of(pair), Value::of_pair(pair, Strings::default())))
                    .collect();
                pairs.sort_by_key(|(key, _)| *key);
                pairs.iter().map(|(key, value)| ((*key).to_owned(), value.to_json())).collect()
            }
            Self::List(list) => Fields::of(list)
                .filter_map(|field| field.bytes())
                .map(|any| Value::of_any(any, Strings::default()).to_json())
                .collect(),
        }
    }

    fn of_pair(pair: &'a [u8], strings: Strings<'a>) -> Self {
        let any = last_field(pair, 2).and_then(|field| field.bytes());
        any.map_or(Self::Nil, |any| Self::of_any(any, strings))
    }
}

/// The string table of a profiles dictionary, if there is one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Strings<'a>(pub(super) Option<&'a Dictionary>);

impl<'a> Strings<'a> {
    fn at(self, index: u64) -> &'a str {
        self.0.map_or("", |dictionary| dictionary.string(index))
    }

    /// The key of an encoded `KeyValue` or `KeyValueAndUnit`.
    pub(super) fn key_of(self, pair: &[u8], index_field: u32) -> &'a str {
        last_field(pair, index_field).map_or("", |field| self.at(field.number_value()))
    }
}

/// The value of `key` among the `KeyValue`s in field `number` of `message`.
pub(super) fn lookup<'a>(
    message: &'a [u8],
    number: u32,
    key: &str,
    strings: Strings<'a>,
) -> Option<Value<'a>> {
    let pairs = Fields::of(message).filter(|field| field.number == number);
    let mut pairs = pairs.filter_map(|field| field.bytes());
    let pair = pairs.find(|pair| key_of(pair) == key)?;
    Some(Value::of_pair(pair, strings))
}

/// The last occurrence of a field, which is the one that counts.
pub(super) fn last_field(message: &[u8], number: u32) -> Option<Encoded<'_>> {
    Fields::of(message).filter(|field| field.number == number).last()
}

/// The number behind the name of an enum value.
pub(super) fn enum_number(name: &str) -> Option<i64> {
    const OWN: [(&str, i64); 8] = [
        ("METRIC_DATA_TYPE_NONE", 0),
        ("METRIC_DATA_TYPE_GAUGE", 1),
        ("METRIC_DATA_TYPE_SUM", 2),
        ("METRIC_DATA_TYPE_HISTOGRAM", 3),
        ("METRIC_DATA_TYPE_EXPONENTIAL_HISTOGRAM", 4),
        ("METRIC_DATA_TYPE_SUMMARY", 5),
        ("FLAG_NONE", 0),
        ("FLAG_NO_RECORDED_VALUE", 1),
    ];
    let own = OWN.iter().find(|(own, _)| *own == name).map(|(_, number)| *number);
    let fields: [(&Message, &str); 4] = [
        (&schema::LOG_RECORD, "severity_number"),
        (&schema::SPAN, "kind"),
        (&schema::STATUS, "code"),
        (&schema::SUM, "aggregation_temporality"),
    ];
    own.or_else(|| {
        fields.into_iter().find_map(|(message, field)| match message.field_named(field)?.kind {
            Kind::Enum(enumeration) => enumeration.number(name).map(i64::from),
            _ => None,
        })
    })
}

/// Lower-case hex digits of `bytes`.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}

fn key_of(pair: &[u8]) -> &str {
    last_field(pair, 1).map_or("", |field| field.text())
}
