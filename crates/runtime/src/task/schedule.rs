//! Schedule: runs the tasks of a test one poll at a time, in an order that a seed chooses.
//!
//! Only in builds for tests (feature `schedules`). Every task that a scope spawns on this thread asks
//! before each poll whether it is its turn; who is not waits in tokio's queue. Time is tokio's, paused:
//! it moves when nothing can run. Bounds: what happens between two waits of a task is one step.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use super::Scope;
use crate::random::Random;

/// How the next task is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// Any that can run, alike.
    Random,
    /// The one with the highest of random priorities, which change at a few random steps
    /// (probabilistic concurrency testing): finds what needs few, but certain, changes of order.
    Priorities { changes: usize },
}

/// The steps among which the changes of priority lie.
const CHANGES_WITHIN: u64 = 200;
/// When a scenario that has not ended is stuck, in its own time.
const SCENARIO_MAX: Duration = Duration::from_hours(24);

thread_local! {
    static CURRENT: RefCell<Option<Arc<Mutex<Turns>>>> = const { RefCell::new(None) };
}

struct Turns {
    random: Random,
    strategy: Strategy,
    seats: BTreeMap<u64, Seat>,
    next: u64,
    chosen: Option<u64>,
    steps: u64,
    changes: Vec<u64>,
}

struct Seat {
    can_run: bool,
    priority: u64,
}

/// Runs `scenario` as a task of a root scope to its end; gives the number of steps it took. Panics
/// if it panics, or if it is stuck.
pub fn run<F>(seed: u64, strategy: Strategy, scenario: impl FnOnce(Scope) -> F) -> u64
where
    F: Future<Output = ()> + Send + 'static,
{
    let turns = Arc::new(Mutex::new(Turns::new(seed, strategy)));
    CURRENT.set(Some(Arc::clone(&turns)));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without I/O needs nothing that could be missing");
    let ended = runtime.block_on(async {
        let root = Scope::root("schedule");
        let task = root.spawn("scenario", scenario(root.clone()));
        tokio::time::timeout(SCENARIO_MAX, task).await
    });
    drop(runtime);
    CURRENT.set(None);
    match ended {
        Ok(Ok(())) => lock(&turns).steps,
        Ok(Err(_)) => panic!("the scenario panicked"),
        Err(_) => panic!("the scenario is stuck"),
    }
}

/// A seed that the schedule chooses, where the product would take one from the system.
pub(crate) fn seed() -> Option<u64> {
    CURRENT.with_borrow(|current| current.as_ref().map(|turns| lock(turns).random.number()))
}

/// The task, polled only when it is its turn, if this thread runs a schedule.
pub(super) fn scheduled<F: Future>(inner: F) -> Scheduled<F> {
    let seat = CURRENT.with_borrow(|current| {
        let turns = Arc::clone(current.as_ref()?);
        let id = lock(&turns).enter();
        let bell = Arc::new(Bell { id, turns, task: Mutex::new(None) });
        Some(bell)
    });
    Scheduled { inner: Box::pin(inner), bell: seat }
}

pub(super) struct Scheduled<F> {
    inner: Pin<Box<F>>,
    bell: Option<Arc<Bell>>,
}

/// Wakes a task, and notes that it can run.
struct Bell {
    id: u64,
    turns: Arc<Mutex<Turns>>,
    task: Mutex<Option<Waker>>,
}

impl<F: Future> Future for Scheduled<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let Some(bell) = self.bell.clone() else { return self.inner.as_mut().poll(cx) };
        *lock(&bell.task) = Some(cx.waker().clone());
        if !lock(&bell.turns).has_turn(bell.id) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let waker = Waker::from(bell);
        self.inner.as_mut().poll(&mut Context::from_waker(&waker))
    }
}

impl<F> Drop for Scheduled<F> {
    fn drop(&mut self) {
        if let Some(bell) = self.bell.take() {
            lock(&bell.turns).leave(bell.id);
        }
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(seat) = lock(&self.turns).seats.get_mut(&self.id) {
            seat.can_run = true;
        }
        let task = lock(&self.task).clone();
        if let Some(task) = task {
            task.wake();
        }
    }
}

impl Turns {
    fn new(seed: u64, strategy: Strategy) -> Self {
        let random = Random::seeded(seed);
        let changes = match strategy {
            Strategy::Random => 0,
            Strategy::Priorities { changes } => changes,
        };
        let changes = (0..changes).map(|_| random.below(CHANGES_WITHIN)).collect();
        Self { random, strategy, seats: BTreeMap::new(), next: 0, chosen: None, steps: 0, changes }
    }

    fn enter(&mut self) -> u64 {
        let id = self.next;
        self.next += 1;
        // The lowest are for those that a change puts last.
        let priority = self.random.number() | (1 << 63);
        self.seats.insert(id, Seat { can_run: true, priority });
        id
    }

    fn leave(&mut self, id: u64) {
        self.seats.remove(&id);
        self.chosen = self.chosen.filter(|chosen| *chosen != id);
    }

    /// Whether the task is the one that runs next; if so, this is its turn.
    fn has_turn(&mut self, id: u64) -> bool {
        if self.chosen.is_none() {
            self.chosen = self.choose();
        }
        if self.chosen != Some(id) {
            return false;
        }
        self.chosen = None;
        self.steps += 1;
        if let Some(seat) = self.seats.get_mut(&id) {
            seat.can_run = false;
            if self.changes.contains(&self.steps) {
                seat.priority = CHANGES_WITHIN - self.steps;
            }
        }
        true
    }

    fn choose(&self) -> Option<u64> {
        let ready = || self.seats.iter().filter(|(_, seat)| seat.can_run);
        let found = match self.strategy {
            Strategy::Random => {
                let count = u64::try_from(ready().count()).unwrap_or(u64::MAX);
                let which = (0 < count).then(|| self.random.below(count))?;
                ready().nth(usize::try_from(which).unwrap_or_default())
            }
            Strategy::Priorities { .. } => ready().max_by_key(|(_, seat)| seat.priority),
        };
        found.map(|(id, _)| *id)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
