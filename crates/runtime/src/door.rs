//! Door: admission at the edge; who finds no room waits here, fairly and not for long.
//!
//! Who finds room while nobody waits is admitted at once. Else peers are admitted in turn (deficit
//! round robin) as bytes go back to the budget. Owner of the line: the door, behind one lock; a task
//! of its own admits from it. Bounds: waiters in number and bytes, each for a quarter of its time.

mod queue;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::budget::{Budget, CHARGE_MIN, Freed, Permit};
use crate::channel::{self, Ends, OnceReceiver, OnceSender};
use crate::clock::Clock;
use crate::random::Random;
use crate::task::{Scope, Task};
use crate::waits::{self, Kind, What};

use queue::{Queue, Ticket};

/// The limits of one door.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many may wait.
    pub waiters_max: usize,
    /// How many bytes they may wait for, together.
    pub bytes_max: usize,
    /// The delay that is asked of those turned away, before jitter.
    pub retry_after: Duration,
}

/// Why a request was turned away, and when to come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Turned {
    pub reason: Reason,
    pub retry_after: Duration,
}

/// Why a request was turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    #[error("too many requests wait for memory")]
    Crowded,
    #[error("no memory became free in time")]
    Late,
    #[error("the request needs more memory than there is")]
    Never,
    #[error("shutting down")]
    Closed,
}

/// Admits requests to a budget. Clones are the same door.
#[derive(Clone)]
pub struct Door {
    shared: Arc<Shared>,
    /// Ends with the last clone.
    _porter: Arc<Task<()>>,
}

struct Shared {
    clock: Clock,
    budget: Budget,
    limits: Limits,
    random: Random,
    freed: Freed,
    line: Mutex<Line>,
}

struct Line {
    queue: Queue,
    waiting: HashMap<Ticket, OnceSender<Permit>>,
    is_closed: bool,
}

const ENDS: Ends = Ends { from: "door", to: "request at the door" };

impl Default for Limits {
    fn default() -> Self {
        Self { waiters_max: 1_000, bytes_max: 64 << 20, retry_after: Duration::from_secs(1) }
    }
}

impl Turned {
    /// Whether the request can never be admitted, however often it comes.
    #[must_use]
    pub fn is_never(&self) -> bool {
        self.reason == Reason::Never
    }
}

impl Door {
    /// A door to `budget`, which may have other doors and users.
    #[must_use]
    pub fn new(clock: Clock, scope: &Scope, budget: Budget, limits: Limits) -> Self {
        let line = Line {
            queue: Queue::new(limits.waiters_max, limits.bytes_max),
            waiting: HashMap::new(),
            is_closed: false,
        };
        let (freed, random) = (budget.freed(), Random::entropy());
        let line = Mutex::new(line);
        let shared = Arc::new(Shared { clock, budget, limits, random, freed, line });
        let porter = scope.spawn("door", admit_as_freed(Arc::clone(&shared)));
        Self { shared, _porter: Arc::new(porter) }
    }

    /// Asks for `bytes` on behalf of `peer`, whose answer is due at `deadline`: waits for a quarter
    /// of the time until then at most.
    pub async fn enter(
        &self,
        peer: &str,
        bytes: usize,
        deadline: Instant,
    ) -> Result<Permit, Turned> {
        let mut place = match self.shared.ask(peer, bytes)? {
            Asked::Admitted(permit) => return Ok(permit),
            Asked::Waiting(place) => place,
        };
        let clock = self.shared.clock;
        let now = clock.now();
        let until = now + deadline.saturating_duration_since(now) / 4;
        match clock.by(until, place.granted.recv()).await {
            Ok(Some(permit)) => Ok(permit),
            Ok(None) => Err(self.shared.turned(Reason::Closed)),
            Err(_) => place.leave().ok_or_else(|| self.shared.turned(Reason::Late)),
        }
    }

