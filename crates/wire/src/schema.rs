//! Schema: what the messages of OTLP look like on the wire and in JSON.
//!
//! One static table of facts, in the order of the published `.proto` files, from which the scan, the
//! JSON codec, the profiles re-indexing and the reflection service all work.
//! Invariant: looking a field up by number is one array access; tests hold the table against protoc's descriptors.

mod attribute;
mod collector;
mod field;
mod file;
mod grpc;
mod logs;
mod metrics;
mod profiles;
mod resource;
mod trace;

pub use attribute::{
    ANY_VALUE, ARRAY_VALUE, ENTITY_REF, INSTRUMENTATION_SCOPE, KEY_VALUE, KEY_VALUE_LIST,
};
pub use collector::{request, response};
pub use field::{Enumeration, Field, Kind, Presence, Table};
pub use file::{FILES, File, Method, Service};
pub use logs::{LOG_RECORD, RESOURCE_LOGS, SCOPE_LOGS};
pub use metrics::{
    EXEMPLAR, EXPONENTIAL_HISTOGRAM, EXPONENTIAL_HISTOGRAM_DATA_POINT,
    EXPONENTIAL_HISTOGRAM_DATA_POINT_BUCKETS, GAUGE, HISTOGRAM, HISTOGRAM_DATA_POINT, METRIC,
    NUMBER_DATA_POINT, RESOURCE_METRICS, SCOPE_METRICS, SUM, SUMMARY, SUMMARY_DATA_POINT,
    SUMMARY_DATA_POINT_VALUE_AT_QUANTILE,
};
pub use profiles::{
    FUNCTION, KEY_VALUE_AND_UNIT, LINE, LINK, LOCATION, MAPPING, PROFILE, PROFILES_DICTIONARY,
    RESOURCE_PROFILES, SAMPLE, SCOPE_PROFILES, STACK, VALUE_TYPE,
};
pub use resource::RESOURCE;
pub use trace::{RESOURCE_SPANS, SCOPE_SPANS, SPAN, SPAN_EVENT, SPAN_LINK, STATUS};

/// The highest field number of any message; higher ones are unknown to OTLP.
pub const FIELD_NUMBER_MAX: u32 = 16;

/// A message type: its names and fields.
#[derive(Debug)]
pub struct Message {
    pub package: &'static str,
    /// The name below the package; nested types carry their parents: `Span.Event`.
    pub name: &'static str,
    /// In the order of the `.proto` file.
    pub fields: &'static [Field],
    /// Maps a field number to its place in `fields`.
    slots: [u8; FIELD_NUMBER_MAX as usize + 1],
}

const NO_SLOT: u8 = u8::MAX;

impl Message {
    const fn new(package: &'static str, name: &'static str, fields: &'static [Field]) -> Self {
        let mut slots = [NO_SLOT; FIELD_NUMBER_MAX as usize + 1];
        let mut at = 0;
        while at < fields.len() {
            let number = fields[at].number as usize;
            assert!(slots[number] == NO_SLOT, "two fields with one number");
            slots[number] = at as u8;
            at += 1;
        }
        Self { package, name, fields, slots }
    }

    /// The field of this number, if OTLP knows it.
    #[must_use]
    #[inline]
    pub fn field(&self, number: u32) -> Option<&'static Field> {
        let slot = *self.slots.get(number as usize)?;
        self.fields.get(slot as usize)
    }

    /// The field with this name, in lowerCamel or in snake case.
    #[must_use]
    pub fn field_named(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.json_name == name || field.name == name)
    }

    /// The name with its package, such as `opentelemetry.proto.trace.v1.Span.Event`.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.package, self.name)
    }
}

#[cfg(test)]
pub(crate) mod arbitrary;
#[cfg(test)]
mod tests;
