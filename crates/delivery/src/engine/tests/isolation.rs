//! What one target costs the others, measured: a world in simulated time, in which each target has
//! its own way to answer, and a source that sends the next as soon as the last was answered.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use pipeline::{Code, Verdict};

use super::world::{Sent, World, batch, blocked, queue, rules, status};
use crate::engine::{AttemptId, Event, MemberId};
use crate::settings::{Lanes, Queue};

const MILLI: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
/// How long each run lasts.
const RUN: Duration = Duration::from_mins(10);
/// When those fall silent that do.
const SILENCE: Duration = Duration::from_mins(1);

/// How many requests there is room for.
const ROOM: usize = 2000;

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
    /// After what time the next is sent to a target that took one.
    pause: Duration,
    /// Who waits for the answer of which target.
    waiting: BTreeMap<MemberId, usize>,
    /// When a target is sent to that has nothing on its way.
    again: BTreeSet<(Instant, usize)>,
    delivered: Vec<u64>,
}

impl Run {
    fn new(workers: usize, targets: Vec<Target>) -> Self {
        let (num_consumers, batch) = (workers, Some(batch(1, 1)));
        let mut rules = rules(Queue { num_consumers, queue_size: ROOM, batch, ..queue() });
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
        let waiting = BTreeMap::new();
        let again = (0..targets.len()).map(|target| (began, target)).collect();
        Self {
            world,
            targets,
            began,
            counts_from,
            ends,
            unseen: AttemptId(0),
            pause: Duration::ZERO,
            waiting,
            again,
            delivered,
        }
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
        loop {
            self.note_started();
            let ends = self.ends.first().map(|(at, ..)| *at);
            let again = self.again.first().map(|(at, _)| *at);
            let next = [ends, again, self.world.engine.next_timer()].into_iter().flatten().min();
            let Some(at) = next.filter(|at| *at < until) else { break };
            self.world.now = self.world.now.max(at);
            if ends == Some(at) {
                self.end_first();
            } else if again == Some(at) {
                let (_, target) = self.again.pop_first().expect("it was looked at");
                self.send(target);
            } else {
                self.world.step(Event::Timer);
            }
            self.hear_answers();
        }
        self.delivered
    }

    /// Sends to a target, or tells it to try again when there is no room.
    fn send(&mut self, target: usize) {
        if ROOM <= self.world.engine.queue_used() {
            self.world.step(Event::Crowded);
            self.again.insert((self.world.now + SECOND, target));
            return;
        }
        let sent = Sent { within: RUN * 100, ..blocked(1) };
        let member = self.world.send(target, &[sent])[0];
        self.waiting.insert(member, target);
    }

    /// To who was answered the next is sent, at once or after a while.
    fn hear_answers(&mut self) {
        while let Some(member) = self.world.answered.pop() {
            let verdict = self.world.verdict_of(member);
            self.world.callers.remove(&member);
            self.world.started.clear();
            let Some(target) = self.waiting.remove(&member) else { continue };
            let is_delivered = verdict == Some(Verdict::Delivered);
            if is_delivered && self.counts_from <= self.world.now {
                self.delivered[target] += 1;
            }
            if is_delivered && self.pause.is_zero() {
                self.send(target);
            } else {
                let pause = if is_delivered { self.pause } else { SECOND };
                self.again.insert((self.world.now + pause, target));
            }
        }
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
        let verdict = match self.targets[target] {
            _ if !is_answered => Verdict::Unknown(status(Code::DeadlineExceeded)),
            Target::Denies => {
                Verdict::RetryAfter { delay: None, status: status(Code::PermissionDenied) }
            }
            _ => Verdict::Delivered,
        };
        self.world.reply(attempt, verdict);
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

#[test]
fn ten_black_holes_cost_a_target_that_begins_with_them_no_more_than_a_second() {
    let alone = Run::new(1, vec![Target::Works]).delivered_within(20 * SECOND);
    let targets = [vec![Target::Swallows; 10], vec![Target::Works]].concat();
    let beside = Run::new(1, targets).delivered_within(20 * SECOND);
    let percent = beside[10] * 100 / alone[0];
    assert!(90 <= percent, "{percent} %");
}

#[test]
fn more_new_black_holes_than_the_queue_holds_leave_half_of_it_to_who_works() {
    // The one is known to work when the others come, at any time and before it comes again.
    let taken = |others: u32| {
        let works = others as usize;
        let mut run = Run::new(10, [vec![Target::Swallows; works], vec![Target::Works]].concat());
        run.pause = 5 * MILLI;
        let later = |target| SECOND + MILLI / 10 * target;
        run.again = (0..others).map(|one| (run.began + later(one), one as usize)).collect();
        run.again.insert((run.began, works));
        run.delivered_from(3 * SECOND, 20 * SECOND)[works]
    };
    let (beside, alone) = (taken(5000), taken(0));
    let percent = beside * 100 / alone;
    assert!(90 <= percent, "{percent} %");
}
