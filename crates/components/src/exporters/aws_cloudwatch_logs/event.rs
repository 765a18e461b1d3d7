//! Event: what a log record becomes, and which records become none.
//!
//! Pure. Cost: one pass over the payload; a message is written once, into memory of its own.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wire::Payload;
use wire::view::{AnyValue, Attributes, LogRecord, Scope};

use super::telemetry::Reason;

/// What the service adds to the size of each message when it measures a batch.
pub(super) const OVERHEAD: usize = 26;
/// The largest event, its overhead included.
pub(super) const EVENT_BYTES_MAX: usize = 1 << 20;

const DAY: i64 = 24 * 60 * 60 * 1000;
/// Events older than this are not taken, whatever the retention.
const AGE_MAX: i64 = 14 * DAY;
/// Events further ahead than this are not taken.
const AHEAD_MAX: i64 = 2 * 60 * 60 * 1000;
/// Stands at the end of a message that was cut, as in the agent of CloudWatch.
const MARK: &str = "[Truncated...]";

/// What becomes of a message that is too large.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Oversize {
    /// It is cut, and ends with `[Truncated...]`.
    #[default]
    Truncate,
    /// It becomes several events with the same time.
    Split,
}

/// How records become events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    /// The message is the body alone.
    pub(super) is_raw: bool,
    /// The largest event, its overhead included.
    pub(super) bytes_max: usize,
    pub(super) oversize: Oversize,
    /// How long the groups are known to keep events.
    pub(super) retention_days: Option<u32>,
}

/// One event, and the record it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// The number of its record in the payload.
    pub(super) item: usize,
    /// Milliseconds since 1970.
    pub(super) timestamp: i64,
    pub(super) message: String,
}

/// What the records of a payload became.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Events {
    /// In the order of the payload.
    pub(super) kept: Vec<Event>,
    /// Records that the service would not take, and why.
    pub(super) set_aside: Vec<(usize, Reason)>,
    /// Messages that were cut or split.
    pub(super) oversize: usize,
}

impl Event {
    /// What it takes of a batch.
    pub(super) fn size(&self) -> usize {
        self.message.len() + OVERHEAD
    }
}

impl Form {
    /// Turns records into events; `now` is the time of the service, in milliseconds since 1970.
    pub(super) fn events(&self, payload: &Payload, now: i64) -> Events {
        let mut events = Events::default();
        let mut item = 0;
        for resource in payload.view().resources() {
            let of_resource =
                self.around(|line| line.attributes("resource", resource.attributes()));
            for scope in resource.scopes() {
                // Looked at once: reading a scope walks over all of its records.
                let of_scope = self.around(|line| add_scope(line, scope));
                for record in scope.log_records() {
                    self.add(&mut events, item, now, (record, [&of_scope, &of_resource]));
                    item += 1;
                }
            }
        }
        events
    }

