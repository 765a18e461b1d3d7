//! Answer: what a client is told, in the words of both protocols.
//!
//! Pure. The table, where *retryable* is Canceled, DeadlineExceeded, Aborted, OutOfRange,
//! Unavailable and DataLoss, and a delay becomes `RetryInfo` and, rounded up, `Retry-After`:
//!
//! | answer | gRPC | HTTP |
//! |---|---|---|
//! | delivered | OK, with partial success if items were rejected | 200, the same |
//! | retry after, retryable code | the code | 503 |
//! | retry after, ResourceExhausted with a delay | ResourceExhausted | 429 |
//! | retry after, ResourceExhausted without | Unavailable: without a delay it would be final | 429 |
//! | retry after, any other code | Unavailable | 503 |
//! | unknown | as retry after without a delay | the same |
//! | refused, retryable code | Internal: it must not be sent again | 500 |
//! | refused, any other code | the code, never with `RetryInfo` | its own, if final; see below |
//!
//! A refusal that came over HTTP keeps its HTTP status; else InvalidArgument is 400,
//! Unauthenticated 401, PermissionDenied 403, Unimplemented 404 and the rest 500.
//! Where this differs from the OpenTelemetry Collector it follows the specification: what is too
//! large is 413 and not 400; nothing final looks retryable, and nothing retryable final.
//! Invariant: what may be sent again says so in either protocol, and nothing else does.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use pipeline::{Answer, Code, Status};
use wire::{Signal, rpc_status};

/// What a client is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Accepted { rejected: u64, warning: Option<Arc<str>> },
    TurnedAway(TurnedAway),
}

/// Why a request was not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TurnedAway {
    status: Status,
    retry: Retry,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Retry {
    Never,
    After(Option<Duration>),
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Delivered { rejected, warning } => Self::Accepted { rejected, warning },
            Answer::Refused(status) => Self::TurnedAway(TurnedAway::for_good(status)),
            Answer::RetryAfter { delay, status } => {
                Self::TurnedAway(TurnedAway { status, retry: Retry::After(delay) })
            }
            Answer::Unknown(status) => {
                Self::TurnedAway(TurnedAway { status, retry: Retry::After(None) })
            }
        }
    }
}

impl TurnedAway {
    /// It must not be sent again.
    pub(super) fn for_good(status: Status) -> Self {
        Self { status, retry: Retry::Never }
    }

    /// The request itself is wrong.
    pub(super) fn invalid(message: impl Into<Arc<str>>) -> Self {
        Self::for_good(Status::new(Code::InvalidArgument, message))
    }

    /// The request is larger than `bytes_max`.
    pub(super) fn too_large(bytes_max: usize) -> Self {
        let message = format!("the request is larger than the limit of {bytes_max} bytes");
        let http = Some(StatusCode::PAYLOAD_TOO_LARGE.as_u16());
        let status = Status { http, ..Status::new(Code::ResourceExhausted, message) };
        Self::for_good(status)
    }

    /// No pipeline takes this signal from the receiver.
    pub(super) fn unimplemented(signal: Signal) -> Self {
        let message = format!("no pipeline of this receiver takes {signal}");
        Self::for_good(Status::new(Code::Unimplemented, message))
    }

    /// It may be sent again after `delay`.
    pub(super) fn for_now(delay: Duration, message: impl Into<Arc<str>>) -> Self {
        let status = Status::new(Code::Unavailable, message);
        Self { status, retry: Retry::After(Some(delay)) }
    }

    /// Why, in words.
    pub(super) fn message(&self) -> Arc<str> {
        Arc::clone(&self.status.message)
    }

    /// The code that a gRPC client is told.
    pub(super) fn code(&self) -> Code {
        match (self.retry, self.status.code) {
            (Retry::Never, code) if is_retryable(code) || code == Code::Ok => Code::Internal,
            (Retry::Never, code) => code,
            (Retry::After(Some(_)), Code::ResourceExhausted) => Code::ResourceExhausted,
            (Retry::After(_), code) if is_retryable(code) => code,
            (Retry::After(_), _) => Code::Unavailable,
        }
    }

    /// The status that an HTTP client is told.
    pub(super) fn http_status(&self) -> StatusCode {
        match (self.retry, self.status.code) {
            (Retry::Never, code) => self.http_status_kept().unwrap_or(match code {
                Code::InvalidArgument => StatusCode::BAD_REQUEST,
                Code::Unauthenticated => StatusCode::UNAUTHORIZED,
                Code::PermissionDenied => StatusCode::FORBIDDEN,
                Code::Unimplemented => StatusCode::NOT_FOUND,
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            }),
            (Retry::After(_), Code::ResourceExhausted) => StatusCode::TOO_MANY_REQUESTS,
            (Retry::After(_), _) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The HTTP status that a refusal came with, unless a client would take it for a reason to
    /// try again.
    fn http_status_kept(&self) -> Option<StatusCode> {
        let status = StatusCode::from_u16(self.status.http?).ok()?;
        let is_error = status.is_client_error() || status.is_server_error();
        let is_final = !matches!(status.as_u16(), 429 | 502 | 503 | 504);
        (is_error && is_final).then_some(status)
    }

    /// How long the client should wait before it tries again.
    pub(super) fn delay(&self) -> Option<Duration> {
        match self.retry {
            Retry::Never => None,
            Retry::After(delay) => delay,
        }
    }

    /// The value of `Retry-After`.
    pub(super) fn retry_after_seconds(&self) -> Option<u64> {
        let delay = self.delay()?;
        Some(delay.as_secs() + u64::from(0 < delay.subsec_nanos()))
    }

    /// The same as `google.rpc.Status`, with its `RetryInfo`.
    pub(super) fn rpc_status(&self) -> rpc_status::Status {
        rpc_status::Status {
            code: self.code().number().into(),
            message: self.status.message.to_string(),
            retry_after: self.delay(),
        }
    }
}

/// What OTLP clients send again without being told when.
fn is_retryable(code: Code) -> bool {
    matches!(
        code,
        Code::Cancelled
            | Code::DeadlineExceeded
            | Code::Aborted
            | Code::OutOfRange
            | Code::Unavailable
            | Code::DataLoss
    )
}

#[cfg(test)]
mod tests;
