//! Decode: what the records of a journal mean. A journal itself does not know.

use journal::inspect::StreamFacts;
use journal::{ReadError, Stored};
use serde_json::{Value, json};

/// Tells what the body of a record of a stream means, if it knows.
pub(crate) type Decoder = fn(stream: &[u8], body: &[u8]) -> Option<Value>;

/// What a stream is called.
pub(crate) fn name(stream: &[u8]) -> String {
    super::queue::name(stream).unwrap_or_else(|| stream.escape_ascii().to_string())
}

/// Who may know, in the order in which they are asked.
pub(crate) const DECODERS: &[Decoder] = &[super::queue::decode];

/// How much of a body is shown whose meaning nobody knows.
const SHOWN_BYTES: usize = 256;

/// What the body of a record means.
pub(crate) fn decode(stream: &[u8], body: &[u8]) -> Option<Value> {
    DECODERS.iter().find_map(|decode| decode(stream, body))
}

/// One record as a JSON object.
pub(crate) fn record(stream: &StreamFacts, record: Result<Stored, ReadError>) -> Value {
    let name = name(&stream.name);
    let stored = match record {
        Ok(stored) => stored,
        Err(error) => return json!({ "stream": name, "error": error.to_string() }),
    };
    let Stored { position, weight, body } = stored;
    let mut shown = json!({
        "stream": name,
        "position": position.0,
        "weight": weight,
        "bytes": body.len(),
    });
    match decode(&stream.name, &body) {
        Some(meaning) => shown["body"] = meaning,
        None => {
            let start = &body[..body.len().min(SHOWN_BYTES)];
            shown["starts"] = Value::from(start.escape_ascii().to_string());
        }
    }
    shown
}
