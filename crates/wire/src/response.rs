//! Response: `Export…ServiceResponse` of every signal, with its partial success.
//!
//! Bounds: `BYTES_MAX` in; the text is cut as that of a status.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::protobuf::{self, Fault, Fields};
use crate::rpc_status::{bounded, bounded_lossy};
use crate::schema::{self, Message};
use crate::{Format, Signal};

/// The longest encoded response that is read.
pub const BYTES_MAX: usize = 64 * 1024;

/// What a response says besides "accepted".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartialSuccess {
    /// How many items were not accepted; zero with a message is a warning.
    pub rejected: u64,
    pub message: String,
}

/// Why bytes are not a response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResponseError {
    #[error("cannot read a response of more than {BYTES_MAX} bytes")]
    TooLarge,
    #[error("cannot read a response: {0}")]
    Malformed(String),
}

// The same numbers for every signal; the tests hold them against the schema.
const PARTIAL_SUCCESS: u32 = 1;
const REJECTED: u32 = 1;
const ERROR_MESSAGE: u32 = 2;

/// Writes a response; with nothing rejected and no message it says full success.
#[must_use]
pub fn encode(signal: Signal, rejected: u64, message: &str, format: Format) -> Bytes {
    let message = bounded(message);
    let rejected = rejected.min(i64::MAX as u64);
    match format {
        Format::Protobuf => encode_protobuf(rejected, message),
        Format::Json => encode_json(signal, rejected, message),
    }
}

/// Reads a response.
pub fn decode(
    signal: Signal,
    encoded: &[u8],
    format: Format,
) -> Result<PartialSuccess, ResponseError> {
    if BYTES_MAX < encoded.len() {
        return Err(ResponseError::TooLarge);
    }
    match format {
        Format::Protobuf => decode_protobuf(encoded),
        Format::Json => decode_json(signal, encoded),
    }
}

impl PartialSuccess {
    /// Whether everything was accepted without a warning.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.rejected == 0 && self.message.is_empty()
    }
}

impl From<Fault> for ResponseError {
    fn from(fault: Fault) -> Self {
        Self::Malformed(fault.message().to_owned())
    }
}

fn encode_protobuf(rejected: u64, message: &str) -> Bytes {
    if rejected == 0 && message.is_empty() {
        return Bytes::new();
    }
    let mut partial = Vec::with_capacity(message.len() + 16);
    if rejected != 0 {
        protobuf::put_varint_field(&mut partial, REJECTED, rejected);
    }
    if !message.is_empty() {
        protobuf::put_bytes_field(&mut partial, ERROR_MESSAGE, message.as_bytes());
    }
    let mut out = Vec::with_capacity(partial.len() + 4);
    protobuf::put_bytes_field(&mut out, PARTIAL_SUCCESS, &partial);
    out.into()
}

fn decode_protobuf(encoded: &[u8]) -> Result<PartialSuccess, ResponseError> {
    let mut partial = PartialSuccess::default();
    let mut fields = Fields::of(encoded);
    while let Some(field) = fields.next_field() {
        let field = field?;
        let (PARTIAL_SUCCESS, Some(inner)) = (field.number, field.bytes()) else { continue };
        let mut fields = Fields::of(inner);
        while let Some(field) = fields.next_field() {
            let field = field?;
            match (field.number, field.bytes()) {
                (REJECTED, None) => partial.rejected = count(field.number_value() as i64),
                (ERROR_MESSAGE, Some(text)) => partial.message = bounded_lossy(text),
                _ => {}
            }
        }
    }
    Ok(partial)
}

fn encode_json(signal: Signal, rejected: u64, message: &str) -> Bytes {
    let mut partial = Map::new();
    if rejected != 0 {
        let name = rejected_field(signal).json_name;
        partial.insert(name.to_owned(), rejected.to_string().into());
    }
    if !message.is_empty() {
        partial.insert("errorMessage".to_owned(), message.into());
    }
    let response = match partial.is_empty() {
        true => json!({}),
        false => json!({ "partialSuccess": partial }),
    };
    response.to_string().into()
}

fn decode_json(signal: Signal, text: &[u8]) -> Result<PartialSuccess, ResponseError> {
    let malformed = |what: &str| ResponseError::Malformed(what.to_owned());
    let response: Map<String, Value> = serde_json::from_slice(text)
        .map_err(|error| ResponseError::Malformed(error.to_string()))?;
    let partial = match either(&response, "partialSuccess", "partial_success") {
        None => return Ok(PartialSuccess::default()),
        Some(value) => {
            value.as_object().ok_or_else(|| malformed("partialSuccess is not an object"))?
        }
    };
    let field = rejected_field(signal);
    let rejected = match either(partial, field.json_name, field.name) {
        None => Some(0),
        Some(Value::String(digits)) => digits.parse().ok(),
        Some(number) => number.as_i64(),
    };
    let message = match either(partial, "errorMessage", "error_message") {
        None => Some(""),
        Some(text) => text.as_str(),
    };
    Ok(PartialSuccess {
        rejected: count(rejected.ok_or_else(|| malformed("the rejected count is not a number"))?),
        message: bounded(message.ok_or_else(|| malformed("errorMessage is not a string"))?)
            .to_owned(),
    })
}

/// The value under either of two names; `null` is absent.
fn either<'a>(object: &'a Map<String, Value>, name: &str, other: &str) -> Option<&'a Value> {
    object.get(name).or_else(|| object.get(other)).filter(|value| !value.is_null())
}

/// A negative count is nonsense of the peer; nothing can be concluded from it.
fn count(rejected: i64) -> u64 {
    u64::try_from(rejected).unwrap_or(0)
}

fn rejected_field(signal: Signal) -> &'static schema::Field {
    let partial = schema::response(signal).field(PARTIAL_SUCCESS);
    partial
        .and_then(|field| field.kind.message())
        .and_then(|partial: &Message| partial.field(REJECTED))
        .expect("every response has a rejected count")
}

#[cfg(test)]
mod tests;
