//! Place: what stands around a thing in a payload.
//!
//! Cost: what a container says about itself is copied out of it once, so that looking at it for
//! each of its items does not walk over all of them again.

use std::borrow::Cow;

use crate::Signal;
use crate::payload::shape::{Container, Role, effective_data};
use crate::protobuf::{Fields, put_bytes_field};
use crate::view::message::Message;
use crate::view::{Item, Metric, MetricKind, Point, Profile, Resource, SUBJECT, Scope};

/// What a metric usually says about itself.
const HEADER_BYTES: usize = 256;

/// A thing in a payload and what it belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    signal: Signal,
    serials: Serials,
    resource: Resource<'a>,
    scope: Option<Scope<'a>>,
    metric: Option<Metric<'a>>,
    profile: Option<Profile<'a>>,
    kind: MetricKind,
    item: Option<Item<'a>>,
}

/// Numbers of a thing and of what is around it, by which a walk tells them apart: what was found out
/// about a resource is kept for its items, instead of looking at it again for each of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Serials {
    /// The resource; 0 is none.
    pub resource: u64,
    /// The scope; 0 is none.
    pub scope: u64,
    /// The metric or profile; 0 is none.
    pub holder: u64,
    /// The item; 0 is none.
    pub item: u64,
}

impl<'a> Place<'a> {
    pub(super) fn outermost(signal: Signal) -> Self {
        Self {
            signal,
            serials: Serials::default(),
            resource: Resource::of(signal, &[]),
            scope: None,
            metric: None,
            profile: None,
            kind: MetricKind::None,
            item: None,
        }
    }

    #[must_use]
    pub fn signal(&self) -> Signal {
        self.signal
    }

    /// Tells this place from the others of the same walk.
    #[must_use]
    pub fn serials(&self) -> Serials {
        self.serials
    }

    /// The resource. Only itself: nothing that came from it is seen through a place.
    #[must_use]
    pub fn resource(&self) -> Resource<'a> {
        self.resource
    }

    /// The scope, or the scope of the item; only itself.
    #[must_use]
    pub fn scope(&self) -> Option<Scope<'a>> {
        self.scope
    }

    /// The metric, or the metric of the data point without its points.
    #[must_use]
    pub fn metric(&self) -> Option<Metric<'a>> {
        self.metric
    }

    /// What the points of the metric are, known without looking at it.
    #[must_use]
    pub fn metric_kind(&self) -> MetricKind {
        self.kind
    }

    /// The profile of the sample, without its samples.
    #[must_use]
    pub fn profile(&self) -> Option<Profile<'a>> {
        self.profile
    }

    #[must_use]
    pub fn item(&self) -> Option<Item<'a>> {
        self.item
    }

    /// The place of a container in this one, which stands in a field of this number.
    pub(super) fn within(
        self,
        container: Container,
        number: u32,
        body: &'a [u8],
        serial: u64,
    ) -> Self {
        let message = Message::of(body);
        let around = self.serials;
        match container {
            Container::Resource => Self {
                resource: Resource::of(self.signal, body),
                serials: Serials { resource: serial, ..Serials::default() },
                ..Self::outermost(self.signal)
            },
            Container::Scope => Self {
                scope: Some(Scope::of(self.signal, body)),
                metric: None,
                serials: Serials { scope: serial, holder: 0, ..around },
                ..self
            },
            Container::Metric => Self {
                metric: Some(message.into()),
                serials: Serials { holder: serial, ..around },
                ..self
            },
            Container::Data => Self { kind: MetricKind::of_field(number), ..self },
            Container::Profile => Self {
                profile: Some(message.into()),
                serials: Serials { holder: serial, ..around },
                ..self
            },
            Container::Request => self,
        }
    }

    /// The place of an item in this container.
    pub(super) fn with_item(self, body: &'a [u8], serial: u64) -> Self {
        let message = Message::of(body);
        let item = match self.signal {
            Signal::Logs => Item::LogRecord(message.into()),
            Signal::Traces => Item::Span(message.into()),
            Signal::Metrics => Item::Point(Point::of(self.kind, body)),
            Signal::Profiles => Item::Sample(message.into()),
        };
        let serials = Serials { item: serial, ..self.serials };
        Self { item: Some(item), serials, ..self }
    }
}

/// What the body of a container says beside what it holds.
pub(super) fn header(signal: Signal, container: Container, body: &[u8]) -> Cow<'_, [u8]> {
    match container {
        Container::Metric => return Cow::Owned(metric_header(body)),
        // A place says no more of it than its kind.
        Container::Data => return Cow::Borrowed(body),
        _ => {}
    }
    let mut header = Vec::new();
    let mut subject = Vec::new();
    for field in Fields::of(body) {
        match (container, field.bytes()) {
            (Container::Resource | Container::Scope, Some(part)) if field.number == SUBJECT => {
                subject.extend_from_slice(part);
            }
            _ if container.role(signal, field.number) == Role::Header => {
                header.extend_from_slice(&body[field.start..field.end]);
            }
            _ => {}
        }
    }
    if !subject.is_empty() {
        put_bytes_field(&mut header, SUBJECT, &subject);
    }
    Cow::Owned(header)
}

/// What a metric says beside its points: its data, which tells metrics apart, stays in one piece.
fn metric_header(body: &[u8]) -> Vec<u8> {
    let signal = Signal::Metrics;
    let mut header = Vec::with_capacity(body.len().min(HEADER_BYTES));
    for field in Fields::of(body) {
        if Container::Metric.role(signal, field.number) == Role::Header {
            header.extend_from_slice(&body[field.start..field.end]);
        }
    }
    let mut number = None;
    let mut data = Vec::new();
    for part in effective_data(body) {
        number = Some(part.number);
        let part = part.bytes().unwrap_or_default();
        for field in Fields::of(part) {
            if Container::Data.role(signal, field.number) == Role::Header {
                data.extend_from_slice(&part[field.start..field.end]);
            }
        }
    }
    if let Some(number) = number {
        put_bytes_field(&mut header, number, &data);
    }
    header
}
