//! Queue: what the records of a sending queue, and of its refusals, mean.

use bytes::Bytes;
use delivery::entry::{Entry, lane_of_stream};
use serde_json::{Value, json};

/// What the stream of a lane is called: its signal, its target, and what keeps it apart.
pub(super) fn name(stream: &[u8]) -> Option<String> {
    let (signal, metadata, target) = lane_of_stream(&Bytes::copy_from_slice(stream)).ok()?;
    let target = Some(target.to_string()).filter(|target| !target.is_empty());
    let values = metadata.iter().map(|(key, values)| format!("{key}={}", values.join(",")));
    let words = std::iter::once(signal.name().to_owned()).chain(target).chain(values);
    Some(words.collect::<Vec<_>>().join(" "))
}

/// An entry with its request as OTLP JSON; `None` for what is none.
pub(super) fn decode(stream: &[u8], body: &[u8]) -> Option<Value> {
    let (_, _, target) = lane_of_stream(&Bytes::copy_from_slice(stream)).ok()?;
    let entry = Entry::decode(Bytes::copy_from_slice(body)).ok()?;
    let request =
        serde_json::from_slice::<Value>(&wire::json::from_payload(&entry.payload)).ok()?;
    let since = entry.stored_at.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let metadata = entry.metadata.iter().map(|(key, values)| (key.to_owned(), json!(values)));
    let callers = entry.contributors.iter().map(|owner| {
        json!({ "items": owner.items, "traceparent": owner.trace.map(|trace| trace.to_string()) })
    });
    let mut shown = json!({
        "signal": entry.payload.signal().name(),
        "stored_at_unix_ms": u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
        "metadata": metadata.collect::<serde_json::Map<_, _>>(),
        "callers": callers.collect::<Vec<_>>(),
        "request": request,
    });
    if !target.names().is_empty() {
        shown["target"] = json!(target.to_string());
    }
    if let Some(status) = &entry.refused {
        shown["refused"] = json!(status.to_string());
    }
    Some(shown)
}

#[cfg(test)]
mod tests;
