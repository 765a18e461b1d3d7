//! Operation: the calls of the Logs API that are made, and their bodies.

use std::collections::BTreeMap;

use bytes::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event::{Event, OVERHEAD};

/// A call of the Logs API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Operation {
    PutLogEvents,
    CreateLogGroup,
    CreateLogStream,
    PutRetentionPolicy,
}

/// The storage class of a group that is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LogGroupClass {
    #[default]
    Standard,
    InfrequentAccess,
    Delivery,
}

impl Operation {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::PutLogEvents => "PutLogEvents",
            Self::CreateLogGroup => "CreateLogGroup",
            Self::CreateLogStream => "CreateLogStream",
            Self::PutRetentionPolicy => "PutRetentionPolicy",
        }
    }

    /// The value of the header that names the operation.
    pub(super) fn target(self) -> String {
        format!("Logs_20140328.{}", self.name())
    }
}

/// The body that puts `events`, which are sorted, into a stream.
pub(super) fn put_log_events(group: &str, stream: &str, events: &[Event]) -> Bytes {
    let bytes = events.iter().map(|event| event.size() + OVERHEAD).sum::<usize>();
    let mut body = Vec::with_capacity(bytes + 128);
    body.extend_from_slice(b"{\"logGroupName\":");
    put_text(&mut body, group);
    body.extend_from_slice(b",\"logStreamName\":");
    put_text(&mut body, stream);
    body.extend_from_slice(b",\"logEvents\":[");
    for (at, event) in events.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let head = format!("{comma}{{\"timestamp\":{},\"message\":", event.timestamp);
        body.extend_from_slice(head.as_bytes());
        put_text(&mut body, &event.message);
        body.push(b'}');
    }
    body.extend_from_slice(b"]}");
    body.into()
}

/// The body that makes a group.
pub(super) fn create_log_group(
    group: &str,
    class: LogGroupClass,
    tags: &BTreeMap<String, String>,
) -> Bytes {
    let mut body = serde_json::json!({ "logGroupName": group });
    // Without the key it is the standard class; some regions do not know the key.
    if class != LogGroupClass::Standard {
        body["logGroupClass"] = serde_json::json!(class);
    }
    if !tags.is_empty() {
        body["tags"] = serde_json::json!(tags);
    }
    body.to_string().into()
}

/// The body that makes a stream.
pub(super) fn create_log_stream(group: &str, stream: &str) -> Bytes {
    serde_json::json!({ "logGroupName": group, "logStreamName": stream }).to_string().into()
}

/// The body that says how long a group keeps its events.
pub(super) fn put_retention_policy(group: &str, days: u32) -> Bytes {
    serde_json::json!({ "logGroupName": group, "retentionInDays": days }).to_string().into()
}

fn put_text(body: &mut Vec<u8>, text: &str) {
    // Text always has a form in JSON, and memory takes it.
    serde_json::to_writer(body, text).ok();
}
