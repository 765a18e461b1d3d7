//! The HTTP service: OTLP's paths, in protobuf and JSON.

mod content;
mod cors;
mod reply;

use std::collections::BTreeMap;

use http::header::CONTENT_ENCODING;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Response};
use wire::{Format, Signal};

pub(super) use cors::{Cors, CorsRules};

use super::answer::{Reply, TurnedAway};
use super::intake::{Call, Framing, Intake};
use super::transport::{Handler, ReplyBody, Request};
use crate::compression::Algorithm;

/// Answers HTTP requests.
pub(super) struct Service {
    pub intake: Intake,
    /// The signal of each path, for the signals that some pipeline takes.
    pub paths: BTreeMap<String, Signal>,
    /// What bodies may be compressed with.
    pub codings: Vec<Coding>,
    /// Headers that every reply has.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub cors: Option<Cors>,
}

/// A `Content-Encoding` that is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Coding {
    pub name: String,
    /// None for the encodings that change nothing.
    pub algorithm: Option<Algorithm>,
}

/// Makes the answer to a request that is not about OTLP.
type NoRoute = fn() -> Response<ReplyBody>;

impl Handler for Service {
    async fn handle(&self, request: Request) -> Response<ReplyBody> {
        let mut response = match &self.cors {
            Some(cors) => self.share(cors, request).await,
            None => self.answer(request).await,
        };
        for (name, value) in &self.headers {
            response.headers_mut().insert(name, value.clone());
        }
        response
    }
}

impl Service {
    /// Answers what a web page may have asked.
    async fn share(&self, cors: &Cors, request: Request) -> Response<ReplyBody> {
        if let Some(headers) = cors.preflight(&request.head) {
            return reply::no_content(headers);
        }
        let headers = cors.headers(&request.head.headers);
        let mut response = self.answer(request).await;
        response.headers_mut().extend(headers);
        response
    }

    async fn answer(&self, request: Request) -> Response<ReplyBody> {
        let (signal, format) = match self.route(&request.head) {
            Ok(route) => route,
            Err(answer) => return answer(),
        };
        match self.export(signal, format, request).await {
            Reply::Accepted { rejected, warning } => {
                reply::accepted(signal, rejected, warning.as_deref(), format)
            }
            Reply::TurnedAway(turned_away) => reply::turned_away(&turned_away, format),
        }
    }

    /// What a request is about, or what to answer one that is not about OTLP.
    fn route(&self, head: &Parts) -> Result<(Signal, Format), NoRoute> {
        let signal = self.paths.get(head.uri.path()).ok_or(reply::not_found as NoRoute)?;
        if head.method != Method::POST {
            return Err(reply::method_not_allowed);
        }
        let format =
            content::format(&head.headers).ok_or(reply::unsupported_media_type as NoRoute)?;
        Ok((*signal, format))
    }

    async fn export(&self, signal: Signal, format: Format, request: Request) -> Reply {
        let Request { head, body, peer, connection } = request;
        let framing = Framing::Whole;
        let call = self.algorithm(&head).and_then(|algorithm| {
            let deadline = self.intake.deadline(None)?;
            let caller = self.intake.identify(&head, peer)?;
            Ok(Call { signal, format, framing, algorithm, caller, deadline })
        });
        match call {
            Ok(call) => self.intake.take(call, body, &connection).await,
            Err(turned_away) => Reply::TurnedAway(turned_away),
        }
    }

    fn algorithm(&self, head: &Parts) -> Result<Option<Algorithm>, TurnedAway> {
        let Some(value) = head.headers.get(CONTENT_ENCODING) else { return Ok(None) };
        let name = value.to_str().unwrap_or("?").trim().to_ascii_lowercase();
        let coding = self.codings.iter().find(|coding| coding.name == name);
        let unsupported = || TurnedAway::invalid(format!("unsupported Content-Encoding: {name}"));
        coding.map(|coding| coding.algorithm).ok_or_else(unsupported)
    }
}
