//! Shape: which fields lead from a request down to its items.
//!
//! Cost: counting looks at the lengths of containers and items only.
//! Invariant: fields that are neither containers nor items say something about what they stand in.

use crate::Signal;
use crate::protobuf::{Field, Fields, len_field_len};
use crate::schema::{self, Message};

/// A message that holds items, directly or through other containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Container {
    Request,
    Resource,
    Scope,
    Metric,
    /// The points of a metric and what holds for all of them.
    Data,
    Profile,
}

/// What a field of a container is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Container(Container),
    Item,
    /// Says something about the container.
    Header,
}

const RESOURCES: u32 = number(schema::request(Signal::Logs), "resource_logs");
const SCOPES: u32 = number(&schema::RESOURCE_LOGS, "scope_logs");
const SCOPE_ITEMS: u32 = number(&schema::SCOPE_LOGS, "log_records");
const GAUGE: u32 = number(&schema::METRIC, "gauge");
const SUM: u32 = number(&schema::METRIC, "sum");
const HISTOGRAM: u32 = number(&schema::METRIC, "histogram");
const EXPONENTIAL_HISTOGRAM: u32 = number(&schema::METRIC, "exponential_histogram");
const SUMMARY: u32 = number(&schema::METRIC, "summary");
const POINTS: u32 = number(&schema::GAUGE, "data_points");
const SAMPLES: u32 = number(&schema::PROFILE, "samples");

/// The number of a message's field; does not compile when there is none.
pub(crate) const fn number(message: &Message, name: &str) -> u32 {
    let mut at = 0;
    while at < message.fields.len() {
        if is_same(message.fields[at].name.as_bytes(), name.as_bytes()) {
            return message.fields[at].number;
        }
        at += 1;
    }
    panic!("no such field")
}

const fn is_same(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    let mut at = 0;
    while at < left.len() {
        if left[at] != right[at] {
            return false;
        }
        at += 1;
    }
    true
}

impl Container {
    /// What the field of this number is.
    #[inline]
    pub(crate) fn role(self, signal: Signal, number: u32) -> Role {
        match (self, number) {
            (Self::Request, RESOURCES) => Role::Container(Self::Resource),
            (Self::Resource, SCOPES) => Role::Container(Self::Scope),
            (Self::Scope, SCOPE_ITEMS) => match signal {
                Signal::Logs | Signal::Traces => Role::Item,
                Signal::Metrics => Role::Container(Self::Metric),
                Signal::Profiles => Role::Container(Self::Profile),
            },
            (Self::Metric, GAUGE | SUM | HISTOGRAM | EXPONENTIAL_HISTOGRAM | SUMMARY) => {
                Role::Container(Self::Data)
            }
            (Self::Data, POINTS) | (Self::Profile, SAMPLES) => Role::Item,
            _ => Role::Header,
        }
    }

    /// Looks through the body of a container.
    pub(crate) fn survey(self, signal: Signal, body: &[u8]) -> Survey {
        let mut total = Survey { items: 0, is_tidy: true };
        if self == Self::Metric {
            let data = Fields::of(body).filter(|field| is_data(field));
            total.is_tidy = data.count() < 2;
            effective_data(body).for_each(|field| self.add(signal, &field, &mut total));
        } else {
            Fields::of(body).for_each(|field| self.add(signal, &field, &mut total));
        }
        total
    }

    #[inline]
    fn add(self, signal: Signal, field: &Field<'_>, total: &mut Survey) {
        match (self.role(signal, field.number), field.bytes()) {
            (Role::Item, _) => total.items += 1,
            (Role::Container(inner), Some(body)) => {
                let survey = inner.survey(signal, body);
                let len_min = len_field_len(field.number, body.len());
                total.items += survey.items;
                total.is_tidy &=
                    survey.is_tidy && 0 < survey.items && field.end - field.start == len_min;
            }
            _ => {}
        }
    }
}

/// What a look through a container found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Survey {
    pub(crate) items: usize,
    /// Whether taking it apart and putting it together again gives the same number of bytes.
    pub(crate) is_tidy: bool,
}

fn is_data(field: &Field<'_>) -> bool {
    matches!(field.number, GAUGE | SUM | HISTOGRAM | EXPONENTIAL_HISTOGRAM | SUMMARY)
}

/// The data fields of a metric that a decoder keeps: data is a oneof, so those before the last
/// field of another kind are gone, and several of one kind are merged.
pub(crate) fn effective_data(metric: &[u8]) -> impl Iterator<Item = Field<'_>> {
    let mut kind = 0;
    let mut since = 0;
    for field in Fields::of(metric).filter(is_data) {
        if field.number != kind {
            kind = field.number;
            since = field.start;
        }
    }
    Fields::of(metric).filter(is_data).skip_while(move |field| field.start < since)
}