    /// Turns away who waits and who comes from now on.
    pub fn close(&self) {
        let waiting = {
            let mut line = self.shared.line();
            line.is_closed = true;
            let tickets: Vec<Ticket> = line.waiting.keys().copied().collect();
            for ticket in tickets {
                line.queue.remove(ticket);
            }
            self.shared.freed.ignore();
            std::mem::take(&mut line.waiting)
        };
        drop(waiting);
    }

    /// How many wait, and for how many bytes together.
    #[must_use]
    pub fn waiting(&self) -> (usize, usize) {
        let line = self.shared.line();
        (line.queue.waiters(), line.queue.bytes())
    }

    /// The budget behind the door.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.shared.budget
    }
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (waiters, bytes) = self.waiting();
        write!(f, "Door({:?}, {waiters} wait for {bytes} bytes)", self.shared.budget)
    }
}

/// What became of a request at first.
enum Asked {
    Admitted(Permit),
    Waiting(Place),
}

/// A place in the line; left when dropped.
struct Place {
    shared: Arc<Shared>,
    ticket: Ticket,
    granted: OnceReceiver<Permit>,
}

impl Place {
    /// Leaves the line; a permit that was granted at the last moment is not lost.
    fn leave(&mut self) -> Option<Permit> {
        self.shared.remove(self.ticket);
        self.granted.try_recv()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shared.remove(self.ticket);
    }
}

impl Shared {
    fn ask(self: &Arc<Self>, peer: &str, bytes: usize) -> Result<Asked, Turned> {
        let mut line = self.line();
        if line.is_closed {
            return Err(self.turned(Reason::Closed));
        }
        if line.queue.is_empty()
            && let Some(permit) = self.budget.try_take(bytes)
        {
            return Ok(Asked::Admitted(permit));
        }
        if self.budget.bytes_ever() < bytes.max(CHARGE_MIN) {
            return Err(self.turned(Reason::Never));
        }
        let pushed = line.queue.push(peer, bytes.max(CHARGE_MIN));
        let ticket = pushed.ok_or_else(|| self.turned(Reason::Crowded))?;
        let (sender, granted) = channel::once(ENDS);
        line.waiting.insert(ticket, sender);
        if self.freed.listen() {
            // Bytes that went back since the attempt above woke nobody: look once more.
            self.freed.nudge();
        }
        Ok(Asked::Waiting(Place { shared: Arc::clone(self), ticket, granted }))
    }

    /// Admits, in turn, all for whom there is room.
    fn admit(&self) {
        while let Some((sender, permit)) = self.admit_first() {
            // Who left in between drops the permit, which frees the bytes for the next.
            drop(sender.send(permit));
        }
    }

    fn admit_first(&self) -> Option<(OnceSender<Permit>, Permit)> {
        let mut line = self.line();
        let Some((ticket, bytes)) = line.queue.first() else {
            self.freed.ignore();
            return None;
        };
        let permit = self.budget.try_take(bytes)?;
        line.queue.admitted(ticket);
        let sender = line.waiting.remove(&ticket).expect("who stands in line waits for an answer");
        Some((sender, permit))
    }

    /// Takes one who no longer waits out of the line; the next may need less room.
    fn remove(&self, ticket: Ticket) {
        let mut line = self.line();
        let was_waiting = line.waiting.remove(&ticket).is_some();
        line.queue.remove(ticket);
        drop(line);
        if was_waiting {
            self.freed.nudge();
        }
    }

    fn turned(&self, reason: Reason) -> Turned {
        Turned { reason, retry_after: self.random.jittered(self.limits.retry_after, 0.25) }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The porter: admits whenever bytes go back. Cancelled with the last clone of the door.
async fn admit_as_freed(door: Arc<Shared>) {
    let what = What { kind: Kind::Memory, served_by: "permits", on_behalf_of: "door" };
    loop {
        waits::observed(what, door.freed.wait()).await;
        door.admit();
    }
}

#[cfg(test)]
mod tests;
