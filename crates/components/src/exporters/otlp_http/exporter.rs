//! The destination behind the `otlp_http` exporter.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use delivery::{Attempt, Destination, Reply};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, COOKIE, USER_AGENT};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Request, Uri};
use pipeline::factory::ExporterBlueprint;
use pipeline::{Built, Code, Environment, StartError, Status, Verdict};
use runtime::clock::Clock;
use runtime::metrics::Labels;
use wire::format::Format;
use wire::{Payload, Signal, json};

use super::config::Settings;
use super::cookies::Jar;
use super::reply;
use super::target::{Origin, Target};
use crate::client::{Answer, Call, CallError, Channel, Host};
use crate::exporters::otlp::compression::Compression;
use crate::exporters::otlp::credentials::Credentials;
use crate::exporters::otlp::workspace::Workspace;
use crate::exporters::otlp::{AGENT, component, trace, verdict};

/// How many times as large as protobuf a request is as JSON, about.
const JSON_TIMES: usize = 2;

/// OTLP servers over HTTP, one for each signal; often all the same.
pub(super) struct Servers {
    routes: BTreeMap<Signal, Route>,
    format: Format,
    credentials: Credentials,
    compression: Option<Compression>,
    workspace: Workspace,
    redirects_max: usize,
    clock: Clock,
}

struct Route {
    channel: Arc<Channel>,
    host: Host,
    url: Uri,
    /// Shared by the signals of one server.
    jar: Option<Arc<Jar>>,
}

/// Channels and cookies by what connections depend on.
#[derive(Default)]
struct Opened(Vec<(Origin, Arc<Channel>, Arc<Jar>)>);

impl ExporterBlueprint for Settings {
    fn build(&self, env: Environment) -> Result<Built, StartError> {
        let scope = env.scope.child("connections");
        let credentials =
            Credentials::new(self.headers.clone(), self.authenticator.as_ref(), &env)?;
        let mut opened = Opened::default();
        let mut routes = BTreeMap::new();
        for Target { signal, origin, url } in &self.targets {
            let start = || self.way.channel(&env, &scope, (&origin.host, origin.is_tls));
            let (channel, jar) = opened.find(origin, start)?;
            let jar = self.keeps_cookies.then_some(jar);
            let host = origin.host.clone();
            routes.insert(*signal, Route { channel, host, url: url.clone(), jar });
        }
        let is_encoding = self.compression.is_some() || self.format == Format::Json;
        let servers = Servers {
            routes,
            format: self.format,
            credentials,
            compression: self.compression,
            workspace: Workspace::new(&env, is_encoding),
            redirects_max: self.redirects_max,
            clock: env.clock,
        };
        let channels = opened.0.into_iter().map(|(_, channel, _)| channel).collect();
        component::start(&env, self.road.clone(), servers, (channels, scope))
    }
}

impl Opened {
    fn find(
        &mut self,
        origin: &Origin,
        start: impl FnOnce() -> Result<Arc<Channel>, StartError>,
    ) -> Result<(Arc<Channel>, Arc<Jar>), StartError> {
        if let Some((_, channel, jar)) = self.0.iter().find(|(known, ..)| known == origin) {
            return Ok((Arc::clone(channel), Arc::clone(jar)));
        }
        let (channel, jar) = (start()?, Arc::new(Jar::default()));
        self.0.push((origin.clone(), Arc::clone(&channel), Arc::clone(&jar)));
        Ok((channel, jar))
    }
}

impl Destination for Servers {
    async fn send(&self, attempt: Attempt) -> Reply {
        let signal = attempt.payload.signal();
        let Some(route) = self.routes.get(&signal) else {
            let message = format!("the exporter has no endpoint for {signal}");
            return Verdict::Refused(Status::new(Code::Unimplemented, message)).into();
        };
        let encoded_bytes = self.encoded_bytes_max(attempt.payload.bytes_len());
        let mut room = match self.workspace.room(encoded_bytes, attempt.deadline).await {
            Ok(room) => room,
            Err(status) => return Verdict::RetryAfter { delay: None, status }.into(),
        };
        let body = match self.body(&attempt.payload) {
            Ok(body) => body,
            Err(status) => return Verdict::Refused(status).into(),
        };
        room.shrink_to(body.iter().map(Bytes::len).sum());
        let reply = self.call(&attempt, route, body.clone()).await;
        // The server looked at the credentials only, so that new ones may be tried at once.
        if is_unauthenticated(&reply) && self.credentials.rejected() {
            return self.call(&attempt, route, body).await;
        }
        reply
    }

