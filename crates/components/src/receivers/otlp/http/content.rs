//! Content types.

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use wire::Format;

/// The format that a request's content type names; its parameters mean nothing here.
pub(super) fn format(headers: &HeaderMap) -> Option<Format> {
    let text = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let media_type = text.split(';').next().unwrap_or(text).trim();
    [Format::Protobuf, Format::Json]
        .into_iter()
        .find(|format| media_type.eq_ignore_ascii_case(format.content_type()))
}
