//! Trace: spans that tell what the collector itself did for a request.
//!
//! Owner: whoever starts a span; it is recorded when it is dropped, and who exports spans takes the
//! records from a channel. Bounds: the channel's length and a share of the memory, both by try
//! only: what finds no room is dropped and counted.
//! Cost: a request that is not sampled costs no allocation, and without a tracer nothing at all.

use std::fmt;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use runtime::budget::{Budget, Permit};
use runtime::channel::Sender;
use runtime::clock::Clock;
use runtime::metrics::Counter;
use runtime::random::Random;

use crate::context::SpanContext;

/// The most links of one span; further ones are counted.
const LINKS_MAX: usize = 16_384;

/// The most events of one span.
const EVENTS_MAX: usize = 128;

/// Starts spans. Clones record to the same place; the default one records nothing.
#[derive(Clone, Debug, Default)]
pub struct Tracer {
    way: Option<Arc<Way>>,
}

/// Where records go.
#[derive(Debug)]
struct Way {
    random: Random,
    /// The part of the requests that is recorded, of those whose clients did not decide.
    root_ratio: f64,
    share: Budget,
    records: Sender<Recorded>,
    dropped: Counter,
}

/// Something that takes time and is told about when it is dropped.
#[must_use = "a span lasts until it is dropped"]
#[derive(Default)]
pub struct Span {
    context: Option<SpanContext>,
    recording: Option<Box<Recording>>,
}

struct Recording {
    way: Arc<Way>,
    began: Instant,
    record: Record,
}

/// A span that ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub name: Arc<str>,
    pub kind: SpanKind,
    pub context: SpanContext,
    /// The parent's span id.
    pub parent: Option<[u8; 8]>,
    pub start: SystemTime,
    pub end: SystemTime,
    pub attributes: Vec<Attribute>,
    pub events: Vec<SpanEvent>,
    pub links: Vec<SpanContext>,
    pub links_dropped: u32,
    /// Why it failed, if it did.
    pub failure: Option<Arc<str>>,
}

/// A record and the room it takes until it is exported.
#[derive(Debug)]
pub struct Recorded {
    pub record: Record,
    pub room: Permit,
}

/// A key and its value.
pub type Attribute = (&'static str, AttributeValue);

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttributeValue {
    Text(Arc<str>),
    Number(u64),
}

/// Something that happened during a span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanEvent {
    pub name: &'static str,
    pub at: SystemTime,
    pub attributes: Vec<Attribute>,
}

/// On which side of a call a span is, with OTLP's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanKind {
    Internal = 1,
    Server = 2,
    Client = 3,
}

impl Tracer {
    /// A tracer whose spans go to `records` while there is room for them in `share`. A request is
    /// recorded when its client sampled it, or, if the client did not say, with a probability of
    /// `root_ratio`.
    #[must_use]
    pub fn new(root_ratio: f64, share: Budget, records: Sender<Recorded>, lost: Counter) -> Self {
        let random = Random::entropy();
        let way = Way { random, root_ratio, share, records, dropped: lost };
        Self { way: Some(Arc::new(way)) }
    }

    /// Starts a span below `parent`, or the first of a trace. One that is not sampled passes its
    /// parent's context on.
    pub fn start(&self, name: &Arc<str>, kind: SpanKind, parent: Option<SpanContext>) -> Span {
        let Some(way) = &self.way else { return Span { context: parent, recording: None } };
        match parent {
            Some(parent) if parent.is_sampled() => {
                let context = SpanContext { span_id: way.span_id(), ..parent };
                Span::recording(way, name, kind, context, Some(parent.span_id))
            }
            Some(_) => Span { context: parent, recording: None },
            None if way.random.fraction() < way.root_ratio => {
                Span::recording(way, name, kind, way.root(SpanContext::SAMPLED), None)
            }
            // What comes after must not decide again.
            None => Span { context: Some(way.root(0)), recording: None },
        }
    }

    /// Starts a span of work that is done for all `contributors` at once: below the only one, else
    /// the first of a trace. It is linked to those that are recorded, and recorded if one is.
    pub fn start_for(
        &self,
        name: &Arc<str>,
        kind: SpanKind,
        contributors: &[Option<SpanContext>],
    ) -> Span {
        let sole = contributors.first().copied().flatten().filter(|_| contributors.len() == 1);
        let sampled = contributors.iter().flatten().filter(|context| context.is_sampled());
        let mut sampled = sampled.copied().peekable();
        let Some(way) = self.way.as_ref().filter(|_| sampled.peek().is_some()) else {
            return Span { context: sole, recording: None };
        };
        let context = match sole {
            Some(parent) => SpanContext { span_id: way.span_id(), ..parent },
            None => way.root(SpanContext::SAMPLED),
        };
        let mut span = Span::recording(way, name, kind, context, sole.map(|sole| sole.span_id));
        sampled.for_each(|contributor| span.link(contributor));
        span
    }
}

