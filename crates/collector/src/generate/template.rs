//! Template: a request encoded once, whose items are numbered anew each time it is sent.
//!
//! Cost of a request: one copy of its bytes, and 16 digits written for each item.

use wire::Signal;
use wire::protobuf::{put_bytes_field, put_fixed64_field, put_len_prefix, put_varint_field};

use super::prose::prose;
use crate::ledger::{RUN_KEY, SEQUENCE_KEY};

/// Stands where an item's number is written; nothing else in a template looks like it.
const PLACE: &[u8; 16] = b"@@@@@@@@@@@@@@@@";

/// The same for profile samples, whose number is a timestamp of eight bytes.
const SAMPLE_PLACE: &[u8; 8] = b"@@@@@@@@";

/// What a generated request holds.
#[derive(Clone, Debug)]
pub(crate) struct Shape<'a> {
    pub(crate) signal: Signal,
    pub(crate) items: usize,
    /// Bytes of text in each item, beside what every item carries.
    pub(crate) item_bytes: usize,
    pub(crate) run: &'a str,
    /// Nanoseconds since 1970, the time of all items.
    pub(crate) time: u64,
}

/// A request whose items have no numbers yet.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    encoded: Vec<u8>,
    places: Vec<usize>,
    place: &'static [u8],
}

impl Template {
    pub(crate) fn of(shape: &Shape<'_>) -> Self {
        let mut encoded = Vec::new();
        put_message(&mut encoded, 1, |resource_items| {
            put_message(resource_items, 1, |resource| {
                put_attribute(resource, 1, "service.name", b"tidegate-generate");
                put_attribute(resource, 1, RUN_KEY, shape.run.as_bytes());
            });
            put_message(resource_items, 2, |scope_items| {
                put_message(scope_items, 1, |scope| {
                    put_bytes_field(scope, 1, b"tidegate.generate")
                });
                put_items(scope_items, shape);
            });
        });
        let mut place: &'static [u8] = PLACE;
        if shape.signal == Signal::Profiles {
            put_message(&mut encoded, 2, put_dictionary);
            place = SAMPLE_PLACE;
        }
        let found = encoded.windows(place.len()).enumerate().filter(|(_, bytes)| *bytes == place);
        let places = found.map(|(at, _)| at).collect();
        Self { encoded, places, place }
    }

    /// The request with its items numbered from `first`.
    pub(crate) fn fill(&self, first: u64) -> Vec<u8> {
        let mut request = self.encoded.clone();
        for (sequence, at) in (first..).zip(&self.places) {
            let place = &mut request[*at..*at + self.place.len()];
            match <&mut [u8; 8]>::try_from(&mut *place) {
                Ok(timestamp) => *timestamp = sequence.to_le_bytes(),
                Err(_) => write_digits(place, sequence),
            }
        }
        request
    }
}

fn put_items(scope_items: &mut Vec<u8>, shape: &Shape<'_>) {
    match shape.signal {
        Signal::Logs => {
            (0..shape.items).for_each(|at| {
                put_message(scope_items, 2, |log| put_log(log, shape, at));
            });
        }
        Signal::Traces => {
            (0..shape.items).for_each(|at| {
                put_message(scope_items, 2, |span| put_span(span, shape, at));
            });
        }
        Signal::Metrics => put_message(scope_items, 2, |metric| put_metric(metric, shape)),
        Signal::Profiles => put_message(scope_items, 2, |profile| put_profile(profile, shape)),
    }
}

/// `opentelemetry.proto.logs.v1.LogRecord`
fn put_log(log: &mut Vec<u8>, shape: &Shape<'_>, at: usize) {
    put_fixed64_field(log, 1, shape.time);
    put_fixed64_field(log, 11, shape.time);
    put_varint_field(log, 2, 9);
    put_bytes_field(log, 3, b"INFO");
    put_message(log, 5, |body| put_bytes_field(body, 1, &text(shape, at)));
    put_attribute(log, 6, SEQUENCE_KEY, PLACE);
}

/// `opentelemetry.proto.trace.v1.Span`
fn put_span(span: &mut Vec<u8>, shape: &Shape<'_>, at: usize) {
    let id = (at as u64 + 1).to_be_bytes();
    put_bytes_field(span, 1, &[id, id].concat());
    put_bytes_field(span, 2, &id);
    put_bytes_field(span, 5, b"generated");
    put_varint_field(span, 6, 1);
    put_fixed64_field(span, 7, shape.time);
    put_fixed64_field(span, 8, shape.time + 1_000_000);
    put_attribute(span, 9, SEQUENCE_KEY, PLACE);
    put_attribute(span, 9, "text", &text(shape, at));
}

/// `opentelemetry.proto.metrics.v1.Metric`, a gauge with one data point for each item.
fn put_metric(metric: &mut Vec<u8>, shape: &Shape<'_>) {
    put_bytes_field(metric, 1, b"generated");
    put_bytes_field(metric, 3, b"1");
    put_message(metric, 5, |gauge| {
        for at in 0..shape.items {
            put_message(gauge, 1, |point| {
                put_fixed64_field(point, 3, shape.time);
                put_fixed64_field(point, 6, at as u64);
                put_attribute(point, 7, SEQUENCE_KEY, PLACE);
                put_attribute(point, 7, "text", &text(shape, at));
            });
        }
    });
}

/// `opentelemetry.proto.profiles.v1development.Profile`
fn put_profile(profile: &mut Vec<u8>, shape: &Shape<'_>) {
    for _ in 0..shape.items {
        put_message(profile, 2, |sample| {
            put_bytes_field(sample, 4, &[1]);
            put_bytes_field(sample, 5, SAMPLE_PLACE);
        });
    }
    put_fixed64_field(profile, 3, shape.time);
}

/// `opentelemetry.proto.profiles.v1development.ProfilesDictionary`: entry 0 of each table is empty.
fn put_dictionary(dictionary: &mut Vec<u8>) {
    (1..=7).for_each(|table| put_bytes_field(dictionary, table, b""));
}

/// `opentelemetry.proto.common.v1.KeyValue` with a string value.
fn put_attribute(out: &mut Vec<u8>, number: u32, key: &str, value: &[u8]) {
    put_message(out, number, |attribute| {
        put_bytes_field(attribute, 1, key.as_bytes());
        put_message(attribute, 2, |any| put_bytes_field(any, 1, value));
    });
}

fn put_message(out: &mut Vec<u8>, number: u32, write: impl FnOnce(&mut Vec<u8>)) {
    let mut message = Vec::new();
    write(&mut message);
    put_len_prefix(out, number, message.len());
    out.extend_from_slice(&message);
}

fn text(shape: &Shape<'_>, at: usize) -> Vec<u8> {
    prose(at as u64, shape.item_bytes)
}

fn write_digits(place: &mut [u8], mut number: u64) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).expect("a digit");
        number /= 10;
    }
}

#[cfg(test)]
mod tests;
