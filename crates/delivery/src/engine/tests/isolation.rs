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
/// When those fall silent that do.
const SILENCE: Duration = Duration::from_mins(1);

/// How a target answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    /// After 20 ms.
    Works,
    /// Refuses after 20 ms what may be granted later.
    Denies,
    /// Not at all: the attempt ends by its timeout.
    Swallows,
    /// After 20 ms, and from a certain moment on not at all.
    FallsSilent,
}

struct Run {
    world: World,
    targets: Vec<Target>,
    began: Instant,
    /// What is delivered earlier does not count.
    counts_from: Instant,
    /// Attempts by the time at which they end, and whether they are answered.
    ends: BTreeSet<(Instant, AttemptId, bool)>,
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
        let ends = BTreeSet::new();
        let (began, counts_from) = (world.now, world.now);
        Self { world, targets, began, counts_from, ends, unseen: AttemptId(0), delivered }
    }

    /// Runs for a while; gives what the last target, which works, took.
    fn delivered_to_last(self) -> u64 {
        *self.delivered_within(RUN).last().expect("a target")
    }

    /// What each target took from `start` on, for `length`.
    fn delivered_from(mut self, start: Duration, length: Duration) -> Vec<u64> {
        self.counts_from = self.began + start;
        self.delivered_within(start + length)
    }

    fn delivered_within(mut self, length: Duration) -> Vec<u64> {
        let until = self.began + length;
        for target in 0..self.targets.len() {
            self.send(target);
        }
        loop {
            self.note_started();
            let ends = self.ends.first().map(|(at, ..)| *at);
            let next = [ends, self.world.engine.next_timer()].into_iter().flatten().min();
            let Some(at) = next.filter(|at| *at < until) else { break };
            self.world.now = self.world.now.max(at);
            if ends == Some(at) {
                self.end_first();
            } else {
                self.world.step(Event::Timer);
            }
        }
        self.delivered
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
            let is_answered = match self.targets[self.target_of(attempt)] {
                Target::Works | Target::Denies => true,
                Target::Swallows => false,
                Target::FallsSilent => self.world.now < self.began + SILENCE,
            };
            let taken = if is_answered { 20 * MILLI } else { SECOND * 60 };
            self.ends.insert((self.world.now + taken, attempt, is_answered));
        }
    }

    fn end_first(&mut self) {
        let Some((_, attempt, is_answered)) = self.ends.pop_first() else { return };
        let target = self.target_of(attempt);
        let member = self.world.attempts[&attempt].parts[0].member;
        let verdict = match self.targets[target] {
            _ if !is_answered => Verdict::Unknown(status(Code::DeadlineExceeded)),
            Target::Denies => {
                Verdict::RetryAfter { delay: None, status: status(Code::PermissionDenied) }
            }
            _ => Verdict::Delivered,
        };
        self.world.reply(attempt, verdict);
        if self.world.answer_of(member).is_some() {
            self.delivered[target] += u64::from(self.counts_from <= self.world.now);
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

/// What ten that go on working take in the ten seconds that begin a second after `count` others fell
/// silent together, in percent of what they take alone.
fn percent_after_silence(count: usize, workers: usize) -> u64 {
    let works = vec![Target::Works; 10];
    let beside = [vec![Target::FallsSilent; count], works.clone()].concat();
    let taken = |targets| {
        let run = Run::new(workers, targets);
        let taken = run.delivered_from(SILENCE + SECOND + 100 * MILLI, 10 * SECOND);
        let of_working = &taken[taken.len() - 10..];
        assert!(of_working.iter().all(|one| 0 < *one), "{taken:?}");
        of_working.iter().sum::<u64>()
    };
    taken(beside) * 100 / taken(works)
}

#[test]
fn many_that_fall_silent_at_once_hold_the_workers_for_a_second_only() {
    for (count, workers) in [(10, 1), (20, 2), (45, 2), (45, 4)] {
        let percent = percent_after_silence(count, workers);
        assert!(90 <= percent, "{count} beside {workers} workers: {percent} %");
    }
}
