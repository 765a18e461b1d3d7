//! The consumer behind the `memory_limiter` processor.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pipeline::factory::{Plans, ProcessorBlueprint};
use pipeline::{
    Built, Code, Consumer, Envelope, Environment, Need, Outlet, Refusal, Reservation, StartError,
    Status,
};
use runtime::budget::Budget;
use runtime::host;
use runtime::metrics::{Counter, Registry};
use wire::Signal;

use super::config::{Limit, Limits, Settings};

impl Plans for Settings {
    fn memory_limit(&self) -> Option<usize> {
        Some(self.limit.of(host::memory_max_bytes()).hard_bytes)
    }
}

impl ProcessorBlueprint for Settings {
    fn build(&self, env: Environment, next: Outlet) -> Result<Built, StartError> {
        let counters = Counters::new(&env.metrics, &env.id.to_string());
        let measured = Measured::of(self.limit, &env.budget);
        Ok(Built::stateless(Arc::new(Limiter {
            limit: self.limit,
            measured: Mutex::new(measured),
            retry_delay: self.retry_delay,
            budget: env.budget,
            counters,
            next,
        })))
    }
}

/// Lets through what the soft limit has room for.
#[derive(Debug)]
struct Limiter {
    limit: Limit,
    measured: Mutex<Measured>,
    retry_delay: Duration,
    budget: Budget,
    counters: Counters,
    next: Outlet,
}

/// What the limit came to when the process was allowed so much.
#[derive(Clone, Copy, Debug)]
struct Measured {
    limits: Limits,
    process_bytes_max: usize,
}

impl Measured {
    fn of(limit: Limit, budget: &Budget) -> Self {
        let limits = limit.of(host::memory_max_bytes());
        Self { limits, process_bytes_max: budget.bytes_max() }
    }
}

impl Consumer for Limiter {
    fn reserve(&self, need: &Need<'_>) -> Result<Reservation, Refusal> {
        let checked = self.check(need);
        if checked.is_err() {
            self.counters.of(need.signal).refused.add(need.items as u64);
        }
        checked.and_then(|()| self.next.reserve(need))
    }

    fn commit(&self, envelope: Envelope, reservation: Reservation) {
        let items = envelope.payload.items() as u64;
        self.counters.of(envelope.payload.signal()).accepted.add(items);
        self.next.commit(envelope, reservation);
    }
}

impl Limiter {
    /// The limits now: a reload may find the machine, or the cgroup, with another size.
    fn limits(&self) -> Limits {
        let mut measured = self.measured.lock().unwrap_or_else(PoisonError::into_inner);
        if measured.process_bytes_max != self.budget.bytes_max() {
            *measured = Measured::of(self.limit, &self.budget);
        }
        measured.limits
    }

    fn check(&self, need: &Need<'_>) -> Result<(), Refusal> {
        let Limits { hard_bytes, soft_bytes } = self.limits();
        if hard_bytes < need.bytes {
            let message = format!("a request of {} bytes never fits {hard_bytes}", need.bytes);
            return Err(Refusal::never(Status::new(Code::ResourceExhausted, message)));
        }
        // What asks is charged already. Alone it may pass the soft limit, or it could never pass.
        let used = self.budget.bytes_used();
        if used <= soft_bytes.max(need.bytes) {
            return Ok(());
        }
        let message = format!("data holds {used} bytes, more than the soft limit {soft_bytes}");
        Err(Refusal::busy(self.retry_delay, message))
    }
}

/// Items that went through and that were turned away, for each signal.
#[derive(Debug)]
struct Counters(Vec<(Signal, Passage)>);

#[derive(Debug)]
struct Passage {
    accepted: Counter,
    refused: Counter,
}

impl Counters {
    fn new(metrics: &Registry, id: &str) -> Self {
        let counter =
            |name, about| metrics.counter(name, about, vec![("processor", id.to_owned())]);
        let passage = |signal| {
            let (accepted, refused) = names(signal);
            Passage {
                accepted: counter(accepted, "Items that the processor let through."),
                refused: counter(refused, "Items that the processor turned away."),
            }
        };
        Self(Signal::ALL.into_iter().map(|signal| (signal, passage(signal))).collect())
    }

    fn of(&self, signal: Signal) -> &Passage {
        let (_, passage) =
            self.0.iter().find(|(of, _)| *of == signal).expect("all signals are counted");
        passage
    }
}

fn names(signal: Signal) -> (&'static str, &'static str) {
    match signal {
        Signal::Logs => {
            ("otelcol_processor_accepted_log_records", "otelcol_processor_refused_log_records")
        }
        Signal::Traces => ("otelcol_processor_accepted_spans", "otelcol_processor_refused_spans"),
        Signal::Metrics => {
            ("otelcol_processor_accepted_metric_points", "otelcol_processor_refused_metric_points")
        }
        Signal::Profiles => (
            "otelcol_processor_accepted_profile_samples",
            "otelcol_processor_refused_profile_samples",
        ),
    }
}
