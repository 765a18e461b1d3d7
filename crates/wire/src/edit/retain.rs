//! Retain: asks about each item or metric, and notes the ranges of items that stay.

use std::ops::Range;

use super::Place;
use super::place::header;
use crate::payload::shape::{Container, Role, effective_data};
use crate::protobuf::Fields;
use crate::{Payload, Signal};

/// The ranges of the items that `keep` wants.
pub(super) fn kept_items(
    payload: &Payload,
    keep: impl FnMut(&Place<'_>) -> bool,
) -> Vec<Range<usize>> {
    run(payload, None, keep)
}

/// The ranges of the items whose metrics `keep` wants.
pub(super) fn kept_metrics(
    payload: &Payload,
    keep: impl FnMut(&Place<'_>) -> bool,
) -> Vec<Range<usize>> {
    if payload.signal() != Signal::Metrics {
        return run(payload, None, |_| true);
    }
    run(payload, Some(Container::Metric), keep)
}

/// Asks about the containers of one kind, or about the items.
fn run(
    payload: &Payload,
    asked: Option<Container>,
    keep: impl FnMut(&Place<'_>) -> bool,
) -> Vec<Range<usize>> {
    let signal = payload.signal();
    let mut survey = Survey { signal, asked, keep, serial: 0, position: 0, kept: Vec::new() };
    for block in payload.blocks() {
        survey.fields(Container::Request, &block, Place::outermost(signal));
    }
    survey.kept
}

struct Survey<F> {
    signal: Signal,
    asked: Option<Container>,
    keep: F,
    /// Of the thing that was met last.
    serial: u64,
    position: usize,
    kept: Vec<Range<usize>>,
}

impl<F: FnMut(&Place<'_>) -> bool> Survey<F> {
    fn fields(&mut self, container: Container, body: &[u8], place: Place<'_>) {
        let gone_until = match container {
            Container::Metric => effective_data(body).next().map_or(0, |field| field.start),
            _ => 0,
        };
        for field in Fields::of(body) {
            let inner_body = field.bytes().unwrap_or_default();
            self.serial += 1;
            match container.role(self.signal, field.number) {
                Role::Item => {
                    let keep = (self.keep)(&place.with_item(inner_body, self.serial));
                    self.pass(1, keep);
                }
                Role::Container(Container::Data) if field.start < gone_until => {}
                Role::Container(inner) => {
                    if self.asked == Some(inner) {
                        let place = place.within(inner, field.number, inner_body, self.serial);
                        let keep = (self.keep)(&place);
                        self.pass(inner.survey(self.signal, inner_body).items, keep);
                    } else {
                        let header = header(self.signal, inner, inner_body);
                        let place = place.within(inner, field.number, &header, self.serial);
                        self.fields(inner, inner_body, place);
                    }
                }
                Role::Header => {}
            }
        }
    }

    fn pass(&mut self, items: usize, keep: bool) {
        let range = self.position..self.position + items;
        self.position = range.end;
        match self.kept.last_mut() {
            _ if !keep || range.is_empty() => {}
            Some(last) if last.end == range.start => last.end = range.end,
            _ => self.kept.push(range),
        }
    }
}
