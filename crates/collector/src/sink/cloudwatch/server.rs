//! Server: HTTP requests become requests to the account, and its answers HTTP answers.
//!
//! Bounds: [`CONNECTIONS_MAX`] connections, bodies of [`BODY_BYTES_MAX`] bytes as they come and
//! [`INFLATED_BYTES_MAX`] unpacked.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use components::compression::{Algorithm, expected, inflate};
use components::http1::{self, Body, Content};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use runtime::clock::Clock;
use runtime::net::Listener;
use runtime::task::Scope;

use super::Shared;
use super::account::{ApiError, Names, read};
use super::rules::Behaviour;
use super::signature::{self, Key};

pub(super) const BODY_BYTES_MAX: usize = 8 << 20;
const INFLATED_BYTES_MAX: usize = 32 << 20;
const CONNECTIONS_MAX: usize = 4096;
const IDLE_TIME_MAX: Duration = Duration::from_secs(60);
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// What every connection needs.
#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) account: Shared,
    pub(super) key: Option<Key>,
    pub(super) clock: Clock,
    /// Seconds that this clock is ahead of the host's.
    pub(super) ahead: i64,
}

/// The connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is reset, as asked")]
struct Hangup;

/// One request, read and unpacked.
struct Asked {
    operation: String,
    names: Names,
    body: Bytes,
}

/// Serves connections until it is stopped.
pub(super) async fn accept(listener: Arc<Listener>, service: Service, scope: Scope) {
    listener.set_connections_max(CONNECTIONS_MAX);
    loop {
        let stream = listener.accept(service.clock).await;
        let service = service.clone();
        let serve = async move {
            let clock = service.clock;
            let answer = |head, body| {
                let service = service.clone();
                async move { service.answer(head, body).await.ok() }
            };
            let settings = http1::Settings::brief(IDLE_TIME_MAX);
            http1::serve(stream, settings, clock, std::future::pending::<()>(), answer).await;
        };
        scope.spawn("connection", serve).detach();
    }
}

impl Service {
    async fn answer(&self, head: Parts, body: Body) -> Result<Response<Content>, Hangup> {
        let answered = match self.read(head, body).await {
            Ok(asked) => self.serve(asked).await,
            Err(error) => Ok(Err(error)),
        };
        match answered? {
            Ok(body) => Ok(self.response(StatusCode::OK, body)),
            Err(error) => {
                self.account.with(|account| {
                    *account.counted.errors.entry(error.name.clone()).or_default() += 1;
                });
                Ok(self.error(&error))
            }
        }
    }

    /// Serves a request as the rules say; the outer error ends the connection.
    async fn serve(&self, asked: Asked) -> Result<Result<String, ApiError>, Hangup> {
        let now = self.clock.now();
        let target = (asked.names.log_group_name.as_str(), asked.names.log_stream_name.as_str());
        let behaviour = self.account.with(|account| {
            *account.counted.requests.entry(asked.operation.clone()).or_default() += 1;
            account.rules.behaviour(target, &asked.operation, now)
        });
        match behaviour {
            None => Ok(self.take(&asked)),
            Some(Behaviour::Stall(delay)) => {
                self.clock.sleep(delay).await;
                Ok(self.take(&asked))
            }
            Some(Behaviour::Swallow) => std::future::pending().await,
            Some(Behaviour::Reset) => Err(Hangup),
            Some(Behaviour::Lose) => {
                drop(self.take(&asked));
                Err(Hangup)
            }
            Some(Behaviour::Garble) => Ok(Ok("<html><body>please log in</body></html>".to_owned())),
            Some(Behaviour::Reject) => {
                let rejected = self.account.with(|account| account.reject(&asked.body));
                Ok(rejected.map(|answer| answer.to_string()))
            }
            Some(other) => Ok(Err(refusal(&other, &asked))),
        }
    }

    fn take(&self, asked: &Asked) -> Result<String, ApiError> {
        let now = self.wall().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
        let served = self.account.with(|account| account.serve(&asked.operation, &asked.body, now));
        served.map(|answer| answer.to_string())
    }

    async fn read(&self, head: Parts, body: Body) -> Result<Asked, ApiError> {
        let body = collect(body).await?;
        let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
        if let Some(key) = &self.key {
            signature::check(key, target, &head.headers, &body, self.wall())?;
        }
        let body = unpacked(&head.headers, body)?;
        let operation = head.headers.get("x-amz-target").and_then(|value| value.to_str().ok());
        let operation = operation.and_then(|target| target.strip_prefix("Logs_20140328."));
        let operation = operation
            .ok_or_else(|| ApiError::new("UnknownOperationException", "no operation is named"))?;
        Ok(Asked { operation: operation.to_owned(), names: read(&body)?, body })
    }

    fn wall(&self) -> SystemTime {
        let amount = Duration::from_secs(self.ahead.unsigned_abs());
        let wall = self.clock.wall();
        if self.ahead < 0 { wall - amount } else { wall + amount }
    }

    fn error(&self, error: &ApiError) -> Response<Content> {
        let body = serde_json::json!({ "__type": error.name, "message": error.message });
        let mut response = self.response(error.status, body.to_string());
        if let Ok(name) = HeaderValue::from_str(&error.name) {
            response.headers_mut().insert(ERROR_TYPE, name);
        }
        response
    }

    fn response(&self, status: StatusCode, body: String) -> Response<Content> {
        let is_json = body.starts_with('{');
        let mut response = Response::new(Content::from(body));
        *response.status_mut() = status;
        let kind = if is_json { "application/x-amz-json-1.1" } else { "text/html" };
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        let date = httpdate::fmt_http_date(self.wall());
        headers.extend(HeaderValue::try_from(date).map(|date| (header::DATE, date)));
        response
    }
}

fn refusal(behaviour: &Behaviour, asked: &Asked) -> ApiError {
    let operation = &asked.operation;
    match behaviour {
        Behaviour::Deny => {
            let message = format!(
                "User: arn:aws:iam::000000000000:user/sink is not authorized to perform: \
                 logs:{operation} on resource: arn:aws:logs:sink:000000000000:log-group:{}",
                asked.names.log_group_name
            );
            ApiError::new("AccessDeniedException", message)
        }
        Behaviour::Throttle { .. } => ApiError::new("ThrottlingException", "Rate exceeded"),
        Behaviour::Error(name) => ApiError::new(name, "failing as asked"),
        Behaviour::Status(status) => ApiError {
            status: StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            ..ApiError::new("InternalFailure", "failing as asked")
        },
        _ => ApiError::new("InternalFailure", "failing as asked"),
    }
}

async fn collect(mut body: Body) -> Result<Bytes, ApiError> {
    let broken = |_| ApiError::new("SerializationException", "the body broke off");
    let whole = body.whole(BODY_BYTES_MAX).await.map_err(broken)?;
    whole.ok_or_else(|| {
        let error = ApiError::new("RequestEntityTooLargeException", "the body is too large");
        ApiError { status: StatusCode::PAYLOAD_TOO_LARGE, ..error }
    })
}

fn unpacked(headers: &HeaderMap, body: Bytes) -> Result<Bytes, ApiError> {
    let failed = |what: String| ApiError::new("SerializationException", what);
    let Some(encoding) = headers.get(header::CONTENT_ENCODING) else { return Ok(body) };
    if encoding != "gzip" {
        return Err(failed("only gzip is understood".to_owned()));
    }
    let room = expected(Algorithm::Gzip, &body).bytes().clamp(1, INFLATED_BYTES_MAX);
    inflate(Algorithm::Gzip, &body, room).map_err(|flaw| failed(flaw.to_string()))
}
