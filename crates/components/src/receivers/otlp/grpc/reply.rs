//! Replies of gRPC: a message and trailers, or trailers only.

use bytes::{BufMut, Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use pipeline::Code;
use wire::{Format, Signal, response};

use super::{ACCEPT_ENCODING, TurnedAway};
use crate::receivers::otlp::transport::ReplyBody;

const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");
const ACCEPTS: HeaderName = HeaderName::from_static("grpc-accept-encoding");
/// Clients bound what headers may hold, some at 8 KiB; encoding may make a text three times larger.
const MESSAGE_BYTES_MAX: usize = 1024;
/// `grpc-message` holds the printable ASCII characters but `%` as they are.
const ENCODED: &AsciiSet = &CONTROLS.add(b'%');

/// The answer to an export that was accepted.
pub(super) fn accepted(
    signal: Signal,
    rejected: u64,
    warning: Option<&str>,
) -> Response<ReplyBody> {
    message(&response::encode(signal, rejected, warning.unwrap_or(""), Format::Protobuf))
}

/// The answer to a call that succeeded.
pub(super) fn message(message: &[u8]) -> Response<ReplyBody> {
    let body = ReplyBody::whole(frame(message)).with_trailers(status_of(Code::Ok));
    grpc(HeaderMap::new(), body)
}

/// The answer to a call that was not accepted.
pub(super) fn turned_away(turned_away: &TurnedAway) -> Response<ReplyBody> {
    let mut headers = status_and_message(turned_away);
    if turned_away.code() == Code::Unimplemented {
        headers.insert(ACCEPTS, HeaderValue::from_static(ACCEPT_ENCODING));
    }
    grpc(headers, ReplyBody::empty())
}

/// Headers or trailers that say why a call was not accepted.
pub(super) fn status_and_message(turned_away: &TurnedAway) -> HeaderMap {
    let status = turned_away.rpc_status();
    let mut headers = status_of(turned_away.code());
    let cut = &status.message[..status.message.floor_char_boundary(MESSAGE_BYTES_MAX)];
    headers.insert(MESSAGE, ascii(utf8_percent_encode(cut, ENCODED).to_string()));
    if status.retry_after.is_some() {
        headers.insert(DETAILS, ascii(status.to_header()));
    }
    headers
}

/// The answer to a request that is no gRPC call.
pub(super) fn not_grpc(status: StatusCode) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::empty());
    *response.status_mut() = status;
    response
}

/// A message behind its prefix.
pub(super) fn frame(message: &[u8]) -> Bytes {
    let mut framed = BytesMut::with_capacity(5 + message.len());
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).expect("replies are small"));
    framed.put_slice(message);
    framed.freeze()
}

/// Headers or trailers that hold a status.
pub(super) fn status_of(code: Code) -> HeaderMap {
    HeaderMap::from_iter([(STATUS, HeaderValue::from(u16::from(code.number())))])
}

/// A reply with these headers.
pub(super) fn grpc(mut headers: HeaderMap, body: ReplyBody) -> Response<ReplyBody> {
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    let mut response = Response::new(body);
    *response.headers_mut() = headers;
    response
}

fn ascii(text: String) -> HeaderValue {
    HeaderValue::try_from(text).expect("the text was encoded as printable ASCII")
}
