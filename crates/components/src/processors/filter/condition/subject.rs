//! Subject: one item and what stands around it, and how paths read it.
//!
//! Cost: each path scans its message once; nothing is decoded that no path names.

use std::borrow::Cow;

use wire::edit::Serials;
use wire::protobuf::{Fields, put_bytes_field, read_varint};
use wire::schema::{Field, Kind, PROFILE, SPAN, SUM};

use super::dictionary::Dictionary;
use super::error::EvaluationError;
use super::memory::Memory;
use super::path::{Key, Level, Part, Path, PointKind};
use super::value::{Strings, Value, hex, last_field, lookup};

/// One item and what stands around it, each as an encoded message.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Subject<'a> {
    /// The `ResourceLogs` or the like; its field 1 is the resource, perhaps in several parts.
    pub(crate) resource: &'a [u8],
    /// The `ScopeLogs` or the like; its field 1 is the scope, perhaps in several parts.
    pub(crate) scope: &'a [u8],
    /// The span of a span event, the metric of a data point.
    pub(crate) parent: &'a [u8],
    pub(crate) item: &'a [u8],
    /// The shape of the item, if it is a data point.
    pub(crate) point: PointKind,
    /// The tables that profiles point into.
    pub(crate) dictionary: Option<&'a Dictionary>,
    /// What tells this item and what is around it from the others.
    pub(crate) serials: Serials,
}

impl<'a> Subject<'a> {
    pub(super) fn read(
        &self,
        path: &'a Path,
        memory: &Memory,
    ) -> Result<Value<'a>, EvaluationError> {
        let strings = Strings(self.dictionary);
        let message = match path.level {
            Level::Resource => self.resource,
            Level::Scope => self.scope,
            Level::Parent => self.parent,
            Level::Item => self.item,
        };
        memory.note(message.len());
        if matches!(path.level, Level::Resource | Level::Scope) {
            return read_parts(message, path, strings);
        }
        let fields = match &path.part {
            Part::Field(fields) => fields.as_slice(),
            Part::Point(kinds) => match kinds[self.point as usize].as_ref() {
                Some(field) => std::slice::from_ref(field),
                None => return Ok(Value::Nil),
            },
            Part::ProfileAttributes => {
                let [Key::Name(name), keys @ ..] = path.keys.as_slice() else {
                    return Ok(Value::Nil);
                };
                let value = self.profile_attribute(message, name, memory)?;
                return descend(value.unwrap_or(Value::Nil), keys, strings);
            }
            part => return Ok(special(part, message, strings)),
        };
        let Some((last, outer)) = fields.split_last() else { return Ok(Value::Nil) };
        let message = outer.iter().fold(message, |message, field| embedded(message, field.number));
        read_field(message, last, &path.keys, strings)
    }

    /// The value of an attribute of a profile, which stands in the dictionary.
    fn profile_attribute(
        &self,
        profile: &[u8],
        name: &str,
        memory: &Memory,
    ) -> Result<Option<Value<'a>>, EvaluationError> {
        let number = PROFILE.field_named("attribute_indices").map_or(0, |field| field.number);
        let Some(dictionary) = self.dictionary else { return Ok(None) };
        let strings = Strings(Some(dictionary));
        let found = find_index(profile, number, |index| {
            let entry = dictionary.attribute(index)?;
            if let Err(error) = memory.spend(entry.len()) {
                return Some(Err(error));
            }
            (strings.key_of(entry, 1) == name).then_some(Ok(entry))
        });
        let Some(entry) = found.transpose()? else { return Ok(None) };
        let any = last_field(entry, 2).and_then(|field| field.bytes());
        let value = any.map_or(Value::Nil, |any| Value::of_any(any, strings));
        memory.spend(value.bytes_len())?;
        Ok(Some(value))
    }

    pub(super) fn has_point_attribute(
        &self,
        key: &str,
        value: Option<&str>,
        memory: &Memory,
    ) -> bool {
        memory.note(self.item.len());
        let kind = point_kind(self.item);
        let attributes = kind.message().field_named("attributes").map_or(0, |field| field.number);
        let mut points = Fields::of(data(self.item)).filter(|field| field.number == 1);
        points.any(|point| {
            let point = point.bytes().unwrap_or_default();
            let found = lookup(point, attributes, key, Strings::default());
            match value {
                None => found.is_some(),
                Some(value) => found.is_some_and(|found| found == Value::Text(value.into())),
            }
        })
    }
}

/// Goes through the indices of a repeated field, packed or not, until one yields something.
fn find_index<T>(
    message: &[u8],
    number: u32,
    mut found: impl FnMut(u64) -> Option<T>,
) -> Option<T> {
    for field in Fields::of(message).filter(|field| field.number == number) {
        let Some(packed) = field.bytes() else {
            if let Some(value) = found(field.number_value()) {
                return Some(value);
            }
            continue;
        };
        let mut at = 0;
        while let Ok(index) = read_varint(packed, &mut at) {
            if let Some(value) = found(index) {
                return Some(value);
            }
        }
    }
    None
}

/// Reads a field of the resource or scope of a group: of the part that has it.
fn read_parts<'a>(
    group: &'a [u8],
    path: &'a Path,
    strings: Strings<'a>,
) -> Result<Value<'a>, EvaluationError> {
    let Part::Field(fields) = &path.part else { return Ok(Value::Nil) };
    let Some(field) = fields.last() else { return Ok(Value::Nil) };
    let parts = Fields::of(group).filter(|part| part.number == 1);
    let mut having = parts.filter_map(|part| part.bytes()).filter(|part| match &path.keys[..] {
        [Key::Name(name), ..] => lookup(part, field.number, name, strings).is_some(),
        _ => last_field(part, field.number).is_some(),
    });
    // The first attribute of a key counts, and the last value of a field.
    let part = if field.is_repeated() { having.next() } else { having.last() };
    read_field(part.unwrap_or_default(), field, &path.keys, strings)
}