    fn labels(&self, signal: Signal) -> Labels {
        let Some(Route { host, url, .. }) = self.routes.get(&signal) else { return Labels::new() };
        [host.labels(), vec![("url.path", url.path().to_owned())]].concat()
    }
}

impl Servers {
    async fn call(&self, attempt: &Attempt, route: &Route, segments: Vec<Bytes>) -> Reply {
        let head = match self.head(attempt, route).await {
            Ok(head) => head,
            Err(status) => return verdict::of_grpc(status, None).into(),
        };
        let deadline = attempt.deadline;
        let call = Call { head, segments, deadline, bytes_max: reply::bytes_max };
        match self.follow(route, call).await {
            Ok(answer) => {
                if let Some(jar) = &route.jar {
                    jar.keep(&answer.headers, self.clock.now());
                }
                reply::reply(attempt.payload.signal(), &answer, self.clock.wall())
            }
            Err(error) => verdict::of_silence(error).into(),
        }
    }

    /// Sends the request, and again to where the same server redirects it.
    async fn follow(&self, route: &Route, mut call: Call) -> Result<Answer, CallError> {
        let mut answer = route.channel.call(call.clone()).await?;
        for _ in 0..self.redirects_max {
            let target = reply::redirect(&answer).and_then(|to| redirected(&call.head.uri, to));
            let Some(target) = target else { break };
            call.head.uri = target;
            answer = route.channel.call(call.clone()).await?;
        }
        Ok(answer)
    }

    /// What the buffers may take that are made of a payload of so many bytes.
    fn encoded_bytes_max(&self, plain_bytes: usize) -> usize {
        let text_bytes = match self.format {
            Format::Protobuf => 0,
            Format::Json => plain_bytes.saturating_mul(JSON_TIMES),
        };
        let compressed_bytes = if self.compression.is_some() { plain_bytes } else { 0 };
        text_bytes.saturating_add(compressed_bytes)
    }

    fn body(&self, payload: &Payload) -> Result<Vec<Bytes>, Status> {
        let segments = match self.format {
            Format::Protobuf => payload.segments().to_vec(),
            Format::Json => vec![json::from_payload(payload).into()],
        };
        let Some(compression) = self.compression else { return Ok(segments) };
        let body = compression.codec.deflate(&segments);
        let failed = |error| Status::new(Code::Internal, format!("cannot compress: {error}"));
        Ok(vec![body.map_err(failed)?])
    }

    async fn head(&self, attempt: &Attempt, route: &Route) -> Result<Parts, Status> {
        let (mut head, ()) = Request::new(()).into_parts();
        (head.method, head.uri) = (Method::POST, route.url.clone());
        self.credentials.add(&attempt.context, &mut head.headers).await?;
        if let Some(cookies) = route.jar.as_ref().and_then(|jar| jar.header(self.clock.now())) {
            head.headers.insert(COOKIE, cookies);
        }
        self.add_own(attempt, &mut head.headers);
        Ok(head)
    }

    fn add_own(&self, attempt: &Attempt, headers: &mut HeaderMap) {
        headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(AGENT));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.format.content_type()));
        if let Some(compression) = self.compression {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(compression.name));
        }
        headers.extend(trace::headers(attempt));
    }
}

/// Where a redirect leads, if to the same server: credentials are shown to no other.
fn redirected(from: &Uri, location: &str) -> Option<Uri> {
    let target = location.parse::<Uri>().ok()?;
    let is_same = target.authority().is_none()
        || (target.authority() == from.authority() && target.scheme() == from.scheme());
    let path = target.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
    let mut parts = from.clone().into_parts();
    parts.path_and_query = Some(path);
    Uri::from_parts(parts).ok().filter(|_| is_same)
}

fn is_unauthenticated(reply: &Reply) -> bool {
    matches!(&reply.verdict, Verdict::Refused(status) if status.code == Code::Unauthenticated)
}