    fn add(
        &self,
        events: &mut Events,
        item: usize,
        now: i64,
        (record, around): (LogRecord<'_>, [&str; 2]),
    ) {
        let timestamp = timestamp(record, now);
        if let Some(reason) = self.reason_against(timestamp, now) {
            events.set_aside.push((item, reason));
            return;
        }
        let message = if self.is_raw { record.body().to_string() } else { wrapped(record, around) };
        if message.is_empty() {
            events.set_aside.push((item, Reason::Empty));
        } else if message.len() <= self.message_bytes_max() {
            events.kept.push(Event { item, timestamp, message });
        } else {
            events.oversize += 1;
            let pieces = match self.oversize {
                Oversize::Truncate => vec![truncated(message, self.message_bytes_max())],
                Oversize::Split => split(&message, self.message_bytes_max()),
            };
            events.kept.extend(pieces.into_iter().map(|message| Event {
                item,
                timestamp,
                message,
            }));
        }
    }

    /// What is said about all records alike, as members of a JSON object.
    fn around(&self, write: impl FnOnce(&mut Line)) -> String {
        let mut line = Line(String::from("{"));
        if !self.is_raw {
            write(&mut line);
        }
        line.0.split_off(1)
    }

    fn message_bytes_max(&self) -> usize {
        self.bytes_max.min(EVENT_BYTES_MAX) - OVERHEAD
    }

    fn reason_against(&self, timestamp: i64, now: i64) -> Option<Reason> {
        let kept = self.retention_days.map(|days| i64::from(days) * DAY);
        if now - AGE_MAX > timestamp {
            Some(Reason::TooOld)
        } else if kept.is_some_and(|kept| now - kept > timestamp) {
            Some(Reason::Expired)
        } else if timestamp > now + AHEAD_MAX {
            Some(Reason::TooNew)
        } else {
            None
        }
    }
}

/// When the event happened, else when it was seen, else now.
fn timestamp(record: LogRecord<'_>, now: i64) -> i64 {
    let times = [record.time_unix_nano(), record.observed_time_unix_nano()];
    let known = times.into_iter().find(|nanos| *nanos != 0);
    known.map_or(now, |nanos| i64::try_from(nanos / 1_000_000).unwrap_or(i64::MAX))
}

/// The record as one line of JSON, with the keys of the Collector's exporter, in its order.
fn wrapped(record: LogRecord<'_>, around: [&str; 2]) -> String {
    let mut line = Line(String::from("{"));
    let body = record.body();
    if !matches!(body, AnyValue::Empty) {
        line.value("body", &body);
    }
    line.number("severity_number", i64::from(record.severity_number()));
    line.text("severity_text", record.severity_text());
    line.number("dropped_attributes_count", record.dropped_attributes_count() as i64);
    line.number("flags", record.flags() as i64);
    line.text("trace_id", &hex(record.trace_id()));
    line.text("span_id", &hex(record.span_id()));
    line.attributes("attributes", record.attributes());
    around.into_iter().for_each(|members| line.members(members));
    line.end()
}

fn add_scope(line: &mut Line, scope: Scope<'_>) {
    let name = scope.name();
    if name.is_empty() {
        return;
    }
    let mut inner = Line(String::from("{"));
    inner.text("name", name);
    inner.text("version", scope.version());
    inner.attributes("attributes", scope.attributes());
    line.key("scope");
    line.0.push_str(&inner.end());
}

/// A JSON object in the making; what is empty or zero is left out.
struct Line(String);

impl Line {
    fn key(&mut self, key: &str) {
        self.comma();
        // Keys are plain words.
        write!(self.0, "\"{key}\":").ok();
    }

    fn comma(&mut self) {
        if self.0.len() != 1 {
            self.0.push(',');
        }
    }

    fn value(&mut self, key: &str, value: &AnyValue<'_>) {
        self.key(key);
        // Writing to text cannot fail.
        value.write_json(&mut self.0).ok();
    }

    fn text(&mut self, key: &str, text: &str) {
        if !text.is_empty() {
            self.value(key, &AnyValue::Text(text));
        }
    }

    fn number(&mut self, key: &str, number: i64) {
        if number != 0 {
            self.value(key, &AnyValue::Int(number));
        }
    }

    fn attributes(&mut self, key: &str, attributes: Attributes<'_>) {
        if !attributes.is_empty() {
            self.value(key, &AnyValue::Map(attributes));
        }
    }

    /// Members that are written already.
    fn members(&mut self, members: &str) {
        if !members.is_empty() {
            self.comma();
            self.0.push_str(members);
        }
    }

    fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// Digits of an id; none when it is all zeros.
fn hex(id: &[u8]) -> String {
    if id.iter().all(|byte| *byte == 0) {
        return String::new();
    }
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn truncated(mut message: String, bytes_max: usize) -> String {
    let mark = if MARK.len() < bytes_max { MARK } else { "" };
    message.truncate(message.floor_char_boundary(bytes_max - mark.len()));
    message.push_str(mark);
    message
}

fn split(message: &str, bytes_max: usize) -> Vec<String> {
    let mut pieces = Vec::with_capacity(message.len() / bytes_max + 1);
    let mut rest = message;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.floor_char_boundary(bytes_max));
        pieces.push(piece.to_owned());
        rest = after;
    }
    pieces
}

#[cfg(test)]
mod tests;
