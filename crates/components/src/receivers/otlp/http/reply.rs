//! Replies of OTLP over HTTP.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use wire::{Format, Signal, response};

use super::TurnedAway;
use crate::receivers::otlp::transport::ReplyBody;

/// The answer to a request that was accepted.
pub(super) fn accepted(
    signal: Signal,
    rejected: u64,
    warning: Option<&str>,
    format: Format,
) -> Response<ReplyBody> {
    let body = response::encode(signal, rejected, warning.unwrap_or(""), format);
    reply(StatusCode::OK, format.content_type(), body)
}

/// The answer to a request that was not accepted: a status in the request's own format.
pub(super) fn turned_away(turned_away: &TurnedAway, format: Format) -> Response<ReplyBody> {
    let status = turned_away.rpc_status();
    let body = match format {
        Format::Protobuf => status.encode(),
        Format::Json => status.to_json().into(),
    };
    let mut response = reply(turned_away.http_status(), format.content_type(), body);
    if let Some(seconds) = turned_away.retry_after_seconds() {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The answer to a preflight request.
pub(super) fn no_content(headers: HeaderMap) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    *response.headers_mut() = headers;
    response
}

pub(super) fn not_found() -> Response<ReplyBody> {
    text(StatusCode::NOT_FOUND, "404 page not found")
}

pub(super) fn method_not_allowed() -> Response<ReplyBody> {
    text(StatusCode::METHOD_NOT_ALLOWED, "405 method not allowed, supported: [POST]")
}

pub(super) fn unsupported_media_type() -> Response<ReplyBody> {
    text(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "415 unsupported media type, supported: [application/json, application/x-protobuf]",
    )
}

fn text(status: StatusCode, text: &'static str) -> Response<ReplyBody> {
    reply(status, "text/plain", Bytes::from_static(text.as_bytes()))
}

fn reply(status: StatusCode, content_type: &'static str, body: Bytes) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::whole(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
