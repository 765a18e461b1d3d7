//! Road: hands each request over directly, with a timeout and retries.
//!
//! Owner of what is under way: one task for each request. Bounds: the memory of the process.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use pipeline::{
    Built, Code, Component, Consumer, Envelope, Environment, Need, Outcome, Refusal, Reservation,
    Status, Verdict,
};
use runtime::clock::Clock;
use runtime::shutdown::{self, Shutdown, Trigger};
use runtime::task::Scope;

use crate::settings::{Retry, Settings};
use crate::{Attempt, Destination, Reply};

/// Starts the road to `destination`.
pub fn start(env: &Environment, settings: Settings, destination: impl Destination) -> Built {
    let (trigger, shutdown) = shutdown::signal();
    let scope = env.scope.child("delivery");
    let shared = Shared { destination, settings, clock: env.clock, shutdown };
    let road = Road { shared: Arc::new(shared), scope: scope.clone() };
    let component = Ending { trigger, scope, clock: env.clock };
    Built { component: Arc::new(component), consumer: Arc::new(road) }
}

#[derive(Debug)]
struct Ending {
    trigger: Trigger,
    scope: Scope,
    clock: Clock,
}

impl Component for Ending {
    fn drain(&self, deadline: Instant) {
        self.trigger.begin(deadline);
    }

    fn close(&self, deadline: Instant) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.trigger.begin(deadline);
            self.scope.idle_by(self.clock, deadline).await;
        })
    }
}

struct Road<D> {
    shared: Arc<Shared<D>>,
    scope: Scope,
}

struct Shared<D> {
    destination: D,
    settings: Settings,
    clock: Clock,
    shutdown: Shutdown,
}

impl<D> std::fmt::Debug for Road<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Road({})", self.scope.name())
    }
}

impl<D: Destination> Consumer for Road<D> {
    fn reserve(&self, _need: &Need<'_>) -> Result<Reservation, Refusal> {
        if self.shared.shutdown.deadline().is_some() {
            return Err(Refusal::busy(Duration::from_secs(1), "the collector is shutting down"));
        }
        Ok(Reservation::Nothing)
    }

    fn commit(&self, envelope: Envelope, _reservation: Reservation) {
        let shared = Arc::clone(&self.shared);
        let task = self.scope.spawn("send", async move { shared.deliver(envelope).await });
        task.detach();
    }
}

impl<D: Destination> Shared<D> {
    async fn deliver(&self, envelope: Envelope) {
        let Some(deadline) = envelope.deadline() else { return };
        let started = self.clock.now();
        let mut interval = self.settings.retry.map_or(Duration::ZERO, |r| r.initial_interval);
        let mut number = 1;
        let reply = loop {
            let reply = self.attempt(&envelope, number, deadline).await;
            let Some(retry) = self.settings.retry else { break reply };
            let asked = match &reply.verdict {
                Verdict::RetryAfter { delay, .. } => delay.unwrap_or_default(),
                Verdict::Unknown(_) => Duration::ZERO,
                _ => break reply,
            };
            let next = self.clock.now() + interval.max(asked);
            let is_over = retry.max_elapsed_time.is_some_and(|max| started + max < next);
            if is_over || deadline <= next || self.shutdown.deadline().is_some() {
                break reply;
            }
            self.clock.sleep_until(next).await;
            interval = longer(interval, retry);
            number += 1;
        };
        answer(envelope, reply);
    }

    async fn attempt(&self, envelope: &Envelope, number: u32, deadline: Instant) -> Reply {
        let now = self.clock.now();
        let deadline = self.settings.timeout.map_or(deadline, |t| deadline.min(now + t));
        let attempt = Attempt {
            payload: envelope.payload.clone(),
            context: envelope.context.clone(),
            deadline,
            trace: envelope.contributors.first().and_then(|one| one.trace),
            number,
        };
        let sent = self.clock.by(deadline, self.destination.send(attempt)).await;
        sent.unwrap_or_else(|_| {
            let status = Status::new(Code::DeadlineExceeded, "the destination did not answer");
            Verdict::Unknown(status).into()
        })
    }
}

fn longer(interval: Duration, retry: Retry) -> Duration {
    let secs = interval.as_secs_f64() * retry.multiplier;
    Duration::try_from_secs_f64(secs).unwrap_or(retry.max_interval).min(retry.max_interval)
}

fn answer(envelope: Envelope, reply: Reply) {
    let is_sole = envelope.contributors.len() == 1;
    for contributor in envelope.contributors {
        let outcome = Outcome {
            rejected: if is_sole { reply.rejected } else { 0 },
            warning: reply.warning.clone(),
            ..Outcome::all(contributor.receipt.items(), reply.verdict.clone())
        };
        contributor.receipt.answer(outcome);
    }
}
