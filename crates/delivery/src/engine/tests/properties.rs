//! Random runs of random configurations: the invariants of the world hold, and all ends.

use std::time::Duration;

use pipeline::{Code, Status, Verdict};
use proptest::prelude::*;

use super::storing::store;
use super::world::{Sent, World, batch, busy, invalid, queue, rules, status};
use crate::destination::Reply;
use crate::engine::{AttemptId, Event, NotRead, NotWritten, Rules};
use crate::settings::{Halving, LanesMax, Queue};
use crate::target::Scope;

#[derive(Clone, Debug)]
enum Op {
    Send {
        lane: usize,
        sent: Vec<(usize, u64, bool)>,
    },
    Reply {
        which: usize,
        verdict: u8,
    },
    Lose {
        which: usize,
    },
    Leave {
        which: usize,
    },
    Pass {
        millis: u64,
    },
    Crowded,
    Drain,
    /// The disk answers what it was asked first; `how` says what.
    Disk {
        how: u8,
    },
    Crash {
        written: usize,
    },
}

fn op() -> impl Strategy<Value = Op> {
    let contributor = (1..40usize, 1..20_000u64, any::<bool>());
    prop_oneof![
        60 => (0..3usize, prop::collection::vec(contributor, 1..4))
            .prop_map(|(lane, sent)| Op::Send { lane, sent }),
        60 => (0..8usize, 0..11u8).prop_map(|(which, verdict)| Op::Reply { which, verdict }),
        10 => (0..8usize).prop_map(|which| Op::Lose { which }),
        20 => (0..40usize).prop_map(|which| Op::Leave { which }),
        30 => (0..6000u64).prop_map(|millis| Op::Pass { millis }),
        10 => Just(Op::Crowded),
        1 => Just(Op::Drain),
        80 => (0..20u8).prop_map(|how| Op::Disk { how }),
        1 => (0..4usize).prop_map(|written| Op::Crash { written }),
    ]
}

fn verdict(choice: u8) -> Verdict {
    match choice {
        0 | 1 => Verdict::Delivered,
        2 => busy(None),
        3 => busy(Some(Duration::from_secs(3))),
        4 => invalid(),
        5 => Verdict::Refused(Status { http: Some(413), ..status(Code::ResourceExhausted) }),
        6 => Verdict::Refused(status(Code::PermissionDenied)),
        8 | 9 => busy(None),
        10 => busy(Some(Duration::from_secs(2))),
        _ => Verdict::Unknown(status(Code::DeadlineExceeded)),
    }
}

/// What the destination says; some of it is about more than one lane.
fn reply(choice: u8) -> Reply {
    let scope = (7 < choice).then(|| Scope::new(["one", "other"][usize::from(choice % 2)]));
    Reply { scope, ..verdict(choice).into() }
}

fn any_rules() -> impl Strategy<Value = Rules> {
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    let sizes = (1..4usize, 0..12usize, 12..30usize, 1..3usize, 40..200usize);
    let stores = (any::<bool>(), any::<bool>(), any::<bool>(), 1..100usize);
    (flags, sizes, stores).prop_map(
        |(
            (waits, parks, batches, retries, is_ordered),
            (workers, min, max, lanes, room),
            stores,
        )| {
            let (is_stored, keeps, records, window) = stores;
            let batch = batch(min, max);
            let queue = Queue {
                num_consumers: workers,
                wait_for_result: waits,
                block_on_overflow: parks,
                // When it does not park, the edge holds the limit.
                queue_size: if parks { room } else { usize::MAX },
                batch: batches.then_some(batch),
                store: is_stored.then(|| store(keeps, records)),
                ..queue()
            };
            let mut rules = rules(queue);
            rules.settings.lanes.max = LanesMax::Evict(lanes);
            rules.settings.lanes.is_ordered = is_ordered;
            rules.settings.halving = [Halving::Off, Halving::Callers, Halving::Items][max % 3];
            rules.settings.lanes.idle_timeout = Some(Duration::from_secs(30));
            rules.window_max = window;
            if !retries {
                rules.settings.retry = None;
                // Of those without retries, some pass their batches on part by part.
                rules.is_relay = workers % 2 == 0 && !is_stored;
            }
            rules
        },
    )
}

