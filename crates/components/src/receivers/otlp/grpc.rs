//! The gRPC service: OTLP's four `Export` methods over HTTP/2.
//!
//! Framing is our own, five bytes before each message, so that a request is never decoded.
//! See <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>.

mod reply;
mod timeout;

use http::header::CONTENT_TYPE;
use http::{Method, Response, StatusCode};
use pipeline::{Code, Status};
use wire::{Format, Signal};

use super::answer::{Reply, TurnedAway};
use super::intake::{Call, Framing, Intake};
use super::transport::{Handler, ReplyBody, Request};
use crate::compression::Algorithm;

/// What this server decompresses, as `grpc-accept-encoding` says it.
const ACCEPT_ENCODING: &str = "identity,gzip,zstd,snappy,deflate";

/// Answers gRPC requests.
pub(super) struct Service {
    pub intake: Intake,
}

impl Handler for Service {
    async fn handle(&self, request: Request) -> Response<ReplyBody> {
        if !is_grpc(&request) {
            return reply::not_grpc(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        }
        if request.head.method != Method::POST {
            return reply::not_grpc(StatusCode::METHOD_NOT_ALLOWED);
        }
        let Some(signal) = signal_of(request.head.uri.path()) else {
            let message = format!("unknown method {}", request.head.uri.path());
            let status = Status::new(Code::Unimplemented, message);
            return reply::turned_away(&TurnedAway::for_good(status));
        };
        match self.export(signal, request).await {
            Reply::Accepted { rejected, warning } => {
                reply::accepted(signal, rejected, warning.as_deref())
            }
            Reply::TurnedAway(turned_away) => reply::turned_away(&turned_away),
        }
    }
}

impl Service {
    async fn export(&self, signal: Signal, request: Request) -> Reply {
        let Request { head, body, peer, connection } = request;
        let header = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
        let deadline = self.intake.deadline(header("grpc-timeout").and_then(timeout::parse));
        let algorithm = match header("grpc-encoding") {
            None | Some("identity") => None,
            Some(name) => match algorithm_of(name) {
                Some(algorithm) => Some(algorithm),
                None => return Reply::TurnedAway(unknown_encoding(name)),
            },
        };
        let caller = match self.intake.identify(&head, peer) {
            Ok(caller) => caller,
            Err(turned_away) => return Reply::TurnedAway(turned_away),
        };
        let (format, framing) = (Format::Protobuf, Framing::Message);
        let call = Call { signal, format, framing, algorithm, caller, deadline };
        self.intake.take(call, body, &connection).await
    }
}

fn is_grpc(request: &Request) -> bool {
    let content_type = request.head.headers.get(CONTENT_TYPE);
    let Some(text) = content_type.and_then(|value| value.to_str().ok()) else { return false };
    let Some(rest) = text.strip_prefix("application/grpc") else { return false };
    rest.is_empty() || rest.starts_with([';', '+'])
}

/// The signal whose `Export` method this path names.
fn signal_of(path: &str) -> Option<Signal> {
    let service = path.strip_prefix("/opentelemetry.proto.collector.")?.strip_suffix("/Export")?;
    match service {
        "logs.v1.LogsService" => Some(Signal::Logs),
        "trace.v1.TraceService" => Some(Signal::Traces),
        "metrics.v1.MetricsService" => Some(Signal::Metrics),
        "profiles.v1development.ProfilesService" => Some(Signal::Profiles),
        _ => None,
    }
}

/// The algorithms that gRPC clients use; `snappy` is the framed format there, as far as they agree.
fn algorithm_of(name: &str) -> Option<Algorithm> {
    match name {
        "gzip" | "zstd" | "snappy" | "deflate" => Algorithm::from_name(name),
        _ => None,
    }
}

fn unknown_encoding(name: &str) -> TurnedAway {
    let message = format!("compression `{name}` is not supported: use {ACCEPT_ENCODING}");
    TurnedAway::for_good(Status::new(Code::Unimplemented, message))
}
