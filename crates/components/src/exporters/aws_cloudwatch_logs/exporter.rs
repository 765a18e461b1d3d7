//! The destination behind the `aws_cloudwatch_logs` exporter.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use delivery::{Attempt, Destination, Reply, Scope as Shared, Target, Targets};
use futures_util::future::BoxFuture;
use http::Uri;
use pipeline::factory::ExporterBlueprint;
use pipeline::{Built, Code, Component, Context, Environment, StartError, Status, Verdict};
use runtime::channel::{self, Ends};
use runtime::clock::Clock;
use runtime::task::{Scope, Task};
use wire::Payload;

use super::answer::{Rejections, Tally};
use super::batch;
use super::config::Settings;
use super::creation::{Creation, UnderWay};
use super::event::{Event, Form};
use super::operation::{self, Operation};
use super::reply::{Failure, Kind, Scopes};
use super::retention::{GROUPS_MAX, Retention};
use super::routing::Routing;
use super::service::{Service, Skew};
use super::telemetry::Telemetry;
use crate::aws::credentials::{Fetcher, read_file};
use crate::aws::request::Caller;
use crate::aws::{Keeper, Variables};
use crate::client::{Channel, Endpoint, Scheme};

/// Log groups and streams of one account and region.
struct Streams {
    routing: Routing,
    /// The only target, if all names are written out.
    fixed: Option<Target>,
    form: Form,
    service: Arc<Service>,
    creation: Creation,
    scopes: Scopes,
    telemetry: Telemetry,
}

/// What the exporter was built from.
#[derive(Debug)]
struct Exporter {
    road: Arc<dyn Component>,
    channel: Arc<Channel>,
    keeper: Keeper,
    clock: Clock,
    scope: Scope,
    tasks: Mutex<Vec<Task<()>>>,
}

impl ExporterBlueprint for Settings {
    fn build(&self, env: Environment) -> Result<Built, StartError> {
        self.build_with(&env, Variables::of_process())
    }
}

impl Settings {
    /// Builds it as if the process had these environment variables.
    pub(super) fn build_with(
        &self,
        env: &Environment,
        variables: Variables,
    ) -> Result<Built, StartError> {
        let scope = env.scope.child("cloudwatch");
        let place = self.place(&variables, &|path: &Path| read_file(path).ok())?;
        let (channel, url) = self.channel(env, &scope, &place.url)?;
        let caller = Caller {
            network: env.network.clone(),
            clock: env.clock,
            scope: scope.clone(),
            tls: self.way.tls.clone(),
            proxy: self.way.proxy.clone(),
        };
        let fetcher = Fetcher {
            words: self.credentials.clone(),
            variables,
            caller,
            region: place.region.clone(),
            sts_url: place.sts_url,
            imds_retries: self.imds_retries,
        };
        let (keeper, keeping) = Keeper::start(fetcher, env.clock, &scope);
        let service = Arc::new(Service {
            channel: Arc::clone(&channel),
            url,
            region: place.region,
            keeper: keeper.clone(),
            clock: env.clock,
            codec: self.codec,
            is_raw: self.form.is_raw,
            skew: Skew::default(),
        });
        let (streams, retention) = self.streams(env, &service, &scope);
        let road = delivery::start(env, self.road.clone(), streams)?;
        let tasks = Mutex::new([Some(keeping), retention].into_iter().flatten().collect());
        let clock = env.clock;
        let exporter = Exporter { road: road.component, channel, keeper, clock, scope, tasks };
        Ok(Built { component: Arc::new(exporter), consumer: road.consumer })
    }

    fn channel(
        &self,
        env: &Environment,
        scope: &Scope,
        url: &str,
    ) -> Result<(Arc<Channel>, Uri), StartError> {
        let flawed = |what: &str| StartError::new(format!("the endpoint `{url}` {what}"));
        let endpoint = Endpoint::http(url).map_err(flawed)?;
        let is_tls = endpoint.scheme == Some(Scheme::Https);
        let uri = format!("{}/", url.trim_end_matches('/'));
        let uri = uri.parse().map_err(|_| flawed("is not a URL"))?;
        Ok((self.way.channel(env, scope, (&endpoint.host, is_tls))?, uri))
    }