impl World {
    fn apply(&mut self, op: Op) {
        match op {
            Op::Send { lane, sent } => self.send_what_fits(lane, sent),
            Op::Reply { which, verdict: choice } => {
                let attempt = self.attempts.keys().nth(which).copied();
                attempt.into_iter().for_each(|attempt| self.answer(attempt, choice));
            }
            // A relay has no task of its own that could be lost.
            Op::Lose { .. } if self.rules.is_relay => {}
            Op::Lose { which } => {
                let attempt = self.attempts.keys().nth(which).copied();
                attempt.into_iter().for_each(|attempt| self.lose(attempt));
            }
            Op::Leave { which } => {
                let waiting = self.callers.iter().filter(|(_, caller)| caller.answer.is_none());
                let member = waiting.map(|(id, _)| *id).nth(which);
                member.into_iter().for_each(|member| self.leave(member));
            }
            Op::Pass { millis } => self.pass(Duration::from_millis(millis)),
            Op::Crowded => self.step(Event::Crowded),
            Op::Drain => self.drain(Duration::from_secs(8)),
            Op::Disk { how } => self.answer_disk(how),
            Op::Crash { .. }
                if self.rules.settings.queue.as_ref().is_none_or(|q| q.store.is_none()) => {}
            Op::Crash { written } => self.crash(written),
        }
    }

    fn answer_disk(&mut self, how: u8) {
        let has_write = !self.disk.writes.is_empty();
        match how {
            0 if has_write => self.not_written(NotWritten::Full),
            1 if has_write => self.not_written(NotWritten::Failed(status(Code::Unavailable))),
            2 if has_write => self.not_written(NotWritten::Refused(status(Code::OutOfRange))),
            3 => self.step(Event::Roomy),
            4 if !self.disk.reads.is_empty() => {
                self.not_read(NotRead::Failed(status(Code::Unavailable)));
            }
            5 if !self.disk.burials.is_empty() => self.buried(Err(status(Code::Unavailable))),
            6..10 if !self.disk.burials.is_empty() => self.buried(Ok(())),
            6..14 if !self.disk.reads.is_empty() => self.read(),
            _ if has_write => self.written(),
            _ if !self.disk.reads.is_empty() => self.read(),
            _ if !self.disk.burials.is_empty() => self.buried(Ok(())),
            _ => {}
        }
    }

    fn answer(&mut self, attempt: AttemptId, choice: u8) {
        if !self.rules.is_relay {
            return self.reply_with(attempt, reply(choice));
        }
        let parts = self.attempts[&attempt].parts.len();
        self.reply_part(attempt, usize::from(choice) % parts, &verdict(choice));
    }

    /// What is larger than the whole queue is refused at the edge.
    fn send_what_fits(&mut self, lane: usize, sent: Vec<(usize, u64, bool)>) {
        let queue = self.rules.settings.queue.as_ref();
        let mut left = queue.map_or(usize::MAX, |queue| queue.queue_size);
        let mut fitting = Vec::new();
        for (items, millis, is_blocked) in sent {
            if items <= left {
                left -= items;
                let within = Duration::from_millis(millis);
                fitting.push(Sent { items, within, is_blocked });
            }
        }
        self.send(lane, &fitting);
    }
}

proptest! {
    #[test]
    fn whatever_happens_each_caller_gets_one_true_answer(
        rules in any_rules(),
        ops in prop::collection::vec(op(), 1..80),
    ) {
        let mut world = World::new(rules, runtime::clock::Clock.now());
        for op in ops {
            world.apply(op);
        }
        world.finish();
        // What was kept is delivered after the next start.
        world.crash(0);
        world.finish();
    }
}
