//! Reply: what an answer of the Logs API says, and what that means for the data.
//!
//! Pure: the wall time comes in as an argument, for `Retry-After` dates.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use delivery::{Reply, Scope, Target};
use http::{HeaderMap, StatusCode};
use pipeline::{Code, Status, Verdict};
use serde::Deserialize;

use super::operation::Operation;
use super::routing::Names;
use crate::client::{Answer, CallError};
use crate::exporters::otlp::verdict::retry_after;

/// How much of an answer is read.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// Errors that the AWS tools take for "too fast".
const THROTTLING: &[&str] = &[
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "SlowDown",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
];

/// Errors that say that the credentials or the signature are not good.
const UNAUTHENTICATED: &[&str] = &[
    "UnrecognizedClientException",
    "UnrecognizedClient",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidClientTokenId",
    "InvalidAccessKeyId",
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
];

/// What went wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) kind: Kind,
    pub(super) operation: Operation,
    pub(super) status: Status,
    /// How long the service asks to wait.
    pub(super) delay: Option<Duration>,
}

/// The kinds of failures, by what can be done about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The target may not be used; that can be granted later.
    Denied,
    /// The group or stream is not there.
    Missing,
    /// What was to be made is there already.
    Exists,
    /// The account makes too many calls of this kind.
    Throttled,
    /// The service does not work, or something in front of it.
    Unavailable,
    /// The credentials, or the signature.
    Unauthenticated,
    /// This host's clock and the service's are too far apart.
    Skewed,
    /// The content of the request.
    Invalid,
    /// The size of the request.
    TooLarge,
    /// The same data was accepted before.
    Accepted,
    /// Something else was done to the target at the same time.
    Conflict,
    /// Something is used up for a long time.
    Exhausted,
    /// No connection could be made.
    Unreached,
    /// There is no answer, so that the request may have had its effect.
    Silent,
    /// An error that is not known.
    Other,
}

impl Kind {
    fn code(self) -> Code {
        match self {
            Self::Denied => Code::PermissionDenied,
            Self::Missing => Code::NotFound,
            Self::Exists | Self::Accepted => Code::AlreadyExists,
            Self::Throttled | Self::TooLarge => Code::ResourceExhausted,
            Self::Unavailable | Self::Unreached | Self::Silent => Code::Unavailable,
            Self::Unauthenticated | Self::Skewed => Code::Unauthenticated,
            Self::Conflict => Code::Aborted,
            Self::Invalid | Self::Exhausted | Self::Other => Code::FailedPrecondition,
        }
    }
}

#[derive(Deserialize)]
struct Told {
    #[serde(rename = "__type", alias = "code", default)]
    kind: String,
    #[serde(default, alias = "Message")]
    message: String,
}

/// How much of an answer's body is read.
pub(super) fn bytes_max(_status: StatusCode) -> usize {
    ANSWER_BYTES_MAX
}

/// What an answer says; the body of a success is JSON, whoever else answers is not the service.
pub(super) fn read(
    operation: Operation,
    answer: &Answer,
    wall: SystemTime,
) -> Result<bytes::Bytes, Failure> {
    let delay = retry_after(&answer.headers, wall);
    let body = match &answer.body {
        Ok(body) => body.clone(),
        Err(error) => {
            let kind = if answer.status.is_success() { Kind::Silent } else { Kind::Unavailable };
            let status = said(kind, answer.status, format!("{}: {error}", operation.name()));
            return Err(Failure { kind, operation, status, delay });
        }
    };
    let is_object = body.is_empty() || serde_json::from_slice::<Told>(&body).is_ok();
    if answer.status.is_success() && is_object {
        return Ok(body);
    }
    let told = serde_json::from_slice::<Told>(&body).ok();
    let name = error_name(&answer.headers, told.as_ref());
    let message = told.as_ref().map(|told| told.message.clone()).unwrap_or_default();
    let kind = kind(operation, answer.status, name, &message);
    let text = match (name, message.as_str()) {
        (None, _) => {
            format!("{} was answered by something else than the service", operation.name())
        }
        (Some(name), "") => format!("{}: {name}", operation.name()),
        (Some(name), message) => format!("{}: {name}: {message}", operation.name()),
    };
    Err(Failure { kind, operation, status: said(kind, answer.status, text), delay })
}

/// What it means that there is no answer.
pub(super) fn silence(operation: Operation, error: &CallError) -> Failure {
    let kind = match error {
        CallError::NotSent { is_late: false, .. } => Kind::Unreached,
        CallError::NotSent { is_late: true, .. } | CallError::Unknown { .. } => Kind::Silent,
    };
    let code = if error.is_late() { Code::DeadlineExceeded } else { Code::Unavailable };
    let status = Status::new(code, format!("{}: {error}", operation.name()));
    Failure { kind, operation, status, delay: None }
}

