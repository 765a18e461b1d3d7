//! Telemetry: the collector's own logs, metrics and traces.
//!
//! Logs go to stderr, human on a terminal and JSON otherwise, unless the configuration says otherwise.
//! Metrics are served at `localhost:8888/metrics` with the upstream names.

mod logs;
mod metrics_server;
mod spans;
mod traces;

use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use config::service;
use config::service::telemetry::{Prometheus, ResourceValue};
use pipeline::graph::World;
use pipeline::{Environment, Extensions, Tracer};
use runtime::clock::Clock;
use runtime::metrics::{Exposition, Resource};
use runtime::net::Network;
use runtime::random::Random;
use runtime::task::Scope;

use metrics_server::{MetricsServer, Page};
use traces::Traces;

pub(crate) use logs::Logs;

/// The collector's own telemetry while it runs.
#[derive(Debug)]
pub(crate) struct Telemetry {
    metrics: Vec<MetricsServer>,
    traces: Option<Traces>,
}

impl Telemetry {
    /// Serves metrics and exports spans where the settings say.
    pub(crate) fn start(
        settings: &service::Telemetry,
        scope: &Scope,
        world: &World,
    ) -> anyhow::Result<(Self, Tracer)> {
        let resource = resource_of(settings);
        let metrics = start_metrics(settings, scope, world, &resource)?;
        let (traces, tracer) = start_traces(settings, scope, world, resource)?.unzip();
        Ok((Self { metrics, traces }, tracer.unwrap_or_default()))
    }

    /// Exports the last spans, and stops serving.
    pub(crate) async fn end(self, deadline: Instant) {
        if let Some(traces) = self.traces {
            traces.end(deadline).await;
        }
        for metrics in self.metrics {
            metrics.end(deadline).await;
        }
    }
}

/// A server for each reader.
fn start_metrics(
    settings: &service::Telemetry,
    scope: &Scope,
    world: &World,
    resource: &Resource,
) -> anyhow::Result<Vec<MetricsServer>> {
    let readers = settings.prometheus();
    if !readers.is_empty() {
        runtime::metrics::register_process(&world.metrics, Clock);
    }
    let serve = |prometheus: &Prometheus| {
        let address = address_of(prometheus);
        // Its socket is never handed on, so it must not be shared with anyone else either.
        let listener = Network::default().listen(&address).with_context(|| {
            format!(
                "listen on {address} for the collector's own metrics (service.telemetry.metrics)"
            )
        })?;
        let page = Page {
            registry: world.metrics.clone(),
            resource: Arc::new(resource.clone()),
            exposition: exposition_of(settings, prometheus),
        };
        Ok(MetricsServer::start(Clock, scope, page, listener))
    };
    readers.iter().map(serve).collect()
}

fn start_traces(
    settings: &service::Telemetry,
    scope: &Scope,
    world: &World,
    resource: Resource,
) -> anyhow::Result<Option<(Traces, Tracer)>> {
    let Some((batch, destination)) = settings.traces.destination() else { return Ok(None) };
    let env = Environment {
        id: traces::exporter_id(destination.protocol)?,
        signal: None,
        clock: world.clock,
        scope: scope.child("own spans"),
        metrics: world.metrics.clone(),
        health: world.health.clone(),
        tracer: Tracer::default(),
        budget: world.budget.clone(),
        network: world.network.clone(),
        data_dir: world.data_dir.clone(),
        extensions: Extensions::default(),
    };
    let started = Traces::start(env, (batch, destination), settings.traces.root_ratio(), resource);
    started.context("export the collector's own spans (service.telemetry.traces)").map(Some)
}

/// The reader that nobody wrote has names without suffixes, as upstream.
fn exposition_of(settings: &service::Telemetry, prometheus: &Prometheus) -> Exposition {
    if settings.metrics.readers.is_none() {
        return Exposition::IMPLICIT;
    }
    Exposition {
        has_units: !prometheus.without_units,
        has_totals: !prometheus.without_type_suffix,
        ..Exposition::EXPLICIT
    }
}

fn address_of(prometheus: &Prometheus) -> String {
    let Prometheus { host, port, .. } = prometheus;
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// What every metric of this process is about, as upstream has it, then as the configuration says.
fn resource_of(settings: &service::Telemetry) -> Resource {
    let instance = random_uuid();
    let mut attributes = vec![
        ("service.name".to_owned(), "tidegate".to_owned()),
        ("service.instance.id".to_owned(), instance),
        ("service.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
    ];
    for (key, value) in &settings.resource {
        attributes.retain(|(name, _)| name != key);
        if let ResourceValue::Text(text) = value {
            attributes.push((key.clone(), text.clone()));
        }
    }
    Resource { attributes }
}

/// A random UUID (RFC 9562, version 4).
fn random_uuid() -> String {
    let random = Random::entropy();
    let high = random.number() & !0xf000 | 0x4000;
    let low = random.number() & !(0b11 << 62) | 1 << 63;
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}
