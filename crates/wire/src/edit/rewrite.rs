//! Rewrite: goes down to the messages that may change, and patches the lengths on the way up.
//!
//! Bounds: the recursion is as deep as the schema.
//! Invariant: a message in which nothing changed stays byte for byte.

use bytes::Bytes;

use super::{Level, Place, place};
use crate::Payload;
use crate::payload::shape::{Container, Role, effective_data};
use crate::protobuf::Fields;
use crate::rope::compose::{Composer, Span};

/// A message that may change.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    /// Its body: of an item, or of the group that holds a resource or scope.
    pub(super) span: Span,
    pub(super) bytes: &'a [u8],
}

/// What is done to the messages of one level.
pub(super) trait Rewrite<'a> {
    fn level(&self) -> Level;

    /// Writes the body of the message if it changes; returns whether it did.
    fn rewrite(
        &mut self,
        place: &Place<'_>,
        target: Target<'a>,
        composer: &mut Composer<'a>,
    ) -> bool;
}

/// Applies `change` to a payload, whose blocks are `blocks`.
pub(super) fn rewrite<'a>(
    payload: &Payload,
    blocks: &'a [Bytes],
    change: impl Rewrite<'a>,
) -> Payload {
    let signal = payload.signal();
    let composer = match change.level() {
        Level::Item => Composer::for_many_small(blocks),
        Level::Resource | Level::Scope => Composer::new(blocks),
    };
    let mut rewriter = Rewriter { blocks, composer, change, serial: 0 };
    let mut is_changed = false;
    for (block, bytes) in blocks.iter().enumerate() {
        let body = Span { block, start: 0, end: bytes.len() };
        is_changed |= rewriter.fields(Container::Request, body, Place::outermost(signal));
    }
    if !is_changed {
        return payload.clone();
    }
    Payload::trusted(signal, payload.items(), rewriter.composer.take())
}

struct Rewriter<'a, R> {
    blocks: &'a [Bytes],
    composer: Composer<'a>,
    change: R,
    /// Of the thing that was met last.
    serial: u64,
}

impl<'a, R: Rewrite<'a>> Rewriter<'a, R> {
    /// Writes the fields of a container; returns whether anything in it changed.
    fn fields(&mut self, container: Container, body: Span, place: Place<'_>) -> bool {
        let bytes = body.bytes(self.blocks);
        let gone_until = match container {
            Container::Metric => effective_data(bytes).next().map_or(0, |field| field.start),
            _ => 0,
        };
        let mut is_changed = false;
        for field in Fields::of(bytes) {
            let span = body.part(field.start, field.end);
            let inner_body = body.part(field.body_start(), field.end);
            let inner_bytes = inner_body.bytes(self.blocks);
            let header;
            self.serial += 1;
            let (inner, place) = match container.role(place.signal(), field.number) {
                Role::Item if self.change.level() == Level::Item => {
                    (None, place.with_item(inner_bytes, self.serial))
                }
                // Data that later data of another kind replaces is nobody's to see.
                Role::Container(Container::Data) if field.start < gone_until => {
                    self.composer.slice(span);
                    continue;
                }
                Role::Container(inner) if self.is_on_the_way(inner) => {
                    header = place::header(place.signal(), inner, inner_bytes);
                    (Some(inner), place.within(inner, field.number, &header, self.serial))
                }
                _ => {
                    self.composer.slice(span);
                    continue;
                }
            };
            self.composer.open(field.number);
            if self.message(inner, inner_body, place) {
                self.composer.close();
                is_changed = true;
            } else {
                self.composer.close_unchanged(span);
            }
        }
        is_changed
    }

    /// Writes a container or, for `None`, an item; returns whether it changed.
    fn message(&mut self, container: Option<Container>, body: Span, place: Place<'_>) -> bool {
        match (container, self.change.level()) {
            (None, _)
            | (Some(Container::Resource), Level::Resource)
            | (Some(Container::Scope), Level::Scope) => {
                let target = Target { span: body, bytes: body.bytes(self.blocks) };
                self.change.rewrite(&place, target, &mut self.composer)
            }
            (Some(container), _) => self.fields(container, body, place),
        }
    }

    fn is_on_the_way(&self, container: Container) -> bool {
        match self.change.level() {
            Level::Resource => container == Container::Resource,
            Level::Scope => matches!(container, Container::Resource | Container::Scope),
            Level::Item => true,
        }
    }
}
