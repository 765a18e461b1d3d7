//! Tally: what is told about the requests of a receiver: counters and spans, by signal.

use std::sync::Arc;

use pipeline::{Environment, Span, SpanContext, SpanKind, Tracer};
use runtime::metrics::Counter;
use wire::{Format, Signal};

use super::answer::Reply;

/// The counters and spans of one protocol of a receiver.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    signals: [Series; Signal::ALL.len()],
    tracer: Tracer,
    transport: Arc<str>,
}

#[derive(Clone, Debug)]
struct Series {
    accepted: Counter,
    refused: Counter,
    span: Arc<str>,
    /// Of accepted, refused and failed items, on the span.
    attributes: [&'static str; 3],
}

/// One request, whose items count as refused until they are accepted: also when the client leaves
/// before.
#[derive(Debug)]
pub(super) struct Counted<'a> {
    series: &'a Series,
    span: Span,
    items: u64,
    reply: Option<Reply>,
}

impl Tally {
    /// The series of the receiver of `env` for what comes by `transport`.
    pub(super) fn new(env: &Environment, transport: &str) -> Self {
        let labels = || vec![("receiver", env.id.to_string()), ("transport", transport.to_owned())];
        let signals = Signal::ALL.map(|signal| {
            let [accepted, refused, failed] = names(signal);
            let counter = |name, about| env.metrics.counter(name, about, labels());
            // As upstream, every error counts as refused; the series of failures only exists.
            let _ = counter(failed, "Items that the receiver itself failed to take over.");
            Series {
                accepted: counter(accepted, "Items that were accepted."),
                refused: counter(refused, "Items that were not accepted."),
                span: format!("receiver/{}/{}", env.id, received(signal)).into(),
                attributes: names(signal).map(|name| name.trim_start_matches(METRICS_PREFIX)),
            }
        });
        Self { signals, tracer: env.tracer.clone(), transport: transport.into() }
    }

    /// Begins to tell about a request.
    pub(super) fn begin(
        &self,
        signal: Signal,
        format: Format,
        client: Option<SpanContext>,
    ) -> Counted<'_> {
        let series = &self.signals[signal as usize];
        let mut span = self.tracer.start(&series.span, SpanKind::Server, client);
        if span.is_recording() {
            span.set("transport", &self.transport);
            let format = match format {
                Format::Protobuf => "protobuf",
                Format::Json => "json",
            };
            span.set("format", format);
        }
        Counted { series, span, items: 0, reply: None }
    }
}

impl Counted<'_> {
    /// What the request's own trace goes on with.
    pub(super) fn trace(&self) -> Option<SpanContext> {
        self.span.context()
    }

    /// The request was read.
    pub(super) fn count(&mut self, items: usize) {
        self.items = items as u64;
    }

    /// The request is answered.
    pub(super) fn end(mut self, reply: &Reply) {
        self.reply = Some(reply.clone());
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        let Series { accepted, refused, attributes, .. } = self.series;
        let is_accepted = matches!(self.reply, Some(Reply::Accepted { .. }));
        let counter = if is_accepted { accepted } else { refused };
        counter.add(self.items);
        if !self.span.is_recording() {
            return;
        }
        let taken = if is_accepted { self.items } else { 0 };
        for (key, items) in attributes.iter().zip([taken, self.items - taken, 0]) {
            self.span.set(key, items);
        }
        match &self.reply {
            Some(Reply::Accepted { .. }) => {}
            Some(Reply::TurnedAway(why)) => self.span.fail(why.message()),
            None => self.span.fail("the client left"),
        }
    }
}

/// What the names of metrics begin with, and those of attributes do not.
const METRICS_PREFIX: &str = "otelcol_receiver_";

/// The last part of a span's name, as upstream has it.
fn received(signal: Signal) -> &'static str {
    match signal {
        Signal::Logs => "LogsReceived",
        Signal::Traces => "TraceDataReceived",
        Signal::Metrics => "MetricsReceived",
        Signal::Profiles => "ProfilesReceived",
    }
}

/// The names of the accepted, refused and failed items of `signal`.
fn names(signal: Signal) -> [&'static str; 3] {
    match signal {
        Signal::Logs => [
            "otelcol_receiver_accepted_log_records",
            "otelcol_receiver_refused_log_records",
            "otelcol_receiver_failed_log_records",
        ],
        Signal::Traces => [
            "otelcol_receiver_accepted_spans",
            "otelcol_receiver_refused_spans",
            "otelcol_receiver_failed_spans",
        ],
        Signal::Metrics => [
            "otelcol_receiver_accepted_metric_points",
            "otelcol_receiver_refused_metric_points",
            "otelcol_receiver_failed_metric_points",
        ],
        Signal::Profiles => [
            "otelcol_receiver_accepted_profile_samples",
            "otelcol_receiver_refused_profile_samples",
            "otelcol_receiver_failed_profile_samples",
        ],
    }
}
