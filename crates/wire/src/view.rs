//! View: borrowed looks into a payload, without decoding it.
//!
//! Cost: an accessor walks the fields of its message once, some nanoseconds a field; nothing is
//! copied, except that a payload that was cut is joined first where its slices split a message.
//! Invariant: reading never fails; what a valid message does not say reads as protobuf's default.

use bytes::Bytes;

pub(crate) mod any_value;
pub(crate) mod attributes;
pub(crate) mod message;
mod metrics;
mod records;

pub use any_value::{AnyValue, Array, OwnedValue};
pub use attributes::{Attributes, KeyValue};
pub use message::{Doubles, Messages, Numbers};
pub use metrics::{
    Buckets, Exemplar, ExponentialHistogramPoint, HistogramPoint, Metric, MetricKind, NumberPoint,
    NumberValue, Point, QuantileValue, SummaryPoint,
};
pub use records::{LogRecord, Profile, Sample, Span, SpanEvent, SpanLink, Status};

use crate::payload::shape::{Container, Role, number};
use crate::protobuf::Fields;
use crate::{Payload, Signal, schema};
use message::Message;

/// A payload opened for looking inside.
#[derive(Clone, Debug)]
pub struct View {
    signal: Signal,
    blocks: Vec<Bytes>,
}

/// One `ResourceLogs`, `ResourceSpans`, ...: a resource and what came from it.
#[derive(Clone, Copy, Debug)]
pub struct Resource<'a> {
    signal: Signal,
    group: Message<'a>,
}

/// One `ScopeLogs`, `ScopeSpans`, ...: an instrumentation scope and what came from it.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    signal: Signal,
    group: Message<'a>,
}

/// What is counted in a payload.
#[derive(Clone, Copy, Debug)]
pub enum Item<'a> {
    LogRecord(LogRecord<'a>),
    Span(Span<'a>),
    Point(Point<'a>),
    Sample(Sample<'a>),
}

/// The field of a resource or scope group that holds the resource or scope.
pub(crate) const SUBJECT: u32 = number(&schema::RESOURCE_LOGS, "resource");
pub(crate) const RESOURCE_ATTRIBUTES: u32 = number(&schema::RESOURCE, "attributes");
pub(crate) const SCOPE_ATTRIBUTES: u32 = number(&schema::INSTRUMENTATION_SCOPE, "attributes");
const RESOURCE_DROPPED: u32 = number(&schema::RESOURCE, "dropped_attributes_count");
const SCOPE_NAME: u32 = number(&schema::INSTRUMENTATION_SCOPE, "name");
const SCOPE_VERSION: u32 = number(&schema::INSTRUMENTATION_SCOPE, "version");
const SCOPE_DROPPED: u32 = number(&schema::INSTRUMENTATION_SCOPE, "dropped_attributes_count");
const SCHEMA_URL: u32 = number(&schema::RESOURCE_LOGS, "schema_url");

impl Payload {
    /// Opens the payload for looking inside.
    #[must_use]
    pub fn view(&self) -> View {
        View { signal: self.signal(), blocks: self.blocks() }
    }
}

impl View {
    /// The resources, in order.
    pub fn resources(&self) -> impl Iterator<Item = Resource<'_>> {
        let signal = self.signal;
        let groups =
            self.blocks.iter().flat_map(move |block| containers(signal, Container::Request, block));
        groups.map(move |group| Resource { signal, group })
    }
}

impl<'a> Resource<'a> {
    pub(crate) fn of(signal: Signal, group: &'a [u8]) -> Self {
        Self { signal, group: Message::of(group) }
    }

    /// The encoded `ResourceLogs`, `ResourceSpans`, ..., with all that came from the resource.
    #[must_use]
    pub fn encoded(self) -> &'a [u8] {
        self.group.bytes()
    }

    /// The attributes of the resource.
    #[must_use]
    pub fn attributes(self) -> Attributes<'a> {
        Attributes::direct(self.subject(), RESOURCE_ATTRIBUTES)
    }

    /// How many attributes the sender left out.
    #[must_use]
    pub fn dropped_attributes_count(self) -> u64 {
        self.subject().number(RESOURCE_DROPPED)
    }

    #[must_use]
    pub fn schema_url(self) -> &'a str {
        self.group.text(SCHEMA_URL)
    }

    /// The scopes below the resource, in order.
    pub fn scopes(self) -> impl Iterator<Item = Scope<'a>> {
        let Self { signal, group } = self;
        containers(signal, Container::Resource, group.bytes())
            .map(move |group| Scope { signal, group })
    }

    fn subject(self) -> Message<'a> {
        Message::within(self.group.bytes(), SUBJECT)
    }
}

