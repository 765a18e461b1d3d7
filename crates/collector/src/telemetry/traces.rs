//! Traces: exports the collector's own spans through the product's own OTLP exporter.
//!
//! Owner: one task, which gathers spans and sends one batch at a time. Bounds: the configured
//! queue, and a share of the memory; spans that find no room or are not taken are counted.
//! Invariant: the export is marked as not sampled, so that no receiver on its way, least of all our
//! own, records it.

use std::str::FromStr as _;
use std::time::{Duration, Instant};

use config::ComponentId;
use config::service::telemetry::{SpanBatch, SpanDestination, SpanProtocol};
use pipeline::trace::Recorded;
use pipeline::{
    Answer, Blueprint, Built, Envelope, Environment, Kind, SpanContext, Tracer, Waiter,
};
use runtime::budget::Budget;
use runtime::channel::{self, Ends, Receiver};
use runtime::clock::Clock;
use runtime::metrics::{Counter, Resource};
use runtime::shutdown::{self, Shutdown, Trigger};
use runtime::task::Scope;
use serde_json::{Map, Value, json};
use wire::{Payload, Signal};

use super::spans;
use crate::bench_world::blueprint;

/// Memory for spans that wait.
const SHARE_MAX: usize = 16 << 20;

/// What a span's trace is in the export of spans: not to be recorded.
const UNSAMPLED: SpanContext = SpanContext { trace_id: [1; 16], span_id: [1; 8], flags: 0 };

/// The export of own spans while it runs.
#[derive(Debug)]
pub(super) struct Traces {
    clock: Clock,
    scope: Scope,
    exporter: Built,
    ending: Trigger,
}

/// What the task has.
struct Export {
    clock: Clock,
    records: Receiver<Recorded>,
    batch: SpanBatch,
    resource: Resource,
    exporter: Built,
    dropped: Counter,
    ended: Shutdown,
}

impl Traces {
    /// Starts the export in the world of `env`, whose own spans are not recorded.
    pub(super) fn start(
        env: Environment,
        (batch, destination): (&SpanBatch, &SpanDestination),
        root_ratio: f64,
        resource: Resource,
    ) -> anyhow::Result<(Self, Tracer)> {
        let (clock, scope, share) = (env.clock, env.scope.child("export"), share(&env.budget));
        let dropped = env.metrics.counter(
            "tidegate_spans_dropped",
            "Own spans that found no room or were not taken by their destination.",
            Vec::new(),
        );
        let Blueprint::Exporter(blueprint) =
            blueprint(Kind::Exporter, &env.id, &yaml(destination))?
        else {
            anyhow::bail!("`{}` is not an exporter", env.id)
        };
        let exporter = blueprint.build(env)?;
        let ends = Ends { from: "spans", to: "the export of own spans" };
        let (sender, records) = channel::bounded(ends, batch.max_queue_size);
        let tracer = Tracer::new(root_ratio, share, sender, dropped.clone());
        let (ending, ended) = shutdown::signal();
        let (batch, built) = (batch.clone(), exporter.clone());
        let export = Export { clock, records, batch, resource, exporter: built, dropped, ended };
        scope.spawn("batches", export.run()).detach();
        Ok((Self { clock, scope, exporter, ending }, tracer))
    }

    /// Exports what is left.
    pub(super) async fn end(self, deadline: Instant) {
        self.ending.begin(deadline);
        self.exporter.component.drain(deadline);
        let left = deadline.saturating_duration_since(self.clock.now());
        self.scope.idle_by(self.clock, self.clock.now() + left / 2).await;
        self.exporter.component.close(deadline).await;
    }
}

impl Export {
    async fn run(mut self) {
        loop {
            let first = tokio::select! {
                first = self.records.recv() => first,
                _ = self.ended.begun() => self.records.try_recv(),
            };
            let Some(first) = first else { return };
            let batch = self.gather(first).await;
            self.send(batch).await;
        }
    }

