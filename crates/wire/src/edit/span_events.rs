//! Span events: leaves events out of spans.

use super::rewrite::{Rewrite, Target};
use super::{Level, Place};
use crate::payload::shape::number;
use crate::protobuf::{Field, Fields};
use crate::rope::compose::Composer;
use crate::schema;
use crate::view::message::Message;
use crate::view::{Item, SpanEvent};

const EVENTS: u32 = number(&schema::SPAN, "events");

/// Keeps the events that `keep` wants.
pub(super) struct Retain<F> {
    keep: F,
    /// For each event of a span, whether it stays; kept for its allocation.
    verdicts: Vec<bool>,
}

impl<F> Retain<F> {
    pub(super) fn new(keep: F) -> Self {
        Self { keep, verdicts: Vec::new() }
    }
}

impl<'a, F: FnMut(&Place<'_>, SpanEvent<'_>) -> bool> Rewrite<'a> for Retain<F> {
    fn level(&self) -> Level {
        Level::Item
    }

    fn rewrite(
        &mut self,
        place: &Place<'_>,
        target: Target<'a>,
        composer: &mut Composer<'a>,
    ) -> bool {
        if !matches!(place.item(), Some(Item::Span(_))) {
            return false;
        }
        let is_event = |field: &Field<'_>| field.number == EVENTS;
        let mut events = Fields::of(target.bytes).filter(is_event).peekable();
        if events.peek().is_none() {
            return false;
        }
        let span = without_events(target.bytes);
        let place = place.with_item(&span, place.serials().item);
        let events = events.map(|field| Message::of(field.bytes().unwrap_or_default()));
        self.verdicts.clear();
        self.verdicts.extend(events.map(|event| (self.keep)(&place, event.into())));
        if self.verdicts.iter().all(|stays| *stays) {
            return false;
        }
        let mut verdicts = self.verdicts.iter();
        for field in Fields::of(target.bytes) {
            let stays = !is_event(&field) || verdicts.next().is_none_or(|stays| *stays);
            if stays {
                composer.slice(target.span.part(field.start, field.end));
            }
        }
        true
    }
}

/// What a span says beside its events, so that looking at it for each event does not walk over all
/// of them again.
fn without_events(span: &[u8]) -> Vec<u8> {
    let mut header = Vec::new();
    for field in Fields::of(span).filter(|field| field.number != EVENTS) {
        header.extend_from_slice(&span[field.start..field.end]);
    }
    header
}
