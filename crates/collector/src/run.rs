//! Run: the life of one collector process, from configuration to the last answer.
//!
//! Owner: this task owns the graph. It waits for one kind of event at a time: signals, and the end
//! of a drain. See `pipeline::graph` for what a reload keeps.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use config::service;
use config::service::telemetry::MetricsLevel;
use pipeline::graph::{Graph, World};
use pipeline::plan::Plan;
use runtime::budget::Budget;
use runtime::clock::Clock;
use runtime::health::Health;
use runtime::metrics::Registry;
use runtime::net::{Network, ProxyVariables};
use runtime::signals::{Signal, Signals};
use runtime::task::Scope;

use crate::cli::{RunOptions, SourceOptions};
use crate::load::{self, Loaded};
use crate::telemetry::{Logs, Telemetry};

/// Memory for the payloads of all pipelines when no `memory_limiter` says otherwise: the part of
/// what the machine or the cgroup allows, in percent.
const MEMORY_SHARE_PERCENT: usize = 40;

/// Runs the collector until it is asked to end.
pub(crate) async fn run(source: &SourceOptions, options: &RunOptions) -> anyhow::Result<()> {
    let mut signals = Signals::listen().context("listen for signals")?;
    let loaded = load::load(source, &options.data_dir)?;
    let logs = Logs::start(&loaded.telemetry)?;
    let collector = Collector::start(loaded, options, logs).await?;
    collector.serve(&mut signals, source).await
}

/// A running collector.
struct Collector {
    clock: Clock,
    scope: Scope,
    graph: Graph,
    telemetry: Telemetry,
    /// What the telemetry was started with.
    telemetry_settings: service::Telemetry,
    logs: Logs,
    budget: Budget,
    options: RunOptions,
}

impl Collector {
    async fn start(loaded: Loaded, options: &RunOptions, logs: Logs) -> anyhow::Result<Self> {
        let clock = Clock;
        let scope = Scope::root("tidegate");
        let metrics = match loaded.telemetry.metrics.level {
            MetricsLevel::Detailed => Registry::detailed(),
            _ => Registry::default(),
        };
        let proxies = ProxyVariables::read(|name| std::env::var(name).ok());
        let network = Network::default().with_proxies(proxies);
        let budget = Budget::root("process", memory_max(&loaded.plan));
        runtime::metrics::register_tasks(&metrics, &scope);
        runtime::metrics::register_budget(&metrics, &budget);
        let about = "Receipts that were dropped unanswered; anything but zero is a defect.";
        metrics.counter_fn("tidegate_receipts_lost", about, Vec::new(), || {
            pipeline::receipt::lost_total() as f64
        });
        let world = World {
            clock,
            scope: scope.child("graph"),
            metrics,
            health: Health::default(),
            tracer: pipeline::Tracer::default(),
            budget: budget.clone(),
            network,
            data_dir: options.data_dir.clone(),
        };
        let (telemetry, tracer) = Telemetry::start(&loaded.telemetry, &scope, &world)?;
        loaded.report();
        let world = World { tracer, ..world };
        let graph = Graph::start(world, &loaded.plan).await?;
        tracing::info!(
            version = env!("CARGO_PKG_VERSION"),
            pipelines = loaded.plan.pipelines.len(),
            memory_max_bytes = budget.bytes_max(),
            "Everything is ready. Begin running and processing data."
        );
        let telemetry_settings = loaded.telemetry;
        let options = options.clone();
        Ok(Self { clock, scope, graph, telemetry, telemetry_settings, logs, budget, options })
    }

    /// Obeys signals until one ends the process.
    async fn serve(mut self, signals: &mut Signals, source: &SourceOptions) -> anyhow::Result<()> {
        while signals.next().await == Signal::Reload {
            self.reload(source);
        }
        let deadline = self.drain_deadline();
        tracing::info!(drain_timeout_seconds = self.options.drain_timeout, "Draining.");
        tokio::select! {
            () = self.shut_down(deadline) => Ok(()),
            () = second_termination(signals) => anyhow::bail!("asked twice to end: ended at once"),
        }
    }

    /// Applies the configuration as it is now; one that is wrong changes nothing.
    fn reload(&mut self, source: &SourceOptions) {
        tracing::info!("Reloading the configuration.");
        let loaded = match load::load(source, &self.options.data_dir) {
            Ok(loaded) => loaded,
            Err(error) => {
                tracing::error!("The configuration is not valid; the old one runs on.\n{error}");
                return;
            }
        };
        loaded.report();
        let (retired, result) = self.graph.apply(&loaded.plan);
        match result {
            Ok(()) => {
                self.budget.set_bytes_max(memory_max(&loaded.plan));
                self.reload_telemetry(&loaded.telemetry);
                tracing::info!("The new configuration is in force.");
            }
            Err(error) => {
                tracing::error!(%error, "The new configuration cannot run; the old one runs on.");
            }
        }
        // Beside what follows: a slow end must not hold up the next signal.
        let deadline = self.drain_deadline();
        self.scope.spawn("retired components", retired.end(deadline)).detach();
    }

    /// Changes the level of the log; everything else about telemetry stays until a restart.
    fn reload_telemetry(&mut self, new: &service::Telemetry) {
        self.telemetry_settings.logs.level = new.logs.level;
        self.logs.set_level(new.logs.level);
        if self.telemetry_settings != *new {
            tracing::warn!(
                "service.telemetry has changed; only logs.level takes effect without a restart."
            );
        }
    }

    async fn shut_down(self, deadline: Instant) {
        let Self { clock, scope, graph, telemetry, .. } = self;
        graph.shut_down(deadline).await;
        telemetry.end(deadline).await;
        if !scope.idle_by(clock, deadline).await {
            tracing::error!(tasks = scope.alive(), "Tasks are left at the deadline.");
        }
        tracing::info!("Shutdown complete.");
    }

    fn drain_deadline(&self) -> Instant {
        self.clock.now() + Duration::from_secs(self.options.drain_timeout)
    }
}

async fn second_termination(signals: &mut Signals) {
    while signals.next().await != Signal::Terminate {}
}

fn memory_max(plan: &Plan) -> usize {
    plan.memory_limit()
        .unwrap_or_else(|| runtime::host::memory_max_bytes() / 100 * MEMORY_SHARE_PERCENT)
}
