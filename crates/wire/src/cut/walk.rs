//! Walk: visits the containers and items of a request in order, going no deeper than asked.
//!
//! Bounds: the recursion is as deep as the schema: request, resource, scope, metric, data.

use bytes::Bytes;

use crate::Signal;
use crate::payload::shape::{Container, Role, Survey, effective_data};
use crate::protobuf::Fields;
use crate::rope::compose::Span;

/// What to do about a container or an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// It is dealt with.
    Done,
    /// Visit what is in it, between `open` and `close`.
    Open,
}

/// A container or an item.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown {
    pub(super) items: usize,
    pub(super) span: Span,
    /// Whether it may be taken as it is; else it is opened, so that what it holds beside items, and
    /// how long it is, does not depend on where the cuts fall.
    pub(super) is_tidy: bool,
}

/// Is shown a request from front to back.
pub(super) trait Visit {
    /// The next items.
    fn field(&mut self, field: &Shown) -> Choice;
    /// What follows, until `close`, stands in a field of this number, beside `headers`.
    fn open(&mut self, number: u32, headers: Vec<Span>);
    fn close(&mut self);
}

/// Shows the request to `visit`. The request itself is opened, too, with number 0.
/// Containers without items are left out.
pub(super) fn walk(signal: Signal, blocks: &[Bytes], visit: &mut impl Visit) {
    let whole = |(block, bytes): (usize, &Bytes)| Span { block, start: 0, end: bytes.len() };
    let bodies = blocks.iter().enumerate().map(whole).collect();
    Walk { signal, blocks, visit }.open(Container::Request, 0, bodies);
}

struct Walk<'a, V> {
    signal: Signal,
    blocks: &'a [Bytes],
    visit: &'a mut V,
}

impl<V: Visit> Walk<'_, V> {
    /// Visits a container, whose body may come in several parts.
    fn open(&mut self, container: Container, number: u32, bodies: Vec<Span>) {
        let headers =
            bodies.iter().fold(Vec::new(), |headers, body| self.headers(container, *body, headers));
        self.visit.open(number, headers);
        for body in bodies {
            self.fields(container, body);
        }
        self.visit.close();
    }

    fn headers(&self, container: Container, body: Span, mut headers: Vec<Span>) -> Vec<Span> {
        for field in Fields::of(body.bytes(self.blocks)) {
            if container.role(self.signal, field.number) == Role::Header {
                push_joined(&mut headers, body.part(field.start, field.end));
            }
        }
        headers
    }

    fn fields(&mut self, container: Container, body: Span) {
        if container == Container::Metric {
            return self.data(body);
        }
        for field in Fields::of(body.bytes(self.blocks)) {
            let span = body.part(field.start, field.end);
            match container.role(self.signal, field.number) {
                Role::Header => {}
                Role::Item => {
                    self.visit.field(&Shown { items: 1, span, is_tidy: true });
                }
                Role::Container(inner) => {
                    let inner_body = body.part(field.body_start(), field.end);
                    let Survey { items, is_tidy } =
                        inner.survey(self.signal, inner_body.bytes(self.blocks));
                    let shown = Shown { items, span, is_tidy };
                    if 0 < items && self.visit.field(&shown) == Choice::Open {
                        self.open(inner, field.number, vec![inner_body]);
                    }
                }
            }
        }
    }

    /// Visits the data that a decoder keeps of a metric, as one container.
    fn data(&mut self, metric: Span) {
        let mut number = 0;
        let mut bodies = Vec::new();
        for field in effective_data(metric.bytes(self.blocks)) {
            number = field.number;
            bodies.push(metric.part(field.body_start(), field.end));
        }
        if !bodies.is_empty() {
            self.open(Container::Data, number, bodies);
        }
    }
}

/// Appends a span; lengthens the last one if they touch.
pub(super) fn push_joined(spans: &mut Vec<Span>, span: Span) {
    match spans.last_mut() {
        Some(last) if last.block == span.block && last.end == span.start => last.end = span.end,
        _ => spans.push(span),
    }
}
