//! The destination behind the `otlp_grpc` exporter.

use std::sync::Arc;

use delivery::{Attempt, Destination, Reply};
use http::header::{CONTENT_TYPE, TE, USER_AGENT};
use http::request::Parts;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use pipeline::factory::ExporterBlueprint;
use pipeline::{Built, Code, Environment, StartError, Status, Verdict};
use runtime::clock::Clock;
use runtime::metrics::Labels;
use wire::Signal;

use super::config::Settings;
use super::message;
use crate::client::{Call, Channel, Host};
use crate::exporters::otlp::compression::Compression;
use crate::exporters::otlp::credentials::Credentials;
use crate::exporters::otlp::workspace::Workspace;
use crate::exporters::otlp::{AGENT, component, trace, verdict};

const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");

/// An OTLP server, over gRPC.
pub(super) struct Server {
    channel: Arc<Channel>,
    host: Host,
    scheme: Scheme,
    authority: Authority,
    credentials: Credentials,
    compression: Option<Compression>,
    workspace: Workspace,
    clock: Clock,
}

impl ExporterBlueprint for Settings {
    fn build(&self, env: Environment) -> Result<Built, StartError> {
        let scope = env.scope.child("connections");
        let credentials =
            Credentials::new(self.headers.clone(), self.authenticator.as_ref(), &env)?;
        let channel = self.way.channel(&env, &scope, (&self.host, self.is_tls))?;
        let server = Server {
            channel: Arc::clone(&channel),
            host: self.host.clone(),
            scheme: if self.is_tls { Scheme::HTTPS } else { Scheme::HTTP },
            authority: self.authority.clone(),
            credentials,
            compression: self.compression,
            workspace: Workspace::new(&env, self.compression.is_some()),
            clock: env.clock,
        };
        component::start(&env, self.road.clone(), server, (vec![channel], scope))
    }
}

impl Destination for Server {
    async fn send(&self, attempt: Attempt) -> Reply {
        let bytes = attempt.payload.bytes_len();
        let mut room = match self.workspace.room(bytes, attempt.deadline).await {
            Ok(room) => room,
            Err(status) => return Verdict::RetryAfter { delay: None, status }.into(),
        };
        let segments = match self.body(&attempt) {
            Ok(segments) => segments,
            Err(status) => return Verdict::Refused(status).into(),
        };
        room.shrink_to(segments.iter().map(bytes::Bytes::len).sum());
        let reply = self.call(&attempt, segments.clone()).await;
        // The server looked at the credentials only, so that new ones may be tried at once.
        if is_unauthenticated(&reply) && self.credentials.rejected() {
            return self.call(&attempt, segments).await;
        }
        reply
    }

    fn labels(&self, _signal: Signal) -> Labels {
        self.host.labels()
    }
}

impl Server {
    async fn call(&self, attempt: &Attempt, segments: Vec<bytes::Bytes>) -> Reply {
        let head = match self.head(attempt).await {
            Ok(head) => head,
            Err(status) => return verdict::of_grpc(status, None).into(),
        };
        let bytes_max = |_| message::ANSWER_BYTES_MAX;
        let call = Call { head, segments, deadline: attempt.deadline, bytes_max };
        match self.channel.call(call).await {
            Ok(answer) => message::reply(attempt.payload.signal(), answer),
            Err(error) => verdict::of_silence(error).into(),
        }
    }

    fn body(&self, attempt: &Attempt) -> Result<Vec<bytes::Bytes>, Status> {
        let internal = |what: String| Status::new(Code::Internal, what);
        let segments = attempt.payload.segments();
        let framed = match self.compression {
            Some(compression) => {
                let body = compression.codec.deflate(segments);
                let body = body.map_err(|error| internal(format!("cannot compress: {error}")))?;
                message::framed(vec![body], true)
            }
            None => message::framed(segments.to_vec(), false),
        };
        framed.ok_or_else(|| internal("the request is larger than 4 GiB".to_owned()))
    }

    async fn head(&self, attempt: &Attempt) -> Result<Parts, Status> {
        let uri = Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone())
            .path_and_query(PathAndQuery::from_static(message::path(attempt.payload.signal())))
            .build()
            .expect("a scheme, an authority and a path make a URL");
        let (mut head, ()) = Request::new(()).into_parts();
        (head.method, head.uri) = (Method::POST, uri);
        self.credentials.add(&attempt.context, &mut head.headers).await?;
        self.add_own(attempt, &mut head.headers);
        Ok(head)
    }

    fn add_own(&self, attempt: &Attempt, headers: &mut HeaderMap) {
        let left = attempt.deadline.saturating_duration_since(self.clock.now());
        headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(AGENT));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert(TE, HeaderValue::from_static("trailers"));
        headers.insert(GRPC_TIMEOUT, message::timeout(left));
        if let Some(compression) = self.compression {
            headers.insert(GRPC_ENCODING, HeaderValue::from_static(compression.name));
        }
        headers.extend(trace::headers(attempt));
    }
}

fn is_unauthenticated(reply: &Reply) -> bool {
    matches!(&reply.verdict, Verdict::Refused(status) if status.code == Code::Unauthenticated)
}
