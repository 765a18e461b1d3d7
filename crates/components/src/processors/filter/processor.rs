//! The edit behind the `filter` processor.

use std::ops::Range;
use std::sync::Arc;

use pipeline::factory::{Plans, ProcessorBlueprint};
use pipeline::{Built, Code, Envelope, Environment, Outlet, StartError, Status, Verdict};
use runtime::metrics::Counter;
use wire::{Payload, Signal, edit};

use super::condition::{Context, EvaluationError};
use super::config::{ErrorMode, Settings};
use super::narrow::{self, compose};
use super::rules::{Evaluation, Rule, about};
use crate::processors::matching::Selection;
use crate::processors::stage::{Edit, Stage};

impl Plans for Settings {}

impl ProcessorBlueprint for Settings {
    fn build(&self, env: Environment, next: Outlet) -> Result<Built, StartError> {
        let signal = env.signal.unwrap_or(Signal::Logs);
        let (outer, inner, selection) = match signal {
            Signal::Logs => (None, Some(Context::LogRecord), &self.logs),
            Signal::Traces => (None, Some(Context::Span), &self.spans),
            Signal::Metrics => (Some(Context::Metric), Some(Context::Datapoint), &self.metrics),
            Signal::Profiles => (None, Some(Context::Profile), &Selection::default()),
        };
        selection.check(signal).map_err(StartError::new)?;
        let rules = |context: Option<Context>| {
            context.map_or_else(Vec::new, |context| about(&self.rules, context))
        };
        let filtered = env.metrics.counter(
            counter_name(signal),
            "Items that the filter dropped.",
            vec![("filter", env.id.to_string())],
        );
        let edit = Filter {
            error_mode: self.error_mode,
            metrics: rules(outer),
            items: rules(inner),
            events: match signal {
                Signal::Traces => about(&self.rules, Context::SpanEvent),
                _ => Vec::new(),
            },
            selection: selection.clone(),
            filtered,
        };
        Ok(Built::stateless(Arc::new(Stage { edit, next })))
    }
}

fn counter_name(signal: Signal) -> &'static str {
    match signal {
        Signal::Logs => "otelcol_processor_filter_logs_filtered",
        Signal::Traces => "otelcol_processor_filter_spans_filtered",
        Signal::Metrics => "otelcol_processor_filter_datapoints_filtered",
        Signal::Profiles => "otelcol_processor_filter_profiles_filtered",
    }
}

/// The rules for the payloads of one signal.
#[derive(Debug)]
struct Filter {
    error_mode: ErrorMode,
    metrics: Vec<Rule>,
    items: Vec<Rule>,
    events: Vec<Rule>,
    selection: Selection,
    filtered: Counter,
}

impl Edit for Filter {
    fn edit(&self, envelope: Envelope) -> Option<Envelope> {
        let before = envelope.payload.items();
        let (payload, kept) = match self.filtered(&envelope.payload) {
            Ok(filtered) => filtered,
            Err(error) => {
                let message = format!("filter: {error}");
                let status = Status::new(Code::InvalidArgument, message);
                envelope.answer_all(&Verdict::Refused(status));
                return None;
            }
        };
        self.filtered.add((before - payload.items()) as u64);
        let contributors = match payload.items() == before {
            true => envelope.contributors,
            false => narrow::contributors(envelope.contributors, &kept),
        };
        let context = envelope.context;
        (!payload.is_empty()).then_some(Envelope { payload, context, contributors })
    }
}

impl Filter {
    /// The payload without what is dropped, and the ranges of its items that stay.
    fn filtered(&self, payload: &Payload) -> Result<(Payload, Vec<Range<usize>>), EvaluationError> {
        let is_metrics = payload.signal() == Signal::Metrics;
        let mut selecting = self.selection.start();
        let mut metrics = Evaluation::new(&self.metrics, payload);
        let mut items = Evaluation::new(&self.items, payload);
        let mut events = Evaluation::new(&self.events, payload);
        let mut current = payload.clone();
        let mut kept: Vec<Range<usize>> = std::iter::once(0..payload.items()).collect();
        if is_metrics && (!self.metrics.is_empty() || !self.selection.is_empty()) {
            (current, kept) = edit::retain_metrics(&current, |place| {
                selecting.takes(place) && !metrics.drops(place)
            });
        }
        let selects_items = !is_metrics && !self.selection.is_empty();
        if !self.items.is_empty() || selects_items {
            let (remaining, inner) = edit::retain_items(&current, |place| {
                (is_metrics || selecting.takes(place)) && !items.drops(place)
            });
            kept = compose(&kept, &inner);
            current = remaining;
        }
        if !self.events.is_empty() {
            current = edit::retain_span_events(&current, |place, event| {
                !events.drops_event(place, event.encoded())
            });
        }
        let errors = [metrics, items, events].into_iter().filter_map(Evaluation::into_error);
        match (errors.into_iter().next(), self.error_mode) {
            (Some(error), ErrorMode::Propagate) => return Err(error),
            (Some(error), ErrorMode::Ignore) => {
                tracing::warn!(%error, "A condition of the filter could not be evaluated.");
            }
            (_, ErrorMode::Silent) | (None, _) => {}
        }
        Ok((current, kept))
    }
}
