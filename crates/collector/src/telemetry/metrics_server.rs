//! Metrics server: answers `GET /metrics` in the Prometheus text format.
//!
//! Bounds: 32 connections, 10 s for a request. It listens on loopback unless told otherwise.

use std::sync::Arc;
use std::time::{Duration, Instant};

use components::http1::{self, Content, Settings};
use http::{Method, Response, StatusCode, header, request};
use runtime::clock::Clock;
use runtime::metrics::{Exposition, Registry, Resource};
use runtime::net::Listener;
use runtime::task::{Scope, Task};

const CONNECTIONS_MAX: usize = 32;
const REQUEST_TIME_MAX: Duration = Duration::from_secs(10);

/// What is served, and in whose name.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) registry: Registry,
    pub(crate) resource: Arc<Resource>,
    pub(crate) exposition: Exposition,
}

/// Serves the metrics of a registry.
#[derive(Debug)]
pub(crate) struct MetricsServer {
    clock: Clock,
    scope: Scope,
    accepting: Task<()>,
}

impl MetricsServer {
    pub(crate) fn start(clock: Clock, scope: &Scope, page: Page, listener: Arc<Listener>) -> Self {
        let scope = scope.child("metrics");
        listener.set_connections_max(CONNECTIONS_MAX);
        let accepting = scope.spawn("accept", accept(clock, scope.clone(), page, listener));
        Self { clock, scope, accepting }
    }

    pub(crate) async fn end(self, deadline: Instant) {
        self.accepting.cancel();
        let soon = self.clock.now() + Duration::from_millis(200);
        self.scope.idle_by(self.clock, soon.min(deadline)).await;
    }
}

async fn accept(clock: Clock, scope: Scope, page: Page, listener: Arc<Listener>) {
    loop {
        let stream = listener.accept(clock).await;
        let page = page.clone();
        let deadline = clock.now() + REQUEST_TIME_MAX;
        let settings = Settings { is_kept_alive: false, ..Settings::brief(REQUEST_TIME_MAX) };
        let serve = async move {
            let answer = |head, _body| std::future::ready(Some(page.answer(&head)));
            let served =
                http1::serve(stream, settings, clock, std::future::pending::<()>(), answer);
            // A scraper that takes too long is its own business.
            clock.by(deadline, served).await.ok();
        };
        scope.spawn("connection", serve).detach();
    }
}

impl Page {
    fn answer(&self, head: &request::Parts) -> Response<Content> {
        let (status, text) = match (&head.method, head.uri.path()) {
            (&Method::GET, "/metrics") => {
                (StatusCode::OK, self.registry.exposition(&self.resource, self.exposition))
            }
            (&Method::GET, _) => (StatusCode::NOT_FOUND, "metrics are at /metrics\n".to_owned()),
            _ => (StatusCode::METHOD_NOT_ALLOWED, "only GET is served\n".to_owned()),
        };
        let mut response = Response::new(Content::from(text));
        *response.status_mut() = status;
        let content_type = header::HeaderValue::from_static(Exposition::CONTENT_TYPE);
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        response
    }
}
