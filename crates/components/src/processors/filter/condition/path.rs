//! Paths: names such as `resource.attributes["a"]`, resolved to fields of OTLP's messages.
//!
//! Most of OTTL's names are those of the protobuf fields, so the schema of OTLP resolves them; the
//! few that differ are listed here.

use wire::schema::{self, Field, Kind, Message};

/// What a condition is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Context {
    LogRecord,
    Span,
    SpanEvent,
    Metric,
    Datapoint,
    Profile,
}

/// Which message a path starts at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Resource,
    Scope,
    /// The span of a span event, the metric of a data point.
    Parent,
    Item,
}

/// The four shapes of a data point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum PointKind {
    #[default]
    Number,
    Histogram,
    ExponentialHistogram,
    Summary,
}

/// A resolved path.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    pub(crate) level: Level,
    pub(crate) part: Part,
    /// What is looked up in the value, one after the other.
    pub(crate) keys: Vec<Key>,
}

/// The part of a message that a path names.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    /// A field, through embedded messages.
    Field(Vec<&'static Field>),
    /// A field of a data point, by [`PointKind`]; not all kinds have it.
    Point([Option<&'static Field>; 4]),
    /// An id in hex.
    Hex(&'static Field),
    /// The body as text, whatever its type.
    BodyText(&'static Field),
    /// The kind of a span as a word.
    SpanKind {
        is_short: bool,
    },
    MetricType,
    AggregationTemporality,
    IsMonotonic,
    /// The attributes of a profile, which stand in the dictionary.
    ProfileAttributes,
}

/// A key in brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Name(String),
    Index(usize),
}

/// What is known at start about the type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValueType {
    Any,
    Bool,
    Number,
    Text,
    Bytes,
}

impl Context {
    /// The word that paths of this context may start with.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::LogRecord => "log",
            Self::Span => "span",
            Self::SpanEvent => "spanevent",
            Self::Metric => "metric",
            Self::Datapoint => "datapoint",
            Self::Profile => "profile",
        }
    }

    fn parent(self) -> Option<Self> {
        match self {
            Self::SpanEvent => Some(Self::Span),
            Self::Datapoint => Some(Self::Metric),
            _ => None,
        }
    }

    fn message(self) -> &'static Message {
        match self {
            Self::LogRecord => &schema::LOG_RECORD,
            Self::Span => &schema::SPAN,
            Self::SpanEvent => &schema::SPAN_EVENT,
            Self::Metric => &schema::METRIC,
            Self::Datapoint => &schema::NUMBER_DATA_POINT,
            Self::Profile => &schema::PROFILE,
        }
    }
}

impl PointKind {
    pub(crate) const ALL: [Self; 4] =
        [Self::Number, Self::Histogram, Self::ExponentialHistogram, Self::Summary];

    pub(crate) fn message(self) -> &'static Message {
        match self {
            Self::Number => &schema::NUMBER_DATA_POINT,
            Self::Histogram => &schema::HISTOGRAM_DATA_POINT,
            Self::ExponentialHistogram => &schema::EXPONENTIAL_HISTOGRAM_DATA_POINT,
            Self::Summary => &schema::SUMMARY_DATA_POINT,
        }
    }
}

impl Path {
    /// Resolves `words`, which are what stands between the dots, in `context`.
    pub(crate) fn resolve(
        context: Context,
        words: &[&str],
        keys: Vec<Key>,
    ) -> Result<Self, String> {
        let (level, owner, rest) = match words {
            ["resource", rest @ ..] if !rest.is_empty() => (Level::Resource, None, rest),
            ["scope" | "instrumentation_scope", rest @ ..] if !rest.is_empty() => {
                (Level::Scope, None, rest)
            }
            [first, rest @ ..] if *first == context.word() && !rest.is_empty() => {
                (Level::Item, Some(context), rest)
            }
            [first, rest @ ..] => match context.parent().filter(|parent| parent.word() == *first) {
                Some(parent) if !rest.is_empty() => (Level::Parent, Some(parent), rest),
                _ => (Level::Item, Some(context), words),
            },
            [] => return Err("a path is expected".to_owned()),
        };
        let part = match (owner, level) {
            (Some(owner), _) => part_of(owner, rest)?,
            (None, Level::Resource) => field_of(&schema::RESOURCE, rest)?,
            (None, _) => field_of(&schema::INSTRUMENTATION_SCOPE, rest)?,
        };
        let path = Self { level, part, keys };
        path.check_keys(words)?;
        Ok(path)
    }

    /// The type of the value, as far as it is known.
    pub(crate) fn value_type(&self) -> ValueType {
        match &self.part {
            Part::Field(fields) => fields.last().map_or(ValueType::Any, |field| type_of(field)),
            Part::Point(fields) => {
                fields.iter().flatten().next().map_or(ValueType::Any, |field| type_of(field))
            }
            Part::Hex(_) | Part::BodyText(_) | Part::SpanKind { .. } => ValueType::Text,
            Part::MetricType | Part::AggregationTemporality => ValueType::Number,
            Part::IsMonotonic => ValueType::Bool,
            Part::ProfileAttributes => ValueType::Any,
        }
    }

