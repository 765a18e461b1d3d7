//! Relay: passes a batch on to the next consumer, each part under a receipt of its own, so that
//! verdicts and withdrawals stay with their callers across engines.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use pipeline::{Contributor, Envelope, Leaver, Outcome, Outlet, Receipt, Sink};
use runtime::clock::Clock;
use runtime::task::Scope;

use super::courier::Courier;
use super::load::{self, Load};
use super::{Signal, ToOwner};
use crate::engine::AttemptId;

/// The deadline of data that nobody waits for.
const OWED_MAX: Duration = Duration::from_hours(1);

/// Carries loads to an outlet.
pub(super) struct ToOutlet {
    next: Outlet,
    clock: Clock,
    scope: Scope,
    post: ToOwner,
    leavers: BTreeMap<AttemptId, Vec<Option<Leaver>>>,
}

/// Hears what became of the parts of one attempt.
struct PartSink {
    attempt: AttemptId,
    post: ToOwner,
}

impl ToOutlet {
    pub(super) fn new(next: Outlet, clock: Clock, scope: Scope, post: ToOwner) -> Self {
        Self { next, clock, scope, post, leavers: BTreeMap::new() }
    }
}

impl Courier for ToOutlet {
    fn start(&mut self, load: Load) {
        let Load { attempt, sources, parts, context, .. } = load;
        let sink: Arc<dyn Sink> = Arc::new(PartSink { attempt, post: self.post.clone() });
        let owed_until = self.clock.now() + OWED_MAX;
        let contributors = (0u64..).zip(parts).map(|(token, part)| Contributor {
            receipt: Receipt::new(Arc::clone(&sink), token, part.items),
            deadline: part.deadline.unwrap_or(owed_until),
            waiting: part.waiting,
            trace: part.trace,
            charge: part.charge,
        });
        let contributors: Vec<_> = contributors.collect();
        let leavers = contributors.iter().map(|one| Some(one.receipt.leaver())).collect();
        self.leavers.insert(attempt, leavers);
        let next = self.next.clone();
        let hand_over = async move {
            if let Some(payload) = load::join(sources) {
                next.consume(Envelope { payload, context, contributors });
            }
        };
        self.scope.spawn("hand over", hand_over).detach();
    }

    fn withdraw(&mut self, attempt: AttemptId, part: usize) {
        let leavers = self.leavers.get_mut(&attempt);
        if let Some(leaver) = leavers.and_then(|all| all.get_mut(part)?.take()) {
            leaver.leave();
        }
    }

    fn ended(&mut self, attempt: AttemptId) {
        self.leavers.remove(&attempt);
    }

    fn abort(&mut self, attempt: AttemptId) {
        for leaver in self.leavers.remove(&attempt).into_iter().flatten().flatten() {
            leaver.leave();
        }
    }
}

impl Sink for PartSink {
    fn answered(&self, token: u64, outcome: Outcome) {
        let part = usize::try_from(token).unwrap_or(usize::MAX);
        self.post.signal(Signal::PartEnded(self.attempt, part, outcome));
    }
}
