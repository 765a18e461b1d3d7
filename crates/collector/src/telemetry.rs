//! Telemetry: the collector's own logs and metrics.
//!
//! Logs go to stderr, human on a terminal and JSON otherwise, unless the configuration says otherwise.
//! Metrics are served at `localhost:8888/metrics` with the upstream names.

mod logs;
mod metrics_server;

use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use config::service;
use config::service::telemetry::{Prometheus, ResourceValue};
use runtime::clock::Clock;
use runtime::metrics::{Exposition, Registry, Resource};
use runtime::net::Network;
use runtime::random::Random;
use runtime::task::Scope;

use metrics_server::{MetricsServer, Page};

pub(crate) use logs::Logs;

/// The collector's own telemetry while it runs.
#[derive(Debug)]
pub(crate) struct Telemetry {
    metrics: Option<MetricsServer>,
}

impl Telemetry {
    /// Serves metrics where the settings say.
    pub(crate) fn start(
        settings: &service::Telemetry,
        scope: &Scope,
        registry: &Registry,
    ) -> anyhow::Result<Self> {
        let Some(prometheus) = settings.prometheus() else { return Ok(Self { metrics: None }) };
        runtime::metrics::register_process(registry, Clock);
        let address = address_of(&prometheus);
        // Its socket is never handed on, so it must not be shared with a receiver either.
        let listener = Network::default().listen(&address);
        let listener = listener.with_context(|| {
            format!(
                "listen on {address} for the collector's own metrics (service.telemetry.metrics)"
            )
        })?;
        let page = Page {
            registry: registry.clone(),
            resource: Arc::new(resource_of(settings)),
            exposition: exposition_of(settings, &prometheus),
        };
        Ok(Self { metrics: Some(MetricsServer::start(Clock, scope, page, listener)) })
    }

    /// Stops serving.
    pub(crate) async fn end(self, deadline: Instant) {
        if let Some(metrics) = self.metrics {
            metrics.end(deadline).await;
        }
    }
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
