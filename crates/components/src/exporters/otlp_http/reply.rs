//! Replies: what an answer over HTTP means.

use std::time::SystemTime;

use delivery::Reply;
use http::{HeaderMap, StatusCode, header};
use pipeline::{Code, Status, Verdict};
use wire::format::Format;
use wire::{Signal, response, rpc_status};

use crate::client::Answer;
use crate::exporters::otlp::verdict;

const SUCCESS_BYTES_MAX: usize = 4 << 20;
const ERROR_BYTES_MAX: usize = 64 << 10;

/// How much of an answer's body is read.
pub(super) fn bytes_max(status: StatusCode) -> usize {
    if status.is_success() { SUCCESS_BYTES_MAX } else { ERROR_BYTES_MAX }
}

/// What an answer means.
pub(super) fn reply(signal: Signal, answer: &Answer, wall: SystemTime) -> Reply {
    if !answer.status.is_success() {
        return verdict::of_http(answer.status, said(answer), &answer.headers, wall).into();
    }
    let partial = match (&answer.body, format(&answer.headers)) {
        (Err(error), _) => Err(error.to_string()),
        // Without a body there is nothing to say: all was accepted.
        (Ok(body), _) if body.is_empty() => Ok(response::PartialSuccess::default()),
        // A server that accepts, but answers with a page of its own, is not heard any further.
        (Ok(_), None) => Ok(response::PartialSuccess::default()),
        (Ok(body), Some(format)) => {
            response::decode(signal, body, format).map_err(|error| error.to_string())
        }
    };
    match partial {
        Ok(partial) => verdict::of_success(partial),
        Err(what) => {
            let message =
                format!("the server accepted the request with an unreadable answer: {what}");
            let http = Some(answer.status.as_u16());
            Verdict::Refused(Status { http, ..Status::new(Code::Unknown, message) }).into()
        }
    }
}

/// Where a redirect that keeps method and body leads.
pub(super) fn redirect(answer: &Answer) -> Option<&str> {
    let keeps_request = matches!(answer.status.as_u16(), 307 | 308);
    let location = answer.headers.get(header::LOCATION).filter(|_| keeps_request)?;
    location.to_str().ok()
}

/// The message of an error, if its body is a Status; else what the number means.
fn said(answer: &Answer) -> String {
    let body = answer.body.as_ref().ok();
    let status = body.zip(format(&answer.headers)).and_then(|(body, format)| match format {
        Format::Protobuf => rpc_status::Status::decode(body).ok(),
        Format::Json => rpc_status::Status::from_json(body).ok(),
    });
    match status.filter(|status| !status.message.is_empty()) {
        Some(status) => status.message,
        None => format!("the server answered with HTTP status {}", answer.status),
    }
}

fn format(headers: &HeaderMap) -> Option<Format> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let media_type = value.split(';').next().unwrap_or_default().trim();
    [Format::Protobuf, Format::Json]
        .into_iter()
        .find(|format| media_type.eq_ignore_ascii_case(format.content_type()))
}