/// The credentials could not be brought.
pub(super) fn without_credentials(operation: Operation, why: &str) -> Failure {
    let status = Status::new(Code::Unauthenticated, format!("{}: {why}", operation.name()));
    Failure { kind: Kind::Unauthenticated, operation, status, delay: None }
}

/// What several targets rely on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scopes {
    pub(super) credential: Scope,
    pub(super) operation: Scope,
    pub(super) endpoint: Scope,
}

impl Scopes {
    /// The target of a group and a stream.
    pub(super) fn target(&self, (group, stream): Names) -> Target {
        let relied_on = [&self.credential, &self.operation, &self.endpoint];
        Target::new([group, stream], relied_on.map(Clone::clone))
    }
}

impl Failure {
    /// What the failure means for data that was to be put.
    pub(super) fn reply(&self, scopes: &Scopes) -> Reply {
        let is_put = self.operation == Operation::PutLogEvents;
        let retry = || Verdict::RetryAfter { delay: self.delay, status: self.status.clone() };
        let (verdict, scope) = match self.kind {
            Kind::Invalid if is_put => (Verdict::Refused(self.content_status()), None),
            // The name is not valid: no part of the batch is better than another.
            Kind::Invalid => {
                let code = Code::FailedPrecondition;
                let status = Status::new(code, Arc::clone(&self.status.message));
                (Verdict::Refused(status), None)
            }
            Kind::TooLarge => (Verdict::Refused(self.status.clone()), None),
            Kind::Silent => (Verdict::Unknown(self.status.clone()), None),
            // Making groups and streams has limits of its own, which puts do not feel.
            Kind::Throttled if is_put => (retry(), Some(&scopes.operation)),
            Kind::Unauthenticated | Kind::Skewed => (retry(), Some(&scopes.credential)),
            Kind::Unavailable | Kind::Unreached => (retry(), Some(&scopes.endpoint)),
            Kind::Denied
            | Kind::Missing
            | Kind::Exists
            | Kind::Throttled
            | Kind::Accepted
            | Kind::Conflict
            | Kind::Exhausted
            | Kind::Other => (retry(), None),
        };
        Reply { scope: scope.cloned(), ..verdict.into() }
    }

    fn content_status(&self) -> Status {
        let message = Arc::clone(&self.status.message);
        Status { http: self.status.http, ..Status::new(Code::InvalidArgument, message) }
    }
}

fn kind(operation: Operation, status: StatusCode, name: Option<&str>, message: &str) -> Kind {
    let is_skew = ["Signature expired", "Signature not yet current"];
    match name {
        Some("RequestExpired" | "RequestTimeTooSkewed") => Kind::Skewed,
        Some(_) if is_skew.iter().any(|words| message.contains(words)) => Kind::Skewed,
        Some("AccessDeniedException" | "AccessDenied" | "UnauthorizedOperation") => Kind::Denied,
        Some("ResourceNotFoundException") => Kind::Missing,
        Some("ResourceAlreadyExistsException") => Kind::Exists,
        Some("DataAlreadyAcceptedException") => Kind::Accepted,
        Some("OperationAbortedException" | "InvalidSequenceTokenException") => Kind::Conflict,
        Some("LimitExceededException") if operation == Operation::CreateLogGroup => Kind::Exhausted,
        Some("LimitExceededException") => Kind::Throttled,
        Some(name) if THROTTLING.contains(&name) => Kind::Throttled,
        Some(name) if UNAUTHENTICATED.contains(&name) => Kind::Unauthenticated,
        Some("InvalidParameterException" | "ValidationException" | "SerializationException") => {
            Kind::Invalid
        }
        Some("ServiceUnavailableException" | "InternalFailure" | "RequestTimeout") => {
            Kind::Unavailable
        }
        _ if status == StatusCode::PAYLOAD_TOO_LARGE => Kind::TooLarge,
        _ if status == StatusCode::TOO_MANY_REQUESTS => Kind::Throttled,
        _ if status.is_server_error() => Kind::Unavailable,
        Some(_) => Kind::Other,
        None => Kind::Unavailable,
    }
}

/// The name of the error: without the namespace before `#` and the address after `:`.
fn error_name<'a>(headers: &'a HeaderMap, told: Option<&'a Told>) -> Option<&'a str> {
    let of_body = told.map(|told| told.kind.as_str()).filter(|kind| !kind.is_empty());
    let of_header = || headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok());
    let whole = of_body.or_else(of_header)?;
    let whole = whole.split(':').next().unwrap_or(whole);
    whole.rsplit('#').next()
}

fn said(kind: Kind, http: StatusCode, message: String) -> Status {
    Status { http: Some(http.as_u16()), ..Status::new(kind.code(), message) }
}

#[cfg(test)]
mod tests;
