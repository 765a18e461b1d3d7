//! Messages: the frame of gRPC around a body, and what an answer's headers and trailers say.
//!
//! Cost: a frame head of five bytes is put before the segments; nothing is joined.

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use delivery::Reply;
use http::{HeaderMap, HeaderValue, StatusCode};
use percent_encoding::percent_decode_str;
use pipeline::{Code, Status, Verdict};
use wire::format::Format;
use wire::{Signal, response, rpc_status};

use crate::client::Answer;
use crate::exporters::otlp::verdict;

const HEAD_BYTES: usize = 5;

/// The largest message that is read.
pub(super) const ANSWER_BYTES_MAX: usize = 4 << 20;

/// The segments with the head of a frame before them; `None` beyond the 4 GiB of a frame.
pub(super) fn framed(segments: Vec<Bytes>, is_compressed: bool) -> Option<Vec<Bytes>> {
    let length = segments.iter().map(Bytes::len).sum::<usize>();
    let mut head = BytesMut::with_capacity(HEAD_BYTES);
    head.put_u8(u8::from(is_compressed));
    head.put_u32(u32::try_from(length).ok()?);
    let mut framed = Vec::with_capacity(segments.len() + 1);
    framed.push(head.freeze());
    framed.extend(segments);
    Some(framed)
}

/// The path of the export method.
pub(super) fn path(signal: Signal) -> &'static str {
    match signal {
        Signal::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        Signal::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        Signal::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        Signal::Profiles => {
            "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export"
        }
    }
}

/// The value of `grpc-timeout`, in the finest unit whose eight digits can hold it.
pub(super) fn timeout(left: Duration) -> HeaderValue {
    const DIGITS_END: u128 = 100_000_000;
    let units = [
        (left.as_micros(), 'u'),
        (left.as_millis(), 'm'),
        (u128::from(left.as_secs()), 'S'),
        (u128::from(left.as_secs() / 3600), 'H'),
    ];
    let fits = units.into_iter().find(|(count, _)| *count < DIGITS_END);
    let (count, unit) = fits.unwrap_or((DIGITS_END - 1, 'H'));
    HeaderValue::try_from(format!("{count}{unit}")).expect("digits and a letter are visible text")
}

/// What an answer means.
pub(super) fn reply(signal: Signal, answer: Answer) -> Reply {
    if let Some(verdict) = refusal(&answer) {
        return verdict.into();
    }
    let body = match answer.body {
        Ok(body) => body,
        Err(error) => return unreadable(Code::ResourceExhausted, error.to_string()),
    };
    match message(&body).and_then(|message| {
        response::decode(signal, message, Format::Protobuf).map_err(|error| error.to_string())
    }) {
        Ok(partial) => verdict::of_success(partial),
        Err(what) => unreadable(Code::Internal, what),
    }
}

/// The verdict of an answer that is not OK.
fn refusal(answer: &Answer) -> Option<Verdict> {
    let (headers, trailers) = (&answer.headers, &answer.trailers);
    // An answer without a message may have its trailers where the headers are.
    let ending = if trailers.contains_key("grpc-status") { trailers } else { headers };
    let Some(code) = ending.get("grpc-status") else {
        return Some(without_status(answer));
    };
    let number = code.to_str().ok().and_then(|text| text.parse::<u32>().ok());
    let code = number.map_or(Code::Unknown, Code::from_number);
    if code == Code::Ok {
        return None;
    }
    let details = ending.get("grpc-status-details-bin").and_then(|value| value.to_str().ok());
    let details = details.and_then(|text| rpc_status::Status::from_header(text).ok());
    let retry_info = details.and_then(|details| details.retry_after);
    Some(verdict::of_grpc(Status::new(code, said(ending)), retry_info))
}

fn without_status(answer: &Answer) -> Verdict {
    let unavailable = |what: String| Verdict::Unknown(Status::new(Code::Unavailable, what));
    match (&answer.body, answer.status) {
        (Err(error), StatusCode::OK) => unavailable(error.to_string()),
        (_, StatusCode::OK) => {
            let what = "the answer is not gRPC: it has no grpc-status";
            Verdict::Refused(Status::new(Code::Unknown, what))
        }
        (_, status) => {
            let code = verdict::code_for_http(status);
            let what = format!("the server answered with HTTP status {status}, not with gRPC");
            let said = Status { http: Some(status.as_u16()), ..Status::new(code, what) };
            verdict::of_grpc(said, None)
        }
    }
}

fn unreadable(code: Code, what: String) -> Reply {
    let what = format!("the server accepted the request with an unreadable answer: {what}");
    Verdict::Refused(Status::new(code, what)).into()
}

/// The text of `grpc-message`, which is percent-encoded and bounded by the size of headers.
fn said(trailers: &HeaderMap) -> String {
    let text = trailers.get("grpc-message").and_then(|value| value.to_str().ok());
    percent_decode_str(text.unwrap_or_default()).decode_utf8_lossy().into_owned()
}

/// The one message of a body. A body that ends before any counts as an empty message.
fn message(body: &[u8]) -> Result<&[u8], String> {
    let Some((head, message)) = body.split_at_checked(HEAD_BYTES) else {
        return if body.is_empty() { Ok(body) } else { Err("half a frame".to_owned()) };
    };
    if head[0] != 0 {
        return Err("a compressed message, which was not asked for".to_owned());
    }
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
    if usize::try_from(length) == Ok(message.len()) {
        Ok(message)
    } else {
        Err(format!("a frame that declares {length} bytes and has {}", message.len()))
    }
}

#[cfg(test)]
mod tests;
