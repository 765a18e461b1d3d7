//! Every order of events in a small world: three callers, two lanes, two workers.
//!
//! In every state that can be reached, the invariants of the world hold, something moves on what
//! is held, and a run to the end answers everyone and frees everything.

#![expect(clippy::print_stdout, reason = "the number of states is a result")]

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use pipeline::Verdict;

use super::storing::store;
use super::world::{Sent, World, batch, busy, invalid, queue, rules};
use crate::engine::{AttemptId, Event, MemberId, NotWritten, Rules};
use crate::settings::Queue;

/// The lanes and items of the callers; the one of three is cut, and its rest waits for company.
const CALLERS: [(usize, usize); 3] = [(1, 2), (1, 3), (2, 1)];

#[derive(Clone, Copy, Debug)]
enum Move {
    Send,
    Reply(AttemptId, usize),
    Leave(MemberId),
    Timer,
    Drain,
    Disk(DiskMove),
}

/// What a disk may do.
#[derive(Clone, Copy, Debug)]
enum DiskMove {
    Write,
    Refuse,
    Read,
    /// The process ends; so many of what was being written are there.
    Crash(usize),
}

#[derive(Clone)]
struct State {
    world: World,
    unsent: Vec<(usize, usize)>,
    is_draining: bool,
    has_crashed: bool,
    /// What the destination may say.
    verdicts: Arc<[Verdict]>,
}

impl State {
    fn moves(&self) -> Vec<Move> {
        let mut moves = Vec::new();
        if !self.unsent.is_empty() {
            moves.push(Move::Send);
        }
        for attempt in self.world.attempts.keys() {
            moves.extend((0..self.verdicts.len()).map(|index| Move::Reply(*attempt, index)));
        }
        let waiting = self.world.callers.iter().filter(|(_, caller)| caller.is_waiting());
        moves.extend(waiting.map(|(id, _)| Move::Leave(*id)));
        if self.world.engine.next_timer().is_some() {
            moves.push(Move::Timer);
        }
        if !self.is_draining {
            moves.push(Move::Drain);
        }
        moves.extend(self.disk_moves().into_iter().map(Move::Disk));
        moves
    }

    fn disk_moves(&self) -> Vec<DiskMove> {
        let disk = &self.world.disk;
        let mut moves = Vec::new();
        if !disk.writes.is_empty() {
            moves.extend([DiskMove::Write, DiskMove::Refuse]);
        }
        if !disk.reads.is_empty() {
            moves.push(DiskMove::Read);
        }
        if !self.has_crashed && self.is_stored() {
            moves.push(DiskMove::Crash(0));
            let writes = disk.writes.len();
            moves.extend((0 < writes).then_some(DiskMove::Crash(writes)));
        }
        moves
    }

    fn is_stored(&self) -> bool {
        self.world.rules.settings.queue.as_ref().is_some_and(|queue| queue.store.is_some())
    }

    /// Runs to the end; what was kept is delivered after the next start.
    fn check_end(&self) {
        let mut world = self.world.clone();
        world.finish();
        if self.is_stored() {
            world.crash(0);
            world.finish();
        }
    }

    fn after(&self, step: Move) -> Self {
        let mut next = self.clone();
        match step {
            Move::Send => {
                let (lane, items) = next.unsent.remove(0);
                let within = Duration::from_millis(1500);
                next.world.send(lane, &[Sent { items, within, is_blocked: items != 3 }]);
            }
            Move::Reply(attempt, index) => next.world.reply(attempt, self.verdicts[index].clone()),
            Move::Leave(member) => next.world.leave(member),
            Move::Timer => {
                let at = next.world.engine.next_timer().expect("a timer was set");
                next.world.now = next.world.now.max(at);
                next.world.step(Event::Timer);
            }
            Move::Drain => {
                next.world.drain(Duration::from_secs(1));
                next.is_draining = true;
            }
            Move::Disk(DiskMove::Write) => next.world.written(),
            Move::Disk(DiskMove::Refuse) => next.world.not_written(NotWritten::Full),
            Move::Disk(DiskMove::Read) => next.world.read(),
            Move::Disk(DiskMove::Crash(written)) => {
                next.world.crash(written);
                (next.has_crashed, next.is_draining) = (true, false);
            }
        }
        next
    }