    /// The spans of one export: all that come in time.
    async fn gather(&mut self, first: Recorded) -> Vec<Recorded> {
        let mut batch = vec![first];
        let until = self.clock.now() + Duration::from_millis(self.batch.schedule_delay);
        while batch.len() < self.batch.max_export_batch_size {
            let next = tokio::select! {
                next = self.clock.by(until, self.records.recv()) => next.ok().flatten(),
                _ = self.ended.begun() => self.records.try_recv(),
            };
            let Some(next) = next else { break };
            batch.push(next);
        }
        batch
    }

    async fn send(&self, batch: Vec<Recorded>) {
        let count = batch.len();
        let encoded = spans::encode(&self.resource, batch.iter().map(|recorded| &recorded.record));
        let Ok(payload) = Payload::parse(Signal::Traces, encoded.into()) else {
            return self.dropped.add(count as u64);
        };
        // From here on the exporter's own share holds them.
        drop(batch);
        let timeout = self.clock.now() + Duration::from_millis(self.batch.export_timeout);
        let deadline = self.ended.deadline().map_or(timeout, |end| end.min(timeout));
        let (envelope, waiter) = unsampled(payload, deadline);
        pipeline::consume(self.exporter.consumer.as_ref(), envelope);
        let answer = waiter.wait_until(self.clock, deadline).await.map(|one| one.answer());
        if !matches!(answer, Some(Answer::Delivered { .. })) {
            tracing::warn!(spans = count, ?answer, "Own spans were not delivered.");
            self.dropped.add(count as u64);
        }
    }
}

/// The request for an export that nobody records.
fn unsampled(payload: Payload, deadline: Instant) -> (Envelope, Waiter) {
    let (mut envelope, waiter) = Envelope::of_one(payload, deadline);
    envelope.contributors.iter_mut().for_each(|one| one.trace = Some(UNSAMPLED));
    (envelope, waiter)
}

/// The exporter that speaks `protocol`.
pub(super) fn exporter_id(protocol: SpanProtocol) -> anyhow::Result<ComponentId> {
    Ok(ComponentId::from_str(match protocol {
        SpanProtocol::Http => "otlphttp/own-spans",
        SpanProtocol::Grpc => "otlp/own-spans",
    })?)
}

/// The words of the product's exporter for a destination of spans; JSON is YAML.
fn yaml(destination: &SpanDestination) -> String {
    let headers = destination.headers.iter();
    let headers: Map<String, Value> =
        headers.map(|(name, value)| (name.to_owned(), value.expose().into())).collect();
    let compression = Some(destination.compression.as_str()).filter(|name| !name.is_empty());
    let is_plain = destination.insecure || destination.endpoint.starts_with("http://");
    let mut tls = json!({ "insecure": is_plain });
    for (key, path) in [
        ("ca_file", &destination.certificate),
        ("cert_file", &destination.client_certificate),
        ("key_file", &destination.client_key),
    ] {
        if !path.is_empty() {
            tls[key] = path.as_str().into();
        }
    }
    let mut words = json!({
        "headers": headers,
        "compression": compression.unwrap_or("none"),
        "timeout": format!("{}ms", destination.timeout.unwrap_or(10_000)),
        "tls": tls,
    });
    match destination.protocol {
        SpanProtocol::Grpc => words["endpoint"] = destination.endpoint.as_str().into(),
        SpanProtocol::Http => words["traces_endpoint"] = traces_url(destination).into(),
    }
    words.to_string()
}

/// The URL that spans are posted to.
fn traces_url(destination: &SpanDestination) -> String {
    let endpoint = destination.endpoint.as_str();
    let scheme = if destination.insecure { "http://" } else { "https://" };
    let is_url = endpoint.contains("://");
    let url = if is_url { endpoint.to_owned() } else { format!("{scheme}{endpoint}") };
    let host = url.split_once("://").map_or("", |(_, host)| host);
    match host.split_once('/') {
        Some((_, path)) if !path.is_empty() => url,
        _ => format!("{}/v1/traces", url.trim_end_matches('/')),
    }
}

/// Own spans never hold what the data needs.
fn share(budget: &Budget) -> Budget {
    budget.child("own spans", SHARE_MAX.min(budget.bytes_max() / 16))
}

#[cfg(test)]
mod tests;
