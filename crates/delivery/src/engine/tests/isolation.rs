//! What one target costs the others, measured: a world in simulated time, in which each target has
//! its own way to answer, and a source that sends the next as soon as the last was answered.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use pipeline::{Code, Verdict};

use super::world::{World, batch, blocked, queue, rules, status};
use crate::engine::{AttemptId, Event};
use crate::settings::{Lanes, Queue};

const MILLI: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
/// How long each run lasts.
const RUN: Duration = Duration::from_mins(10);

/// How a target answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    /// After 20 ms.
    Works,
    /// Refuses after 20 ms what may be granted later.
    Denies,
    /// Not at all: the attempt ends by its timeout.
    Swallows,
}

struct Run {
    world: World,
    targets: Vec<Target>,
    /// Attempts by the time at which they end.
    ends: BTreeSet<(Instant, AttemptId)>,
    /// The first attempt whose end is not known.
    unseen: AttemptId,
    delivered: Vec<u64>,
}

impl Run {
    fn new(workers: usize, targets: Vec<Target>) -> Self {
        let queue = Queue { num_consumers: workers, batch: Some(batch(1, 1)), ..queue() };
        let mut rules = rules(queue);
        rules.settings.timeout = Some(SECOND * 60);
        rules.settings.lanes = Lanes { is_ordered: true, idle_timeout: None, ..Lanes::default() };
        rules.settings.lanes.metadata_keys = vec!["lane".to_owned()];
        let retry = rules.settings.retry.as_mut().unwrap();
        retry.initial_interval = Duration::from_millis(200);
        retry.max_interval = SECOND * 60;
        retry.max_elapsed_time = None;
        let delivered = vec![0; targets.len()];
        let world = World::new(rules, runtime::clock::Clock.now());
        Self { world, targets, ends: BTreeSet::new(), unseen: AttemptId(0), delivered }
    }

    /// Runs for a while; gives what the last target, which works, took.
    fn delivered_to_last(mut self) -> u64 {
        let until = self.world.now + RUN;
        for target in 0..self.targets.len() {
            self.send(target);
        }
        loop {
            self.note_started();
            let ends = self.ends.first().map(|(at, _)| *at);
            let next = [ends, self.world.engine.next_timer()].into_iter().flatten().min();
            let Some(at) = next.filter(|at| *at < until) else { break };
            self.world.now = self.world.now.max(at);
            if ends == Some(at) {
                self.end_first();
            } else {
                self.world.step(Event::Timer);
            }
        }
        *self.delivered.last().expect("a target")
    }

    fn send(&mut self, target: usize) {
        let within = super::world::Sent { within: RUN * 100, ..blocked(1) };
        self.world.send(target, &[within]);
    }

    fn target_of(&self, attempt: AttemptId) -> usize {
        let lane = self.world.attempts[&attempt].key.metadata.first("lane").unwrap();
        lane.parse().unwrap()
    }

    fn note_started(&mut self) {
        let new = self.world.attempts.range(self.unseen..).map(|(attempt, _)| *attempt);
        for attempt in new.collect::<Vec<_>>() {
            self.unseen = AttemptId(attempt.0 + 1);
            let taken = match self.targets[self.target_of(attempt)] {
                Target::Works | Target::Denies => 20 * MILLI,
                Target::Swallows => SECOND * 60,
            };
            self.ends.insert((self.world.now + taken, attempt));
        }
    }

    fn end_first(&mut self) {
        let Some((_, attempt)) = self.ends.pop_first() else { return };
        let target = self.target_of(attempt);
        let member = self.world.attempts[&attempt].parts[0].member;
        let verdict = match self.targets[target] {
            Target::Works => Verdict::Delivered,
            Target::Denies => {
                Verdict::RetryAfter { delay: None, status: status(Code::PermissionDenied) }
            }
            Target::Swallows => Verdict::Unknown(status(Code::DeadlineExceeded)),
        };
        self.world.reply(attempt, verdict);
        if self.world.answer_of(member).is_some() {
            self.delivered[target] += 1;
            self.world.callers.remove(&member);
            self.world.started.clear();
            self.send(target);
        }
    }
}

/// What the last target takes beside `count` others, in percent of what it takes alone.
fn percent_beside(count: usize, other: Target, workers: usize) -> u64 {
    let alone = Run::new(workers, vec![Target::Works]).delivered_to_last();
    let mut targets = vec![other; count];
    targets.push(Target::Works);
    let beside = Run::new(workers, targets).delivered_to_last();
    assert!(20_000 < alone, "{alone}");
    beside * 100 / alone
}

#[test]
fn ten_denied_targets_cost_an_allowed_one_nothing() {
    let percent = percent_beside(10, Target::Denies, 2);
    assert!(90 <= percent, "{percent} %");
}

#[test]
fn a_thousand_denied_targets_cost_an_allowed_one_nothing() {
    let percent = percent_beside(1000, Target::Denies, 2);
    assert!(90 <= percent, "{percent} %");
}

#[test]
fn ten_black_holes_cost_an_allowed_target_nothing_even_with_one_worker() {
    let percent = percent_beside(10, Target::Swallows, 1);
    assert!(90 <= percent, "{percent} %");
}