    fn key(&self) -> String {
        let callers: Vec<_> = self.world.callers.values().map(|one| one.is_waiting()).collect();
        let now = self.world.now;
        format!(
            "{:?} {:?} {now:?} {callers:?} {} {}",
            self.world.engine,
            self.world.disk,
            self.unsent.len(),
            self.is_draining
        )
    }
}

/// Explores a world of `callers` whose destination says one of `verdicts` each time; gives the
/// number of states.
fn explore(rules: Rules, callers: usize, verdicts: &[Verdict]) -> usize {
    let hasher = RandomState::new();
    let world = World::new(rules, runtime::clock::Clock.now());
    let first = State {
        world,
        unsent: CALLERS[..callers].to_vec(),
        is_draining: false,
        has_crashed: false,
        verdicts: verdicts.into(),
    };
    let mut seen = HashSet::from([hasher.hash_one(first.key())]);
    let mut open = vec![first];
    while let Some(state) = open.pop() {
        state.check_end();
        for step in state.moves() {
            let next = state.after(step);
            if seen.insert(hasher.hash_one(next.key())) {
                open.push(next);
            }
        }
    }
    seen.len()
}

fn small(is_parking: bool) -> Rules {
    let queue_size = if is_parking { 4 } else { usize::MAX };
    let batch = Some(batch(2, 2));
    rules(Queue { block_on_overflow: is_parking, queue_size, batch, ..queue() })
}

#[test]
fn no_order_of_events_leaves_anyone_waiting_without_an_end() {
    let mut rules = small(true);
    rules.settings.retry = None;
    let states = explore(rules, 3, &[Verdict::Delivered, busy(None), invalid()]);
    println!("three callers, two lanes, two workers, room for two: {states} states");
    assert!(1000 < states);
}

#[test]
fn no_order_of_retries_leaves_anyone_waiting_without_an_end() {
    let states = explore(small(false), 2, &[Verdict::Delivered, busy(None), invalid()]);
    println!("two callers, two workers, retries: {states} states");
    assert!(1000 < states);
}

/// All orders of what a disk, a destination that may say `verdicts`, and `callers` may do, who wait
/// for the result or not, and of one crash.
fn explore_stored(callers: usize, waits: &[bool], verdicts: &[Verdict]) -> usize {
    let mut states = 0;
    for waits in waits.iter().copied() {
        let mut rules = small(false);
        rules.settings.retry = None;
        rules.window_max = 3;
        if let Some(queue) = &mut rules.settings.queue {
            queue.wait_for_result = waits;
            queue.store = Some(store(false, false));
        }
        states += explore(rules, callers, verdicts);
    }
    println!("{callers} callers, two workers, a disk that fills and a crash: {states} states");
    states
}

#[test]
fn no_order_of_events_and_no_crash_loses_what_is_stored_or_leaves_anyone_waiting() {
    let verdicts = [Verdict::Delivered, busy(None), invalid()];
    assert!(100 < explore_stored(1, &[false, true], &verdicts));
}

#[test]
fn no_order_of_two_callers_and_a_crash_loses_what_a_working_destination_gets() {
    assert!(1000 < explore_stored(2, &[false], &[Verdict::Delivered]));
}

#[test]
#[ignore = "takes minutes: `just deep`"]
fn no_order_of_two_callers_and_a_crash_loses_what_is_stored() {
    let verdicts = [Verdict::Delivered, busy(None), invalid()];
    assert!(1000 < explore_stored(2, &[false, true], &verdicts));
}

#[test]
#[ignore = "part of `just deep`"]
fn no_order_of_retries_leaves_any_of_three_callers_waiting_without_an_end() {
    let states = explore(small(false), 3, &[Verdict::Delivered, busy(None)]);
    println!("three callers, two lanes, two workers, retries: {states} states");
    assert!(10_000 < states);
}
