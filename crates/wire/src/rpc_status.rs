//! Status: `google.rpc.Status`, the error of gRPC details and of HTTP bodies.
//!
//! Of its details only `RetryInfo` is kept; all others are passed over, even broken ones.
//! Bounds: `BYTES_MAX` in, `MESSAGE_BYTES_MAX` of text in and out.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;

use crate::protobuf::{self, Fault, Fields};

mod delay;
mod json;

/// The longest encoded status that is read.
pub const BYTES_MAX: usize = 64 * 1024;

/// The longest message that is kept or sent: gRPC carries it in a header.
pub const MESSAGE_BYTES_MAX: usize = 4 * 1024;

/// The status of a call that failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// A gRPC status code.
    pub code: u32,
    pub message: String,
    /// The delay of `RetryInfo`, if there was one; zero is not the same as none.
    pub retry_after: Option<Duration>,
}

/// Why bytes are not a status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatusError {
    #[error("cannot read a status of more than {BYTES_MAX} bytes")]
    TooLarge,
    #[error("cannot read a status: {0}")]
    Malformed(String),
}

const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";
const CODE_UNKNOWN: u32 = 2;

// google.rpc.Status
const CODE: u32 = 1;
const MESSAGE: u32 = 2;
const DETAILS: u32 = 3;
// google.protobuf.Any
const TYPE_URL: u32 = 1;
const VALUE: u32 = 2;

impl Status {
    /// The protobuf form.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let message = bounded(&self.message);
        let mut out = Vec::with_capacity(message.len() + 80);
        if self.code != 0 {
            protobuf::put_varint_field(&mut out, CODE, self.code.into());
        }
        if !message.is_empty() {
            protobuf::put_bytes_field(&mut out, MESSAGE, message.as_bytes());
        }
        if let Some(after) = self.retry_after {
            let mut detail = Vec::with_capacity(64);
            protobuf::put_bytes_field(&mut detail, TYPE_URL, RETRY_INFO.as_bytes());
            protobuf::put_bytes_field(&mut detail, VALUE, &delay::encode(after));
            protobuf::put_bytes_field(&mut out, DETAILS, &detail);
        }
        out.into()
    }

    /// Reads the protobuf form.
    pub fn decode(encoded: &[u8]) -> Result<Self, StatusError> {
        if BYTES_MAX < encoded.len() {
            return Err(StatusError::TooLarge);
        }
        let mut status = Self::default();
        let mut fields = Fields::of(encoded);
        while let Some(field) = fields.next_field() {
            let field = field?;
            match (field.number, field.bytes()) {
                // An int32: negative codes do not exist, but can be sent.
                (CODE, None) => status.code = known_code(field.number_value() as i32),
                (MESSAGE, Some(text)) => status.message = bounded_lossy(text),
                (DETAILS, Some(detail)) if status.retry_after.is_none() => {
                    status.retry_after = retry_info(detail);
                }
                _ => {}
            }
        }
        Ok(status)
    }

    /// The value of the header `grpc-status-details-bin`.
    #[must_use]
    pub fn to_header(&self) -> String {
        STANDARD_NO_PAD.encode(self.encode())
    }

    /// Reads the value of the header `grpc-status-details-bin`, padded or not.
    pub fn from_header(value: &str) -> Result<Self, StatusError> {
        if BYTES_MAX.div_ceil(3) * 4 < value.len() {
            return Err(StatusError::TooLarge);
        }
        let decoded = STANDARD_NO_PAD
            .decode(value.trim_end_matches('='))
            .map_err(|_| StatusError::Malformed("the header is not base64".to_owned()))?;
        Self::decode(&decoded)
    }

    /// The JSON form, in one line.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        json::encode(self)
    }

    /// Reads the JSON form.
    pub fn from_json(text: &[u8]) -> Result<Self, StatusError> {
        if BYTES_MAX < text.len() {
            return Err(StatusError::TooLarge);
        }
        json::decode(text)
    }
}

impl From<Fault> for StatusError {
    fn from(fault: Fault) -> Self {
        Self::Malformed(fault.message().to_owned())
    }
}

/// The delay in an `Any` that holds a `RetryInfo`.
fn retry_info(any: &[u8]) -> Option<Duration> {
    let mut type_url = &b""[..];
    let mut value = &b""[..];
    for field in Fields::of(any) {
        match (field.number, field.bytes()) {
            (TYPE_URL, Some(bytes)) => type_url = bytes,
            (VALUE, Some(bytes)) => value = bytes,
            _ => {}
        }
    }
    if !is_retry_info(std::str::from_utf8(type_url).ok()?) {
        return None;
    }
    delay::decode(value).ok()
}

/// Whether a type URL means `RetryInfo`, whatever its host.
fn is_retry_info(type_url: &str) -> bool {
    type_url.rsplit('/').next() == RETRY_INFO.rsplit('/').next()
}

fn known_code(code: i32) -> u32 {
    u32::try_from(code).unwrap_or(CODE_UNKNOWN)
}

/// The text up to `MESSAGE_BYTES_MAX`.
pub(crate) fn bounded(text: &str) -> &str {
    &text[..text.floor_char_boundary(MESSAGE_BYTES_MAX)]
}

/// The text up to `MESSAGE_BYTES_MAX`; what is not UTF-8 is replaced, since an error text is for people.
pub(crate) fn bounded_lossy(text: &[u8]) -> String {
    let text = &text[..text.len().min(MESSAGE_BYTES_MAX)];
    bounded(&String::from_utf8_lossy(text)).to_owned()
}

#[cfg(test)]
mod tests;
