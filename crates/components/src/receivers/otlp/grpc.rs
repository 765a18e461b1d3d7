//! The gRPC service: OTLP's four `Export` methods, health and reflection, over HTTP/2.
//!
//! Framing is our own, five bytes before each message, so that a request is never decoded.
//! See <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>.

mod health;
mod messages;
mod reflection;
mod reply;
mod timeout;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, Response, StatusCode};
use pipeline::{Code, Status};
use runtime::shutdown::Shutdown;
use wire::{Format, Signal};

use super::answer::{Reply, TurnedAway};
use super::intake::{Call, Framing, Intake};
use super::transport::{Handler, ReplyBody, Request};
use crate::compression::Algorithm;
use health::Health;

/// What this server decompresses, as `grpc-accept-encoding` says it.
const ACCEPT_ENCODING: &str = "identity,gzip,zstd,snappy,deflate";

/// Answers gRPC requests.
pub(super) struct Service {
    pub intake: Intake,
    pub drain: Shutdown,
}

/// The methods that are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Served {
    Export(Signal),
    CheckHealth,
    WatchHealth,
    Reflect,
}

impl Handler for Service {
    async fn handle(&self, request: Request) -> Response<ReplyBody> {
        if !is_grpc(&request) {
            return reply::not_grpc(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        }
        if request.head.method != Method::POST {
            return reply::not_grpc(StatusCode::METHOD_NOT_ALLOWED);
        }
        let answered = match Served::from_path(request.head.uri.path()) {
            Some(Served::Export(signal)) => match self.export(signal, request).await {
                Reply::Accepted { rejected, warning } => {
                    Ok(reply::accepted(signal, rejected, warning.as_deref()))
                }
                Reply::TurnedAway(turned_away) => Err(turned_away),
            },
            Some(served) => self.describe(served, request).await,
            None => {
                let message = format!("unknown method {}", request.head.uri.path());
                Err(TurnedAway::for_good(Status::new(Code::Unimplemented, message)))
            }
        };
        answered.unwrap_or_else(|turned_away| reply::turned_away(&turned_away))
    }
}

impl Service {
    /// Answers what is asked about the server itself.
    async fn describe(
        &self,
        served: Served,
        request: Request,
    ) -> Result<Response<ReplyBody>, TurnedAway> {
        let Request { head, body, peer, .. } = request;
        self.intake.identify(&head, peer)?;
        let Intake { clock, outlets, .. } = &self.intake;
        let (clock, drain, outlets) = (*clock, self.drain.clone(), outlets.clone());
        let signals = outlets.signals().collect();
        let health = Health { drain, clock, outlets };
        match served {
            Served::CheckHealth => health.check(body).await.map(|answer| reply::message(&answer)),
            Served::WatchHealth => {
                health.watch(body).await.map(|watch| reply::grpc(HeaderMap::new(), watch))
            }
            Served::Reflect | Served::Export(_) => {
                Ok(reply::grpc(HeaderMap::new(), reflection::reflect(body, clock, signals)))
            }
        }
    }

    async fn export(&self, signal: Signal, request: Request) -> Reply {
        let Request { head, body, peer, connection } = request;
        let header = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
        let asked = header("grpc-timeout").and_then(timeout::parse);
        let deadline = match self.intake.deadline(asked) {
            Ok(deadline) => deadline,
            Err(turned_away) => return Reply::TurnedAway(turned_away),
        };
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

impl Served {
    fn from_path(path: &str) -> Option<Self> {
        let (service, method) = path.strip_prefix('/')?.split_once('/')?;
        let signal = Signal::ALL.into_iter().find(|signal| service_of(*signal) == service);
        match (signal, service, method) {
            (Some(signal), _, "Export") => Some(Self::Export(signal)),
            (None, "grpc.health.v1.Health", "Check") => Some(Self::CheckHealth),
            (None, "grpc.health.v1.Health", "Watch") => Some(Self::WatchHealth),
            (
                None,
                "grpc.reflection.v1.ServerReflection" | "grpc.reflection.v1alpha.ServerReflection",
                "ServerReflectionInfo",
            ) => Some(Self::Reflect),
            _ => None,
        }
    }
}

/// The service that exports `signal`.
fn service_of(signal: Signal) -> &'static str {
    match signal {
        Signal::Logs => "opentelemetry.proto.collector.logs.v1.LogsService",
        Signal::Traces => "opentelemetry.proto.collector.trace.v1.TraceService",
        Signal::Metrics => "opentelemetry.proto.collector.metrics.v1.MetricsService",
        Signal::Profiles => "opentelemetry.proto.collector.profiles.v1development.ProfilesService",
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
