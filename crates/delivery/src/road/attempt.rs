//! Attempt: one try to send one batch, in a task of its own.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;

use pipeline::{Code, Status, Verdict};
use runtime::clock::Clock;
use runtime::task::{Scope, Task};

use super::courier::Courier;
use super::load::{self, Load};
use super::{Signal, ToOwner};
use crate::engine::{AttemptId, Ending};
use crate::{Attempt, Destination, Reply};

/// Carries loads to a destination.
pub(super) struct ToDestination<D> {
    destination: Arc<D>,
    clock: Clock,
    scope: Scope,
    post: ToOwner,
    running: BTreeMap<AttemptId, Task<()>>,
}

/// Says that the attempt ended, also when its task panics.
struct Guard {
    attempt: AttemptId,
    post: ToOwner,
    ending: Option<Ending>,
}

impl<D: Destination> ToDestination<D> {
    pub(super) fn new(destination: Arc<D>, clock: Clock, scope: Scope, post: ToOwner) -> Self {
        Self { destination, clock, scope, post, running: BTreeMap::new() }
    }
}

impl<D: Destination> Courier for ToDestination<D> {
    fn start(&mut self, load: Load) {
        let attempt = load.attempt;
        let guard = Guard { attempt, post: self.post.clone(), ending: None };
        let future = carry(Arc::clone(&self.destination), self.clock, load, guard);
        self.running.insert(attempt, self.scope.spawn("attempt", future));
    }

    fn withdraw(&mut self, _attempt: AttemptId, _part: usize) {}

    fn ended(&mut self, attempt: AttemptId) {
        if let Some(task) = self.running.remove(&attempt) {
            // It has nothing left to do but to end.
            task.detach();
        }
    }

    fn abort(&mut self, attempt: AttemptId) {
        self.running.remove(&attempt);
    }
}

async fn carry<D: Destination>(destination: Arc<D>, clock: Clock, load: Load, mut guard: Guard) {
    let Load { sources, target, context, trace, deadline, number, .. } = load;
    let Some(payload) = load::join(sources) else { return };
    let attempt = Attempt { payload, target, context, deadline, trace, number };
    // Pinned where it is: it is large, and would be moved.
    let sending = pin!(destination.send(attempt));
    let reply = clock.by(deadline, sending).await;
    guard.ending = Some(Ending::Reply(reply.unwrap_or_else(|_| no_answer())));
}

fn no_answer() -> Reply {
    let message = "the destination did not answer in time";
    Verdict::Unknown(Status::new(Code::DeadlineExceeded, message)).into()
}

impl Drop for Guard {
    fn drop(&mut self) {
        let ending = self.ending.take().unwrap_or(Ending::Lost);
        self.post.signal(Signal::Ended(self.attempt, ending));
    }
}