    fn check_keys(&self, words: &[&str]) -> Result<(), String> {
        let name = words.join(".");
        match (self.value_type(), self.keys.is_empty()) {
            (ValueType::Any, true) if matches!(self.part, Part::ProfileAttributes) => {
                Err(needs_key(&name))
            }
            (ValueType::Any, false)
                if self.is_attributes() && matches!(self.keys[0], Key::Index(_)) =>
            {
                Err(format!("the keys of `{name}` are strings"))
            }
            (ValueType::Any, _) | (_, true) => Ok(()),
            (_, false) => Err(format!("`{name}` has no keys")),
        }
    }

    /// Whether all attributes are meant and not one of them.
    pub(super) fn is_whole_list(&self) -> bool {
        self.keys.is_empty() && self.is_attributes()
    }

    fn is_attributes(&self) -> bool {
        let is_attributes = |field: &&Field| field.is_repeated();
        match &self.part {
            Part::Field(fields) => fields.last().is_some_and(is_attributes),
            Part::Point(fields) => fields.iter().flatten().next().is_some_and(is_attributes),
            Part::ProfileAttributes => true,
            _ => false,
        }
    }
}

/// What OTTL names in a way of its own, then what the schema names.
fn part_of(owner: Context, words: &[&str]) -> Result<Part, String> {
    match (owner, words) {
        (Context::Metric, ["type"]) => Ok(Part::MetricType),
        (Context::Metric, ["aggregation_temporality"]) => Ok(Part::AggregationTemporality),
        (Context::Metric, ["is_monotonic"]) => Ok(Part::IsMonotonic),
        (Context::Span, ["kind", "string"]) => Ok(Part::SpanKind { is_short: true }),
        (Context::Span, ["kind", "deprecated_string"]) => Ok(Part::SpanKind { is_short: false }),
        (Context::Profile, ["attributes"]) => Ok(Part::ProfileAttributes),
        (Context::Profile, ["duration_unix_nano"]) => field_of(owner.message(), &["duration_nano"]),
        (Context::Datapoint, ["value_double"]) => point_of(&["as_double"]),
        (Context::Datapoint, ["value_int"]) => point_of(&["as_int"]),
        (Context::Datapoint, _) => point_of(words),
        _ => field_of(owner.message(), words),
    }
}

fn point_of(words: &[&str]) -> Result<Part, String> {
    let field = |kind: PointKind| match field_of(kind.message(), words) {
        Ok(Part::Field(fields)) => fields.first().copied(),
        _ => None,
    };
    let fields = PointKind::ALL.map(field);
    if fields.iter().all(Option::is_none) {
        return Err(unknown(words, &schema::NUMBER_DATA_POINT));
    }
    Ok(Part::Point(fields))
}

fn field_of(message: &'static Message, words: &[&str]) -> Result<Part, String> {
    let [name, rest @ ..] = words else { return Err("a path is expected".to_owned()) };
    let field = message.fields.iter().find(|field| field.name == *name);
    let field = field.ok_or_else(|| unknown(words, message))?;
    let is_values = |inner: &Message| std::ptr::eq(inner, &raw const schema::KEY_VALUE);
    match (field.kind, rest) {
        (Kind::Id(_), ["string"]) => Ok(Part::Hex(field)),
        (Kind::Message(inner), ["string"]) if is_any(inner) => Ok(Part::BodyText(field)),
        (Kind::Message(inner), []) if is_any(inner) || is_values(inner) => {
            Ok(Part::Field(vec![field]))
        }
        (Kind::Message(inner), [_, ..]) if !field.is_repeated() && !is_any(inner) => {
            match field_of(inner, rest)? {
                Part::Field(fields) => Ok(Part::Field([vec![field], fields].concat())),
                part => Ok(part),
            }
        }
        (kind, []) if kind.message().is_none() && !field.is_repeated() => {
            Ok(Part::Field(vec![field]))
        }
        (_, []) => Err(format!("`{name}` has no single value to compare")),
        _ => Err(unknown(words, message)),
    }
}

/// What to write instead of a list of attributes.
pub(super) fn needs_key(name: &str) -> String {
    format!("`{name}` needs a key, as in `{name}[\"name\"]`")
}

fn is_any(message: &Message) -> bool {
    std::ptr::eq(message, &raw const schema::ANY_VALUE)
}

fn unknown(words: &[&str], message: &Message) -> String {
    format!("`{}` is not a path of {}", words.join("."), message.name)
}

fn type_of(field: &Field) -> ValueType {
    match field.kind {
        Kind::Bool => ValueType::Bool,
        Kind::String => ValueType::Text,
        Kind::Bytes | Kind::Id(_) => ValueType::Bytes,
        Kind::Message(_) => ValueType::Any,
        _ => ValueType::Number,
    }
}
