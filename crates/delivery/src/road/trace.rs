//! Trace: the spans of one road: the stay of each contributor, and each attempt to send a batch.
//!
//! They are linked both ways, so that a batch tells whose data it carried, and a client's trace
//! tells which batches carried its data.
//! Owner: the road's. Bounds: one span for each contributor that is held and each attempt.

use std::collections::BTreeMap;
use std::sync::Arc;

use pipeline::trace::AttributeValue;
use pipeline::{Environment, Outcome, Span, SpanContext, SpanKind, Tracer, Verdict};
use wire::Signal;

use crate::engine::{AttemptId, Ending, Start};

/// Starts and ends the spans of one road.
pub(super) struct Trace {
    tracer: Tracer,
    stay: Arc<str>,
    attempts: [Arc<str>; Signal::ALL.len()],
    attempt_kind: SpanKind,
    component: (&'static str, Arc<str>),
    running: BTreeMap<AttemptId, Running>,
}

/// The span of an attempt under way.
struct Running {
    span: Span,
    items: usize,
    items_sent: u64,
}

impl Trace {
    /// The names that operators know.
    pub(super) fn of_exporter(env: &Environment) -> Self {
        let name = |signal: Signal| format!("exporter/{}/{}", env.id, signal.name()).into();
        Self {
            tracer: env.tracer.clone(),
            stay: "exporter/enqueue".into(),
            attempts: Signal::ALL.map(name),
            attempt_kind: SpanKind::Client,
            component: ("exporter", env.id.to_string().into()),
            running: BTreeMap::new(),
        }
    }

    pub(super) fn of_processor(env: &Environment) -> Self {
        let name: Arc<str> = format!("batch_processor/{}/export", env.id).into();
        Self {
            tracer: env.tracer.clone(),
            stay: format!("batch_processor/{}/enqueue", env.id).into(),
            attempts: Signal::ALL.map(|_| Arc::clone(&name)),
            attempt_kind: SpanKind::Internal,
            component: ("processor", env.id.to_string().into()),
            running: BTreeMap::new(),
        }
    }

    /// A contributor's data arrived; its span lasts until it is answered.
    pub(super) fn arrived(&self, caller: Option<SpanContext>, items: usize) -> Span {
        let mut span = self.tracer.start(&self.stay, SpanKind::Internal, caller);
        if span.is_recording() {
            span.set(self.component.0, &self.component.1);
            span.set("items", items as u64);
            span.event("Enqueued item.", Vec::new());
        }
        span
    }

    /// An attempt starts for those who stay; gives what its outgoing call carries.
    pub(super) fn started(
        &mut self,
        start: &Start,
        stays: &[Option<SpanContext>],
    ) -> Option<SpanContext> {
        let signal = start.key.signal;
        let name = &self.attempts[signal as usize];
        let mut span = self.tracer.start_for(name, self.attempt_kind, stays);
        let context = span.context();
        if span.is_recording() {
            span.set(self.component.0, &self.component.1);
            span.set("data_type", signal.name());
            let retry_number = AttributeValue::Number(u64::from(start.number) - 1);
            span.event("Sending request.", vec![("retry_num", retry_number)]);
            let running = Running { span, items: start.items, items_sent: 0 };
            self.running.insert(start.attempt, running);
        }
        context
    }

    /// The attempt ended as a whole.
    pub(super) fn ended(&mut self, attempt: AttemptId, ending: &Ending) {
        let Some(mut running) = self.running.remove(&attempt) else { return };
        match ending {
            Ending::Reply(reply) => {
                if reply.verdict == Verdict::Delivered {
                    running.items_sent = (running.items as u64).saturating_sub(reply.rejected);
                }
                running.note(&reply.verdict);
            }
            Ending::Lost => running.span.fail("the attempt ended without a reply"),
        }
        running.end();
    }

    /// A part of the attempt ended, and with the last one the attempt.
    pub(super) fn part_ended(&mut self, attempt: AttemptId, outcome: &Outcome) {
        let Some(running) = self.running.get_mut(&attempt) else { return };
        for (range, verdict) in &outcome.parts {
            if *verdict == Verdict::Delivered {
                running.items_sent += range.len() as u64;
            }
            running.note(verdict);
        }
    }

    /// Nothing more will be heard of the attempt.
    pub(super) fn closed(&mut self, attempt: AttemptId) {
        if let Some(running) = self.running.remove(&attempt) {
            running.end();
        }
    }

    /// The attempt was stopped.
    pub(super) fn aborted(&mut self, attempt: AttemptId) {
        if let Some(mut running) = self.running.remove(&attempt) {
            running.span.fail("the attempt was stopped");
            running.end();
        }
    }
}

/// How the stay of a contributor ended.
pub(super) fn answered(stay: &mut Span, outcome: &Outcome) {
    if stay.is_recording() {
        for (_, verdict) in &outcome.parts {
            note(stay, verdict);
        }
    }
}

impl Running {
    fn note(&mut self, verdict: &Verdict) {
        note(&mut self.span, verdict);
    }

    fn end(mut self) {
        self.span.set("items.sent", self.items_sent);
        self.span.set("items.failed", (self.items as u64).saturating_sub(self.items_sent));
    }
}

fn note(span: &mut Span, verdict: &Verdict) {
    match verdict {
        Verdict::Delivered => {}
        Verdict::Refused(status)
        | Verdict::Unknown(status)
        | Verdict::RetryAfter { status, .. } => span.fail(status.to_string()),
    }
}
