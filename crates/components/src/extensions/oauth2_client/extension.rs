//! The credentials behind the `oauth2client` extension.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};
use pipeline::auth::{ClientAuth, SharedClientAuth};
use pipeline::factory::{ExtensionBlueprint, Plans};
use pipeline::{Code, Component, Context, Environment, Extension, StartError, Status};
use runtime::channel::{self, Ends, LatestReceiver, Sender};
use runtime::clock::Clock;
use runtime::task::{Scope, Task};

use super::config::Settings;
use super::grant::Style;
use super::keeper::{Event, Keeper, Known};
use crate::client::{Channel, Dialer, Limits, Plan, Policy, Protocol, Proxy};
use crate::tls::HTTP1;

/// Events coalesce: a few in the queue say all there is to say.
const EVENTS_MAX: usize = 8;
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

impl Plans for Settings {}

impl ExtensionBlueprint for Settings {
    fn build(&self, env: Environment) -> Result<Arc<dyn Extension>, StartError> {
        let scope = env.scope.child("oauth2");
        let channel = self.channel(&env, &scope)?;
        let ends = Ends { from: "token keeper", to: "exporters" };
        let (publish, known) = channel::latest(ends, Known::default());
        let ends = Ends { from: "exporters", to: "token keeper" };
        let (events, received) = channel::bounded(ends, EVENTS_MAX);
        let keeper = Keeper {
            settings: self.clone(),
            channel: Arc::clone(&channel),
            clock: env.clock,
            publish,
            known: Known::default(),
            style: Style::Header,
        };
        let task = scope.spawn("token keeper", keeper.run(received));
        let tokens = Tokens { known, events, clock: env.clock, timeout: self.timeout };
        Ok(Arc::new(OAuth2 { tokens: Arc::new(tokens), channel, task: Mutex::new(Some(task)) }))
    }
}

impl Settings {
    fn channel(&self, env: &Environment, scope: &Scope) -> Result<Arc<Channel>, StartError> {
        let tls = match self.is_tls {
            true => Some(self.tls.clone().connector(&[HTTP1], env.clock, scope)?),
            false => None,
        };
        let proxy = Proxy::from_variables(env.network.proxies(), self.is_tls, &self.host)
            .map_err(|error| StartError::new(format!("the proxy of the environment: {error}")))?;
        Ok(Channel::start(Plan {
            dialer: Dialer {
                network: env.network.clone(),
                clock: env.clock,
                scope: scope.clone(),
                host: self.host.clone(),
                proxy,
                tls,
                protocol: Protocol::Negotiated,
                keepalive: None,
            },
            resolver: Arc::new(env.network.clone()),
            policy: Policy::RoundRobin,
            limits: Limits { open_max: 2, idle_max: 1, idle_timeout: Some(IDLE_TIMEOUT) },
            is_waiting_for_ready: true,
            is_closing: false,
        }))
    }
}

/// The running extension.
struct OAuth2 {
    tokens: Arc<Tokens>,
    channel: Arc<Channel>,
    task: Mutex<Option<Task<()>>>,
}

impl std::fmt::Debug for OAuth2 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OAuth2({:?})", self.channel)
    }
}

impl Component for OAuth2 {
    fn drain(&self, _deadline: Instant) {}

    fn close(&self, _deadline: Instant) -> BoxFuture<'_, ()> {
        drop(self.task.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.channel.close();
        Box::pin(std::future::ready(()))
    }

    fn explain(&self) -> Vec<String> {
        let failure = self.tokens.known.value().failure;
        failure.into_iter().map(|(why, _)| format!("no token: {why}")).collect()
    }
}

impl Extension for OAuth2 {
    fn client_auth(&self) -> Option<SharedClientAuth> {
        Some(Arc::clone(&self.tokens) as SharedClientAuth)
    }
}

/// What exporters ask for headers.
struct Tokens {
    known: LatestReceiver<Known>,
    events: Sender<Event>,
    clock: Clock,
    timeout: Duration,
}

impl ClientAuth for Tokens {
    fn headers<'a>(
        &'a self,
        _context: &'a Context,
    ) -> BoxFuture<'a, Result<Vec<(HeaderName, HeaderValue)>, Status>> {
        Box::pin(async { Ok(vec![(AUTHORIZATION, self.token().await?)]) })
    }

    fn rejected(&self) {
        self.tell(Event::Rejected);
    }
}

impl Tokens {
    async fn token(&self) -> Result<HeaderValue, Status> {
        let asked_at = self.clock.now();
        let deadline = asked_at + self.timeout;
        let mut known = self.known.clone();
        loop {
            let now = self.clock.now();
            let Known { token, failure } = known.value();
            let token = token.filter(|token| token.is_usable(now));
            if token.as_ref().is_none_or(|token| token.is_stale(now)) {
                self.tell(Event::Wanted);
            }
            if let Some(token) = token {
                return Ok(token.header);
            }
            if let Some((why, _)) = failure.filter(|(_, at)| asked_at <= *at) {
                let message = format!("fetch an OAuth 2 token: {why}");
                return Err(Status::new(Code::Unavailable, message));
            }
            if !matches!(self.clock.by(deadline, known.changed()).await, Ok(Some(_))) {
                let message = "no OAuth 2 token arrived in time";
                return Err(Status::new(Code::Unavailable, message));
            }
        }
    }

    fn tell(&self, event: Event) {
        // A full queue already says that a token is wanted.
        drop(self.events.try_send(event));
    }
}
