//! Random: OTLP requests of every shape from a seed, as the independent library's structs.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message as _;
use wire::Signal;

use crate::requests::{Logs, Traces};

/// A small generator of numbers (splitmix64): the same seed gives the same request.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub(crate) fn is_one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    pub(crate) fn number(&mut self) -> u64 {
        let shift = self.below(64);
        self.next() >> shift
    }

    pub(crate) fn list<T>(&mut self, end: usize, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(end)).map(|_| make(self)).collect()
    }

    pub(crate) fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.is_one_in(3) { None } else { Some(make(self)) }
    }

    pub(crate) fn text(&mut self) -> String {
        const WORDS: [&str; 8] =
            ["", "a", "service.name", "GET /api/v1/orders", "größe", "日本語", "x-y_z", "🦀"];
        let mut text = WORDS[self.below(WORDS.len())].to_owned();
        if self.is_one_in(16) {
            text = text.repeat(40);
        }
        text
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }

    pub(crate) fn id(&mut self, len: usize) -> Vec<u8> {
        if self.is_one_in(4) { Vec::new() } else { self.bytes(len) }
    }

    /// A number that is equal to itself.
    pub(crate) fn float(&mut self) -> f64 {
        self.below(1_000_000) as f64 / 64.0 - 1000.0
    }

    pub(crate) fn any_value(&mut self, depth: usize) -> AnyValue {
        let kinds = if depth == 0 { 6 } else { 8 };
        let value = match self.below(kinds) {
            0 => return AnyValue { value: None },
            1 => Value::StringValue(self.text()),
            2 => Value::BoolValue(self.is_one_in(2)),
            3 => Value::IntValue(self.number() as i64),
            4 => Value::DoubleValue(self.float()),
            5 => Value::BytesValue(self.id(5)),
            6 => Value::ArrayValue(ArrayValue {
                values: self.list(3, |random| random.any_value(depth - 1)),
            }),
            _ => Value::KvlistValue(KeyValueList { values: self.attributes(depth - 1) }),
        };
        AnyValue { value: Some(value) }
    }

    pub(crate) fn attributes(&mut self, depth: usize) -> Vec<KeyValue> {
        let mut index = 0;
        self.list(4, |random| {
            index += 1;
            KeyValue {
                key: format!("{}{index}", random.text()),
                value: random.maybe(|random| random.any_value(depth)),
                ..Default::default()
            }
        })
    }

    pub(crate) fn resource(&mut self) -> Resource {
        Resource {
            attributes: self.attributes(1),
            dropped_attributes_count: self.below(3) as u32,
            ..Default::default()
        }
    }

    pub(crate) fn scope(&mut self) -> InstrumentationScope {
        InstrumentationScope {
            name: self.text(),
            version: self.text(),
            attributes: self.attributes(1),
            dropped_attributes_count: 0,
        }
    }

    pub(crate) fn log_record(&mut self) -> LogRecord {
        LogRecord {
            time_unix_nano: self.number(),
            observed_time_unix_nano: self.number(),
            severity_number: self.below(25) as i32,
            severity_text: self.text(),
            body: self.maybe(|random| random.any_value(2)),
            attributes: self.attributes(2),
            dropped_attributes_count: self.below(2) as u32,
            flags: self.below(3) as u32,
            trace_id: self.id(16),
            span_id: self.id(8),
            event_name: self.text(),
        }
    }

    pub(crate) fn logs(&mut self, size: usize) -> Logs {
        let scope_logs = |random: &mut Self| ScopeLogs {
            scope: random.maybe(Self::scope),
            log_records: random.list(size + 1, Self::log_record),
            schema_url: random.text(),
        };
        let resource_logs = |random: &mut Self| ResourceLogs {
            resource: random.maybe(Self::resource),
            scope_logs: random.list(4, scope_logs),
            schema_url: random.text(),
        };
        Logs { resource_logs: self.list(4, resource_logs) }
    }

    fn span(&mut self) -> Span {
        Span {
            trace_id: self.id(16),
            span_id: self.id(8),
            trace_state: self.text(),
            parent_span_id: self.id(8),
            flags: self.below(300) as u32,
            name: self.text(),
            kind: self.below(6) as i32,
            start_time_unix_nano: self.number(),
            end_time_unix_nano: self.number(),
            attributes: self.attributes(2),
            dropped_attributes_count: 0,
            events: self.list(3, |random| Event {
                time_unix_nano: random.number(),
                name: random.text(),
                attributes: random.attributes(1),
                dropped_attributes_count: 1,
            }),
            dropped_events_count: self.below(2) as u32,
            links: self.list(3, |random| Link {
                trace_id: random.id(16),
                span_id: random.id(8),
                trace_state: random.text(),
                attributes: random.attributes(1),
                ..Default::default()
            }),
            dropped_links_count: 0,
            status: self
                .maybe(|random| Status { message: random.text(), code: random.below(3) as i32 }),
        }
    }

    pub(crate) fn traces(&mut self, size: usize) -> Traces {
        let scope_spans = |random: &mut Self| ScopeSpans {
            scope: random.maybe(Self::scope),
            spans: random.list(size + 1, Self::span),
            schema_url: random.text(),
        };
        let resource_spans = |random: &mut Self| ResourceSpans {
            resource: random.maybe(Self::resource),
            scope_spans: random.list(4, scope_spans),
            schema_url: random.text(),
        };
        Traces { resource_spans: self.list(4, resource_spans) }
    }

    /// An encoded request of a signal.
    pub(crate) fn request(&mut self, signal: Signal, size: usize) -> Vec<u8> {
        match signal {
            Signal::Logs => self.logs(size).encode_to_vec(),
            Signal::Traces => self.traces(size).encode_to_vec(),
            Signal::Metrics => self.metrics(size).encode_to_vec(),
            Signal::Profiles => self.profiles(size).encode_to_vec(),
        }
    }
}
