//! Evaluation: whether a condition holds for one item, read from its encoded messages.
//!
//! Cost: each path scans its message once; nothing is decoded that no path names.

use std::borrow::Cow;

use wire::protobuf::Fields;
use wire::schema::{Field, Kind, SPAN, SUM, Table};

use super::path::{Key, Level, Part, Path, PointKind};
use super::value::{Strings, Value, hex, last_field, lookup};
use super::{Condition, Literal, Operand, Test};

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
    /// The `ProfilesDictionary`, for profiles.
    pub(crate) dictionary: &'a [u8],
}

/// A path met a value that it cannot look into.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("look up {key} in a value that is {found}")]
pub(crate) struct EvaluationError {
    key: String,
    found: &'static str,
}

impl Condition {
    /// Whether the condition holds for `subject`, an item of the context it was parsed for.
    pub(crate) fn holds(&self, subject: &Subject<'_>) -> Result<bool, EvaluationError> {
        match self {
            Self::Any(all) => {
                for condition in all {
                    if condition.holds(subject)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::All(all) => {
                for condition in all {
                    if !condition.holds(subject)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Not(condition) => Ok(!condition.holds(subject)?),
            Self::Constant(value) => Ok(*value),
            Self::Compare { left, comparison, right } => {
                Ok(left.value(subject)?.compares(*comparison, &right.value(subject)?))
            }
            Self::Test { target, test } => Ok(test.holds(&target.value(subject)?)),
            Self::HasAttribute { key, value } => {
                Ok(subject.has_point_attribute(key, value.as_deref()))
            }
        }
    }
}

impl Operand {
    fn value<'a>(&'a self, subject: &Subject<'a>) -> Result<Value<'a>, EvaluationError> {
        Ok(match self {
            Self::Path(path) => return subject.read(path),
            Self::Literal(Literal::Nil) => Value::Nil,
            Self::Literal(Literal::Bool(value)) => Value::Bool(*value),
            Self::Literal(Literal::Int(value)) => Value::Int(*value),
            Self::Literal(Literal::Double(value)) => Value::Double(*value),
            Self::Literal(Literal::Text(text)) => Value::Text(Cow::Borrowed(text)),
            Self::Literal(Literal::Bytes(bytes)) => Value::Bytes(bytes),
        })
    }
}

impl Test {
    fn holds(&self, value: &Value<'_>) -> bool {
        match self {
            Self::Matches(regex) => value.to_text().is_some_and(|text| regex.is_match(&text)),
            Self::StartsWith(start) => {
                matches!(value, Value::Text(text) if text.starts_with(start.as_str()))
            }
            Self::EndsWith(end) => {
                matches!(value, Value::Text(text) if text.ends_with(end.as_str()))
            }
            Self::IsText => matches!(value, Value::Text(_)),
            Self::IsBool => matches!(value, Value::Bool(_)),
            Self::IsInt => matches!(value, Value::Int(_)),
            Self::IsDouble => matches!(value, Value::Double(_)),
            Self::IsMap => matches!(value, Value::Map(_)),
            Self::IsList => matches!(value, Value::List(_)),
        }
    }
}

impl<'a> Subject<'a> {
    fn read(&self, path: &'a Path) -> Result<Value<'a>, EvaluationError> {
        let strings = Strings { dictionary: self.dictionary };
        let message = match path.level {
            Level::Resource => return read_parts(self.resource, path, strings),
            Level::Scope => return read_parts(self.scope, path, strings),
            Level::Parent => self.parent,
            Level::Item => self.item,
        };
        let fields = match &path.part {
            Part::Field(fields) => fields.as_slice(),
            Part::Point(kinds) => match kinds[point_kind(self.parent) as usize].as_ref() {
                Some(field) => std::slice::from_ref(field),
                None => return Ok(Value::Nil),
            },
            Part::ProfileAttributes => {
                let [Key::Name(name), keys @ ..] = path.keys.as_slice() else {
                    return Ok(Value::Nil);
                };
                let value = profile_attribute(message, name, strings);
                return descend(value.unwrap_or(Value::Nil), keys, strings);
            }
            part => return Ok(special(part, message, strings)),
        };
        let Some((last, outer)) = fields.split_last() else { return Ok(Value::Nil) };
        let message = outer.iter().fold(message, |message, field| embedded(message, field.number));
        read_field(message, last, &path.keys, strings)
    }

    fn has_point_attribute(&self, key: &str, value: Option<&str>) -> bool {
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

fn descend<'a>(
    value: Value<'a>,
    keys: &[Key],
    strings: Strings<'a>,
) -> Result<Value<'a>, EvaluationError> {
    keys.iter().try_fold(value, |value, key| match (value, key) {
        (Value::Nil, _) => Ok(Value::Nil),
        (Value::Map(map), Key::Name(name)) => {
            Ok(lookup(map, 1, name, strings).unwrap_or(Value::Nil))
        }
        (Value::List(list), Key::Index(index)) => {
            let any = Fields::of(list).nth(*index).and_then(|field| field.bytes());
            Ok(any.map_or(Value::Nil, |any| Value::of_any(any, strings)))
        }
        (value, key) => Err(EvaluationError { key: format!("{key:?}"), found: type_name(&value) }),
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

fn profile_attribute<'a>(
    profile: &'a [u8],
    name: &str,
    dictionary: Strings<'a>,
) -> Option<Value<'a>> {
    let indices = Fields::of(profile).filter(|field| field.number == 11);
    let indices = indices.flat_map(|field| match field.bytes() {
        Some(packed) => unpacked(packed),
        None => vec![field.number_value()],
    });
    let entries = indices.filter_map(|index| dictionary.entry(Table::Attributes, index)?.bytes());
    let mut named = entries.filter(|entry| dictionary.key_of(entry, 1) == name);
    let any = last_field(named.next()?, 2).and_then(|field| field.bytes())?;
    Some(Value::of_any(any, dictionary))
}

fn unpacked(packed: &[u8]) -> Vec<u64> {
    let mut at = 0;
    std::iter::from_fn(|| wire::protobuf::read_varint(packed, &mut at).ok()).collect()
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

fn type_name(value: &Value<'_>) -> &'static str {
    match value {
        Value::Nil => "nil",
        Value::Bool(_) => "a boolean",
        Value::Int(_) => "an integer",
        Value::Double(_) => "a floating point number",
        Value::Text(_) => "a string",
        Value::Bytes(_) => "bytes",
        Value::Map(_) => "a map",
        Value::List(_) => "a list",
    }
}
