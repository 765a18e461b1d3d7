//! Verdicts: what the answers of OTLP servers mean for the data, by the tables of the OTLP
//! specification.
//!
//! Pure: the wall time comes in as an argument, for `Retry-After` dates.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use delivery::Reply;
use http::{HeaderMap, StatusCode};
use pipeline::{Code, Status, Verdict};
use wire::response::PartialSuccess;

use crate::client::CallError;

/// The verdict of a gRPC status that is not OK; `retry_info` is the delay of its `RetryInfo`.
pub(crate) fn of_grpc(status: Status, retry_info: Option<Duration>) -> Verdict {
    let is_retryable = match status.code {
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => true,
        // Without RetryInfo it means that the data is too large, or a quota used up for good.
        Code::ResourceExhausted => retry_info.is_some(),
        _ => false,
    };
    if !is_retryable {
        return Verdict::Refused(status);
    }
    Verdict::RetryAfter { delay: retry_info.filter(|delay| !delay.is_zero()), status }
}

/// The verdict of an HTTP status outside 200 to 299.
pub(crate) fn of_http(
    status: StatusCode,
    message: impl Into<Arc<str>>,
    headers: &HeaderMap,
    wall: SystemTime,
) -> Verdict {
    let code = match status.as_u16() {
        400 => Code::InvalidArgument,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::Unimplemented,
        429 => Code::ResourceExhausted,
        502..=504 => Code::Unavailable,
        _ => Code::Unknown,
    };
    let http = Some(status.as_u16());
    let said = Status { http, ..Status::new(code, message) };
    match status.as_u16() {
        429 | 503 => Verdict::RetryAfter { delay: retry_after(headers, wall), status: said },
        502 | 504 => Verdict::RetryAfter { delay: None, status: said },
        _ => Verdict::Refused(said),
    }
}

/// The verdict when there was no answer.
pub(crate) fn of_silence(error: CallError) -> Verdict {
    let is_late = error.is_late();
    let code = if is_late { Code::DeadlineExceeded } else { Code::Unavailable };
    let status = Status::new(code, error.to_string());
    match error {
        CallError::NotSent { .. } => Verdict::RetryAfter { delay: None, status },
        CallError::Unknown { .. } => Verdict::Unknown(status),
    }
}

/// The reply to a request that was accepted, perhaps not all of it; the road logs what was not.
pub(crate) fn of_success(partial: PartialSuccess) -> Reply {
    if partial.is_full() {
        return Verdict::Delivered.into();
    }
    let warning = (!partial.message.is_empty()).then(|| partial.message.into());
    Reply { rejected: partial.rejected, warning, ..Verdict::Delivered.into() }
}

/// The code of an HTTP status that came where a gRPC status should have been, as gRPC maps it.
pub(crate) fn code_for_http(status: StatusCode) -> Code {
    match status.as_u16() {
        400 => Code::Internal,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::Unimplemented,
        429 | 502..=504 => Code::Unavailable,
        _ => Code::Unknown,
    }
}

/// The delay of `Retry-After`, in seconds or until a date; what is malformed or past is none.
pub(crate) fn retry_after(headers: &HeaderMap, wall: SystemTime) -> Option<Duration> {
    let value = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim();
    let delay = match value.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => httpdate::parse_http_date(value).ok()?.duration_since(wall).ok()?,
    };
    (!delay.is_zero()).then_some(delay)
}

#[cfg(test)]
mod tests;
