//! Load: the callers of the generator and the numbers they share.
//!
//! ```text
//! caller 1 ─┐                       ┌─ exporter of connection 1 ──▶ endpoint
//! caller 2 ─┼─ next request number  ┤
//! caller n ─┘   (and its due time)  └─ exporter of connection m ──▶ endpoint
//! ```

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use pipeline::{Answer, Built};
use runtime::clock::Clock;
use runtime::shutdown::{self, Shutdown, Trigger};
use runtime::task::Task;
use wire::{Payload, Signal};

use super::GenerateOptions;
use super::tally::{Summary, Tally};
use super::template::{Shape, Template};
use crate::bench_world::BenchWorld;
use crate::destination::send;

/// How long a caller of a closed loop waits after it was not served, whatever it was told.
const PAUSE: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// A load that is being sent.
#[derive(Debug)]
pub(crate) struct Load {
    world: BenchWorld,
    shared: Arc<Shared>,
    callers: Vec<Task<()>>,
    exporters: Vec<Built>,
    end: Trigger,
}

#[derive(Debug)]
struct Shared {
    clock: Clock,
    started: Instant,
    templates: Vec<(Signal, Template)>,
    items: u64,
    /// Time between the requests of an open loop.
    interval: Option<Duration>,
    timeout: Duration,
    requests_max: u64,
    next_request: AtomicU64,
    acknowledged_items: AtomicU64,
    end: Shutdown,
    run: String,
    tally: Mutex<Tally>,
}

impl Load {
    /// Opens the connections and starts the callers.
    pub(crate) fn start(world: &BenchWorld, options: &GenerateOptions) -> anyhow::Result<Self> {
        let open = |number: u16| options.destination.exporter(world, &number.to_string());
        let exporters = (0..options.connections).map(open).collect::<anyhow::Result<Vec<_>>>()?;
        let (trigger, end) = shutdown::signal();
        let shared = Arc::new(Shared::of(world, options, end));
        let scope = world.scope.child("generate");
        let callers = exporters.iter().flat_map(|exporter| {
            (0..options.concurrency).map(|_| {
                let caller = Arc::clone(&shared).call(exporter.clone());
                scope.spawn("caller", caller)
            })
        });
        let callers = callers.collect();
        Ok(Self { world: world.clone(), shared, callers, exporters, end: trigger })
    }

    /// A view of the load while it is sent.
    pub(crate) fn progress(&self) -> Progress {
        Progress(Arc::clone(&self.shared))
    }

    /// The name under which the items are numbered.
    pub(crate) fn run_name(&self) -> String {
        self.shared.run.clone()
    }

    /// Sends until `ended`, or until all requests were sent; then waits for the last answers.
    pub(crate) async fn until(
        mut self,
        ended: impl Future<Output = anyhow::Result<()>>,
    ) -> anyhow::Result<Summary> {
        let callers = join_all(std::mem::take(&mut self.callers));
        tokio::pin!(callers, ended);
        let result = tokio::select! {
            _ = &mut callers => Ok(()),
            result = &mut ended => {
                self.end.begin(self.world.clock.now() + self.shared.timeout);
                callers.await;
                result
            }
        };
        let took = self.world.clock.now().saturating_duration_since(self.shared.started);
        let deadline = self.world.clock.now() + self.shared.timeout;
        for exporter in &self.exporters {
            exporter.component.drain(deadline);
            exporter.component.close(deadline).await;
        }
        result.map(|()| self.shared.lock().summary(took))
    }
}

/// Tells how far a load is.
#[derive(Clone, Debug)]
pub(crate) struct Progress(Arc<Shared>);

impl Progress {
    pub(crate) fn acknowledged_items(&self) -> u64 {
        self.0.acknowledged_items.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn of(world: &BenchWorld, options: &GenerateOptions, end: Shutdown) -> Self {
        let run = new_run_name(world);
        let wall = world.clock.wall().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let template = |name: &super::SignalName| {
            let signal = Signal::from(*name);
            let shape = Shape {
                signal,
                items: options.items as usize,
                item_bytes: options.item_bytes as usize,
                run: &run,
                time: u64::try_from(wall.as_nanos()).unwrap_or(0),
            };
            (signal, Template::of(&shape))
        };
        let items = u64::from(options.items);
        let per_request = |rate: u64| Duration::from_secs_f64(items as f64 / rate.max(1) as f64);
        Self {
            clock: world.clock,
            started: world.clock.now(),
            templates: options.signal.iter().map(template).collect(),
            items,
            interval: options.rate.map(per_request),
            timeout: Duration::from_secs(options.destination.timeout),
            requests_max: options.requests.unwrap_or(u64::MAX),
            next_request: AtomicU64::new(0),
            acknowledged_items: AtomicU64::new(0),
            end,
            tally: Mutex::new(Tally::default()),
            run,
        }
    }

    /// The life of one caller: one request at a time.
    async fn call(self: Arc<Self>, exporter: Built) {
        while let Some((number, due)) = self.next().await {
            let first = number * self.items;
            let (signal, template) = &self.templates[self.template_of(number)];
            let request = template.fill(first);
            self.lock().sent(self.items, request.len());
            let answer = match Payload::parse(*signal, request.into()) {
                Ok(payload) => send(self.clock, &exporter, payload, self.timeout).await,
                Err(_) => None,
            };
            if matches!(answer, Some(Answer::Delivered { .. })) {
                self.acknowledged_items.fetch_add(self.items, Ordering::Relaxed);
            }
            let took = self.clock.now().saturating_duration_since(due);
            let pause = self.pause_after(answer.as_ref());
            self.lock().count(first, self.items, answer, took);
            if let Some(pause) = pause {
                tokio::select! {
                    _ = self.end.begun() => return,
                    () = self.clock.sleep(pause) => {}
                }
            }
        }
    }

    /// In a closed loop, how long to wait before the next request: as clients do that were told to
    /// come again, and so that an endpoint where nobody is does not cost a whole CPU.
    fn pause_after(&self, answer: Option<&Answer>) -> Option<Duration> {
        match answer {
            _ if self.interval.is_some() => None,
            Some(Answer::Delivered { .. } | Answer::Refused(_)) => None,
            Some(Answer::RetryAfter { delay, .. }) => {
                Some(delay.unwrap_or(PAUSE).clamp(PAUSE, PAUSE_MAX))
            }
            Some(Answer::Unknown(_)) | None => Some(PAUSE),
        }
    }

    /// The next request's number and when it is due: its latency counts from then.
    async fn next(&self) -> Option<(u64, Instant)> {
        let number = self.next_request.fetch_add(1, Ordering::Relaxed);
        if self.requests_max <= number || self.end.deadline().is_some() {
            return None;
        }
        let Some(interval) = self.interval else { return Some((number, self.clock.now())) };
        let due = self.started + interval.mul_f64(number as f64);
        tokio::select! {
            biased;
            _ = self.end.begun() => None,
            () = self.clock.sleep_until(due) => Some((number, due)),
        }
    }

    fn template_of(&self, number: u64) -> usize {
        usize::try_from(number % self.templates.len() as u64).unwrap_or(0)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn new_run_name(world: &BenchWorld) -> String {
    let wall = world.clock.wall().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    format!("{}-{}", wall.as_micros(), std::process::id())
}