impl<'a> Scope<'a> {
    pub(crate) fn of(signal: Signal, group: &'a [u8]) -> Self {
        Self { signal, group: Message::of(group) }
    }

    /// The encoded `ScopeLogs`, `ScopeSpans`, ..., with all that came from the scope.
    #[must_use]
    pub fn encoded(self) -> &'a [u8] {
        self.group.bytes()
    }

    #[must_use]
    pub fn name(self) -> &'a str {
        self.subject().text(SCOPE_NAME)
    }

    #[must_use]
    pub fn version(self) -> &'a str {
        self.subject().text(SCOPE_VERSION)
    }

    /// The attributes of the scope.
    #[must_use]
    pub fn attributes(self) -> Attributes<'a> {
        Attributes::direct(self.subject(), SCOPE_ATTRIBUTES)
    }

    /// How many attributes the sender left out.
    #[must_use]
    pub fn dropped_attributes_count(self) -> u64 {
        self.subject().number(SCOPE_DROPPED)
    }

    #[must_use]
    pub fn schema_url(self) -> &'a str {
        self.group.text(SCHEMA_URL)
    }

    /// The log records; none in payloads of another signal.
    pub fn log_records(self) -> impl Iterator<Item = LogRecord<'a>> {
        self.messages(Signal::Logs).map(LogRecord::from)
    }

    /// The spans; none in payloads of another signal.
    pub fn spans(self) -> impl Iterator<Item = Span<'a>> {
        self.messages(Signal::Traces).map(Span::from)
    }

    /// The metrics; none in payloads of another signal.
    pub fn metrics(self) -> impl Iterator<Item = Metric<'a>> {
        self.messages(Signal::Metrics).map(Metric::from)
    }

    /// The profiles; none in payloads of another signal.
    pub fn profiles(self) -> impl Iterator<Item = Profile<'a>> {
        self.messages(Signal::Profiles).map(Profile::from)
    }

    fn subject(self) -> Message<'a> {
        Message::within(self.group.bytes(), SUBJECT)
    }

    fn messages(self, signal: Signal) -> impl Iterator<Item = Message<'a>> {
        let body = if self.signal == signal { self.group.bytes() } else { &[] };
        Fields::of(body)
            .filter(move |field| Container::Scope.role(signal, field.number) != Role::Header)
            .filter_map(|field| field.bytes())
            .map(Message::of)
    }
}

impl<'a> Item<'a> {
    /// The encoded item.
    #[must_use]
    pub fn encoded(self) -> &'a [u8] {
        match self {
            Self::LogRecord(log_record) => log_record.encoded(),
            Self::Span(span) => span.encoded(),
            Self::Point(point) => point.encoded(),
            Self::Sample(sample) => sample.encoded(),
        }
    }

    /// The attributes of the item; those of profile samples stand in the dictionary.
    #[must_use]
    pub fn attributes(self) -> Attributes<'a> {
        match self {
            Self::LogRecord(log_record) => log_record.attributes(),
            Self::Span(span) => span.attributes(),
            Self::Point(point) => point.attributes(),
            Self::Sample(_) => Attributes::none(),
        }
    }
}

fn containers(
    signal: Signal,
    container: Container,
    body: &[u8],
) -> impl Iterator<Item = Message<'_>> {
    Fields::of(body)
        .filter(move |field| container.role(signal, field.number) != Role::Header)
        .filter_map(|field| field.bytes())
        .map(Message::of)
}
