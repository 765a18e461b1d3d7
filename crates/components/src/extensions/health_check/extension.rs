//! The server behind the `health_check` extension.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use futures_util::future::BoxFuture;
use http::request;
use pipeline::factory::{ExtensionBlueprint, Plans};
use pipeline::{Component, Environment, Extension, StartError};
use runtime::channel::{self, Ends, LatestReceiver, LatestSender};
use runtime::clock::Clock;
use runtime::health::Health;
use runtime::net::{Address, Listener, Stream};
use runtime::task::{Scope, Task};

use super::config::Settings;
use super::page::{Condition, answer};
use crate::http1::{self, Content};

const CONNECTIONS_MAX: usize = 100;
const REQUEST_TIME_MAX: Duration = Duration::from_secs(10);

impl Plans for Settings {
    fn listens(&self) -> Vec<(Address, String)> {
        let address = self.endpoint.parse().ok();
        let fixed = address.filter(|address| !matches!(address, Address::Tcp { port: 0, .. }));
        fixed.map(|address| (address, "endpoint".to_owned())).into_iter().collect()
    }

    fn warnings(&self) -> Vec<String> {
        let warning = "`check_collector_pipeline` has no effect: health is whether data is taken";
        self.checks_pipeline.then(|| warning.to_owned()).into_iter().collect()
    }
}

impl ExtensionBlueprint for Settings {
    fn build(&self, env: Environment) -> Result<Arc<dyn Extension>, StartError> {
        let listener = env
            .network
            .listen(&self.endpoint)
            .map_err(|error| StartError::new(format!("listen on `{}`: {error}", self.endpoint)))?;
        listener.set_connections_max(CONNECTIONS_MAX);
        let ends = Ends { from: "pipeline graph", to: "health check" };
        let readiness = Readiness { is_ready: false, since: env.clock.wall() };
        let (readiness, seen) = channel::latest(ends, readiness);
        let scope = env.scope.child("health_check");
        let (settings, health) = (self.clone(), env.health);
        let pages = Pages { settings, readiness: seen, health, clock: env.clock };
        let accept = accept(listener, Arc::new(pages), scope.clone());
        let server = Mutex::new(Some(scope.spawn("accept", accept)));
        Ok(Arc::new(HealthCheck { readiness, clock: env.clock, server }))
    }
}

/// The running extension.
#[derive(Debug)]
struct HealthCheck {
    readiness: LatestSender<Readiness>,
    clock: Clock,
    server: Mutex<Option<Task<()>>>,
}

impl Component for HealthCheck {
    fn drain(&self, _deadline: Instant) {
        self.ready(false);
    }

    fn close(&self, _deadline: Instant) -> BoxFuture<'_, ()> {
        drop(self.server.lock().unwrap_or_else(PoisonError::into_inner).take());
        Box::pin(std::future::ready(()))
    }
}

impl Extension for HealthCheck {
    fn ready(&self, is_ready: bool) {
        self.readiness.set(Readiness { is_ready, since: self.clock.wall() });
    }
}

/// Whether the collector takes data, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Readiness {
    is_ready: bool,
    since: SystemTime,
}

/// What the connections share.
struct Pages {
    settings: Settings,
    readiness: LatestReceiver<Readiness>,
    health: Health,
    clock: Clock,
}

impl Pages {
    fn condition(&self) -> Condition {
        let Readiness { is_ready, since } = self.readiness.value();
        Condition { is_ready, since, troubles: self.health.troubles() }
    }
}

/// Takes connections; those that are open end with this task.
async fn accept(listener: Arc<Listener>, pages: Arc<Pages>, scope: Scope) {
    let mut connections: Vec<Task<()>> = Vec::new();
    loop {
        let stream = listener.accept(pages.clock).await;
        connections.retain(|connection| !connection.is_ended());
        connections.push(scope.spawn("connection", serve(stream, Arc::clone(&pages))));
    }
}

async fn serve(stream: Stream, pages: Arc<Pages>) {
    let answer = |head: request::Parts, _body| {
        let (settings, condition) = (&pages.settings, pages.condition());
        let now = pages.clock.wall();
        let response = answer(settings, &head.method, head.uri.path(), &condition, now);
        std::future::ready(Some(response.map(Content::from)))
    };
    let settings = http1::Settings::brief(REQUEST_TIME_MAX);
    http1::serve(stream, settings, pages.clock, std::future::pending::<()>(), answer).await;
}