fn read_field<'a>(
    message: &'a [u8],
    field: &Field,
    keys: &[Key],
    strings: Strings<'a>,
) -> Result<Value<'a>, EvaluationError> {
    match keys {
        [] if field.is_repeated() => Ok(whole_list(message, field.number)),
        [Key::Name(name), keys @ ..] if field.is_repeated() => {
            let value = lookup(message, field.number, name, strings);
            descend(value.unwrap_or(Value::Nil), keys, strings)
        }
        _ => {
            let value = Value::of_field(field.kind, last_field(message, field.number), strings);
            descend(value, keys, strings)
        }
    }
}

/// All attributes in field `number`, as a map.
fn whole_list<'a>(message: &[u8], number: u32) -> Value<'a> {
    let mut map = Vec::new();
    for pair in Fields::of(message).filter(|field| field.number == number) {
        put_bytes_field(&mut map, 1, pair.bytes().unwrap_or_default());
    }
    Value::Map(map.into())
}

fn descend<'a>(
    value: Value<'a>,
    keys: &[Key],
    strings: Strings<'a>,
) -> Result<Value<'a>, EvaluationError> {
    keys.iter().try_fold(value, |value, key| match (value, key) {
        (Value::Nil, _) => Ok(Value::Nil),
        (Value::Map(Cow::Borrowed(map)), Key::Name(name)) => {
            Ok(lookup(map, 1, name, strings).unwrap_or(Value::Nil))
        }
        (Value::List(Cow::Borrowed(list)), Key::Index(index)) => {
            let any = Fields::of(list).nth(*index).and_then(|field| field.bytes());
            Ok(any.map_or(Value::Nil, |any| Value::of_any(any, strings)))
        }
        (value, key) => {
            let key = match key {
                Key::Name(name) => format!("{name:?}"),
                Key::Index(index) => index.to_string(),
            };
            Err(EvaluationError::LookUp { key, found: value.type_name() })
        }
    })
}

/// What OTTL derives from a message instead of reading one field.
fn special<'a>(part: &Part, message: &'a [u8], strings: Strings<'a>) -> Value<'a> {
    match part {
        Part::Hex(field) => {
            let id = last_field(message, field.number).and_then(|field| field.bytes());
            Value::Text(hex(id.unwrap_or_default()).into())
        }
        Part::BodyText(field) => {
            let value = Value::of_field(field.kind, last_field(message, field.number), strings);
            let text = value.to_text().map_or_else(String::new, Cow::into_owned);
            Value::Text(text.into())
        }
        Part::SpanKind { is_short } => Value::Text(span_kind(message, *is_short).into()),
        Part::MetricType => Value::Int(match data_number(message) {
            Some(5) => 1,
            Some(7) => 2,
            Some(9) => 3,
            Some(10) => 4,
            Some(11) => 5,
            _ => 0,
        }),
        Part::AggregationTemporality => match data_number(message) {
            Some(7 | 9 | 10) => {
                let number = last_field(data(message), 2).map_or(0, |field| field.number_value());
                Value::Int(number.cast_signed())
            }
            _ => Value::Nil,
        },
        Part::IsMonotonic => match (data_number(message), SUM.field_named("is_monotonic")) {
            (Some(7), Some(field)) => {
                Value::of_field(field.kind, last_field(data(message), field.number), strings)
            }
            _ => Value::Nil,
        },
        Part::Field(_) | Part::Point(_) | Part::ProfileAttributes => Value::Nil,
    }
}

fn span_kind(span: &[u8], is_short: bool) -> String {
    let Some((field, Kind::Enum(kinds))) = SPAN.field_named("kind").map(|f| (f, f.kind)) else {
        return String::new();
    };
    let number = last_field(span, field.number).map_or(0, |field| field.number_value());
    let kind = kinds.values.iter().find(|(known, _)| u64::try_from(*known) == Ok(number));
    let name = kind.map_or("", |(_, name)| *name);
    let word = name.strip_prefix("SPAN_KIND_").unwrap_or_default();
    match is_short {
        true => word.chars().take(1).chain(word.to_lowercase().chars().skip(1)).collect(),
        false => name.to_owned(),
    }
}

fn embedded(message: &[u8], number: u32) -> &[u8] {
    last_field(message, number).and_then(|field| field.bytes()).unwrap_or_default()
}

/// The shape of the data points of a metric.
pub(crate) fn point_kind(metric: &[u8]) -> PointKind {
    match data_number(metric) {
        Some(9) => PointKind::Histogram,
        Some(10) => PointKind::ExponentialHistogram,
        Some(11) => PointKind::Summary,
        _ => PointKind::Number,
    }
}

/// The number of the field that holds the data of a metric.
fn data_number(metric: &[u8]) -> Option<u32> {
    let fields = Fields::of(metric).map(|field| field.number);
    fields.filter(|number| matches!(number, 5 | 7 | 9 | 10 | 11)).last()
}

/// The data of a metric: a gauge, a sum, ...
fn data(metric: &[u8]) -> &[u8] {
    data_number(metric).map_or(&[], |number| embedded(metric, number))
}