    fn streams(
        &self,
        env: &Environment,
        service: &Arc<Service>,
        scope: &Scope,
    ) -> (Streams, Option<Task<()>>) {
        let telemetry = Telemetry::new(env);
        let ends = Ends { from: "who makes log groups", to: "retention" };
        let (made, named) = channel::bounded(ends, GROUPS_MAX);
        let retention = self.made.retention_days.map(|days| {
            let (service, telemetry) = (Arc::clone(service), telemetry.clone());
            scope.spawn("retention", Retention { service, telemetry, days }.run(named))
        });
        let creation = Creation {
            service: Arc::clone(service),
            group: self.made.clone(),
            telemetry: telemetry.clone(),
            made,
            under_way: UnderWay::default(),
        };
        let host = service.url.authority().map_or("", |authority| authority.as_str());
        let scopes = Scopes {
            credential: Shared::new("AWS credentials"),
            operation: Shared::new("PutLogEvents of the account"),
            endpoint: Shared::new(format!("endpoint {host}")),
        };
        let routing = Routing {
            group: self.group.clone(),
            stream: self.stream.clone(),
            is_raw: self.form.is_raw,
        };
        let fixed = routing.fixed().map(|names| scopes.target(names));
        let (form, service) = (self.form, Arc::clone(service));
        let streams = Streams { routing, fixed, form, service, creation, scopes, telemetry };
        (streams, retention)
    }
}

impl Destination for Streams {
    async fn send(&self, attempt: Attempt) -> Reply {
        let [group, stream] = attempt.target.names() else {
            let status = Status::new(Code::Internal, "an attempt without a log stream");
            return Verdict::Refused(status).into();
        };
        let mut events = self.form.events(&attempt.payload, self.service.now_millis());
        if attempt.number == 1 {
            self.telemetry.oversize(events.oversize);
        }
        let mut tally = Tally::new(attempt.payload.items(), &events);
        for portion in batch::portions(&mut events.kept) {
            let portion = &events.kept[portion];
            match self.put((group, stream), portion, attempt.deadline).await {
                Ok(rejections) => tally.put(portion, rejections),
                Err(failure) => {
                    let reply = failure.reply(&self.scopes);
                    self.count(&tally);
                    return tally.broken_off(reply);
                }
            }
        }
        self.count(&tally);
        tally.accepted()
    }

    fn targets(&self, payload: &Payload, _context: &Context) -> Targets {
        if let Some(target) = &self.fixed {
            return Targets::One(target.clone());
        }
        let streams = self.routing.streams(payload).into_iter();
        let mut targets =
            streams.map(|(names, ranges)| (self.scopes.target(names), ranges)).collect::<Vec<_>>();
        match targets.pop() {
            Some((target, _)) if targets.is_empty() => Targets::One(target),
            Some(last) => {
                targets.push(last);
                Targets::Several(targets)
            }
            None => Targets::default(),
        }
    }
}

impl Streams {
    /// Puts one portion, and makes the stream first if it is missing.
    async fn put(
        &self,
        (group, stream): (&str, &str),
        events: &[Event],
        deadline: Instant,
    ) -> Result<Rejections, Failure> {
        let body = operation::put_log_events(group, stream, events);
        let mut is_made = false;
        loop {
            match self.service.call(Operation::PutLogEvents, body.clone(), deadline).await {
                Ok(answer) => return Ok(Rejections::read(&answer)),
                Err(failure) if failure.kind == Kind::Accepted => return Ok(Rejections::default()),
                Err(failure) if failure.kind == Kind::Missing && !is_made => {
                    self.creation.create(group, stream, deadline).await?;
                    is_made = true;
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Counts the records that end as refused with this attempt.
    fn count(&self, tally: &Tally) {
        tally.refused().for_each(|reason| self.telemetry.discarded(reason, 1));
    }
}

impl Component for Exporter {
    fn drain(&self, deadline: Instant) {
        self.road.drain(deadline);
    }

    fn close(&self, deadline: Instant) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.road.close(deadline).await;
            self.channel.close();
            self.tasks.lock().unwrap_or_else(PoisonError::into_inner).clear();
            self.scope.idle_by(self.clock, deadline).await;
        })
    }

    fn explain(&self) -> Vec<String> {
        let credentials = self.keeper.failure().map(|why| format!("no AWS credentials: {why}"));
        let connection = self.channel.explain();
        self.road.explain().into_iter().chain(credentials).chain(connection).collect()
    }
}