impl Way {
    fn root(&self, flags: u8) -> SpanContext {
        let trace_id = u128::from(self.id()) << 64 | u128::from(self.id());
        SpanContext { trace_id: trace_id.to_be_bytes(), span_id: self.span_id(), flags }
    }

    fn span_id(&self) -> [u8; 8] {
        self.id().to_be_bytes()
    }

    /// A number that is not zero, because an id of zeros is none.
    fn id(&self) -> u64 {
        self.random.number().max(1)
    }

    fn take(&self, record: Record) {
        let room = self.share.try_take(record.bytes());
        let recorded = room.map(|room| Recorded { record, room });
        if recorded.is_none_or(|recorded| self.records.try_send(recorded).is_err()) {
            self.dropped.add(1);
        }
    }
}

impl Span {
    fn recording(
        way: &Arc<Way>,
        name: &Arc<str>,
        kind: SpanKind,
        context: SpanContext,
        parent: Option<[u8; 8]>,
    ) -> Self {
        let now = Clock.wall();
        let record = Record {
            name: Arc::clone(name),
            kind,
            context,
            parent,
            start: now,
            end: now,
            attributes: Vec::new(),
            events: Vec::new(),
            links: Vec::new(),
            links_dropped: 0,
            failure: None,
        };
        let recording = Recording { way: Arc::clone(way), began: Clock.now(), record };
        Self { context: Some(context), recording: Some(Box::new(recording)) }
    }

    /// What is passed on to what happens below it.
    #[must_use]
    pub fn context(&self) -> Option<SpanContext> {
        self.context
    }

    /// Whether anyone will hear of it.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        self.recording.is_some()
    }

    /// Adds an attribute.
    pub fn set(&mut self, key: &'static str, value: impl Into<AttributeValue>) {
        if let Some(recording) = &mut self.recording {
            recording.record.attributes.push((key, value.into()));
        }
    }

    /// Adds something that happens now.
    pub fn event(&mut self, name: &'static str, attributes: Vec<Attribute>) {
        if let Some(recording) = &mut self.recording {
            let at = recording.time();
            if recording.record.events.len() < EVENTS_MAX {
                recording.record.events.push(SpanEvent { name, at, attributes });
            }
        }
    }

    /// Links it to another span, once.
    pub fn link(&mut self, other: SpanContext) {
        let Some(recording) = &mut self.recording else { return };
        let record = &mut recording.record;
        if record.links.last() == Some(&other) {
            return;
        }
        if record.links.len() < LINKS_MAX {
            record.links.push(other);
        } else {
            record.links_dropped = record.links_dropped.saturating_add(1);
        }
    }

    /// Says why it failed.
    pub fn fail(&mut self, why: impl Into<Arc<str>>) {
        if let Some(recording) = &mut self.recording {
            recording.record.failure = Some(why.into());
        }
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if let Some(recording) = self.recording.take() {
            let end = recording.time();
            let Recording { way, record, .. } = *recording;
            way.take(Record { end, ..record });
        }
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Span")
            .field("context", &self.context)
            .field("is_recording", &self.is_recording())
            .finish()
    }
}

impl Recording {
    /// The time on the wall, which does not jump during a span.
    fn time(&self) -> SystemTime {
        self.record.start + Clock.now().saturating_duration_since(self.began)
    }
}

impl Record {
    /// About how much memory it takes.
    fn bytes(&self) -> usize {
        let text = |attributes: &[Attribute]| -> usize {
            let sizes = attributes.iter().map(|(_, value)| match value {
                AttributeValue::Text(text) => text.len(),
                AttributeValue::Number(_) => 0,
            });
            sizes.sum::<usize>() + size_of_val(attributes)
        };
        let events: usize = self.events.iter().map(|event| text(&event.attributes)).sum();
        size_of::<Self>()
            + text(&self.attributes)
            + size_of_val(self.events.as_slice())
            + events
            + size_of_val(self.links.as_slice())
            + self.failure.as_ref().map_or(0, |why| why.len())
    }
}

impl From<u64> for AttributeValue {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<&Arc<str>> for AttributeValue {
    fn from(text: &Arc<str>) -> Self {
        Self::Text(Arc::clone(text))
    }
}

impl From<&str> for AttributeValue {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

#[cfg(test)]
mod tests;
