//! What is stored: when callers are answered, what is in memory, and when it is forgotten.

use std::time::Duration;

use pipeline::{Code, Verdict};

use super::world::{Sent, World, batch, blocked, busy, invalid, open, queue, rules, status};
use crate::engine::{Event, NotRead, NotWritten, Note};
use crate::settings::{Exhausted, Queue, RefusedStore, Sizer, Store};

const MILLI: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

pub(super) fn store(keeps: bool, records: bool) -> Store {
    let storage: config::ComponentId = "file_storage".parse().unwrap();
    Store {
        storage: storage.clone(),
        on_exhausted: if keeps { Exhausted::Keep } else { Exhausted::Drop },
        expire_after: None,
        refused: records.then_some(RefusedStore { storage, bytes_max: 1000 }),
    }
}

fn stored(wait_for_result: bool) -> Queue {
    let store = Some(store(true, false));
    Queue { wait_for_result, batch: None, store, num_consumers: 1, ..queue() }
}

/// A world whose window holds `window_max` items.
fn world(queue: Queue, window_max: usize) -> World {
    let mut rules = rules(queue);
    rules.window_max = window_max;
    World::new(rules, runtime::clock::Clock.now())
}

fn sent(items: usize, within: Duration) -> Sent {
    Sent { within, ..blocked(items) }
}

#[test]
fn a_caller_is_answered_when_its_data_is_on_disk_and_not_before() {
    let mut world = world(stored(false), 100);
    let caller = world.send(0, &[open(5)])[0];
    assert_eq!((world.acknowledged.len(), world.started.len()), (0, 0));
    world.written();
    assert_eq!((&*world.acknowledged, &*world.started), (&[caller][..], &[5][..]));
    world.finish();
}

#[test]
fn a_waiting_caller_is_answered_when_its_data_is_delivered() {
    let mut world = world(stored(true), 100);
    let caller = world.send(0, &[open(5)])[0];
    world.written();
    assert_eq!(world.answer_of(caller), None);
    world.reply_first(Verdict::Delivered);
    assert_eq!(world.verdict_of(caller), Some(Verdict::Delivered));
    assert!(world.acknowledged.is_empty());
    world.finish();
}

#[test]
fn a_waiting_caller_is_told_that_its_data_is_kept_before_its_time_is_over() {
    let mut world = world(stored(true), 100);
    let caller = world.send(0, &[sent(5, SECOND)])[0];
    world.written();
    world.reply_first(busy(None));
    world.pass(899 * MILLI);
    assert!(world.acknowledged.is_empty());
    world.pass(MILLI);
    assert_eq!(world.acknowledged, [caller]);
    // It is owed all the same.
    world.pass(SECOND);
    assert_eq!(world.attempts.len(), 1);
    world.finish();
}

#[test]
fn what_finds_room_in_the_window_is_never_read() {
    let mut world = world(stored(false), 10);
    for _ in 0..20 {
        world.send(0, &[open(5)]);
        world.written();
        world.reply_first(Verdict::Delivered);
        assert!(world.disk.reads.is_empty());
    }
    world.finish();
}

#[test]
fn what_finds_no_room_in_the_window_is_read_in_order() {
    let mut world = world(stored(false), 10);
    for items in 1..=8 {
        world.send(0, &[open(items)]);
        world.written();
    }
    assert_eq!(world.started, [1]);
    world.finish();
    assert_eq!(world.started, [1, 2, 3, 4, 5, 6, 7, 8]);
}

#[test]
fn an_entry_larger_than_the_window_is_sent_all_the_same() {
    let mut world = world(stored(false), 10);
    world.send(0, &[open(50)]);
    world.written();
    world.send(0, &[open(60)]);
    world.written();
    world.finish();
    assert_eq!(world.started, [50, 60]);
}

#[test]
fn a_failed_write_is_told_with_a_delay_and_sends_nothing() {
    let mut world = world(stored(false), 100);
    let caller = world.send(0, &[open(5)])[0];
    world.not_written(NotWritten::Failed(status(Code::Unavailable)));
    let verdict = world.verdict_of(caller);
    assert!(matches!(verdict, Some(Verdict::RetryAfter { delay: Some(_), .. })), "{verdict:?}");
    let caller = world.send(0, &[open(5)])[0];
    world.not_written(NotWritten::Refused(status(Code::OutOfRange)));
    assert!(matches!(world.verdict_of(caller), Some(Verdict::Refused(_))));
    assert_eq!(world.started, [0; 0]);
    world.finish();
}

#[test]
fn a_full_journal_makes_callers_wait_in_order_until_there_is_room() {
    let mut world = world(stored(false), 100);
    world.send(0, &[open(1)]);
    world.not_written(NotWritten::Full);
    world.send(0, &[open(2)]);
    assert!(world.disk.writes.is_empty(), "who comes later waits behind");
    world.step(Event::Roomy);
    assert_eq!(world.disk.writes.len(), 2);
    world.settle_disk();
    world.finish();
    assert_eq!(world.started, [1, 2]);
}

#[test]
fn a_full_journal_refuses_before_the_callers_time_is_over() {
    let mut world = world(stored(false), 100);
    let caller = world.send(0, &[sent(1, SECOND)])[0];
    world.not_written(NotWritten::Full);
    world.pass(900 * MILLI);
    let verdict = world.verdict_of(caller);
    assert!(matches!(verdict, Some(Verdict::RetryAfter { delay: Some(_), .. })), "{verdict:?}");
    world.finish();
}

#[test]
fn a_journal_that_does_not_answer_is_told_as_unknown() {
    let mut world = world(stored(false), 100);
    let caller = world.send(0, &[sent(1, SECOND)])[0];
    world.pass(900 * MILLI);
    assert!(matches!(world.verdict_of(caller), Some(Verdict::Unknown(_))));
    // When it answers at last, nobody wants it.
    world.written();
    assert_eq!((world.started.len(), world.disk.len()), (0, 0));
    world.finish();
}

#[test]
fn who_leaves_while_its_data_is_written_takes_it_back() {
    let mut world = world(stored(false), 100);
    let caller = world.send(0, &[open(5)])[0];
    world.leave(caller);
    world.written();
    assert_eq!((world.started.len(), world.disk.len()), (0, 0));
    assert!(world.answer_of(caller).is_some() && world.acknowledged.is_empty());
    world.finish();
}

#[test]
fn exhausted_retries_wait_for_the_longest_time_and_hold_no_worker() {
    let mut world = world(stored(false), 100);
    world.send(0, &[open(5)]);
    world.written();
    for _ in 0..20 {
        world.pass(4 * SECOND);
        let started = world.started.len();
        if !world.attempts.is_empty() {
            world.reply_first(busy(None));
        }
        assert_eq!(world.started.len(), started, "it waits");
    }
    assert_eq!(world.disk.len(), 1);
    world.finish();
}

#[test]
fn without_retries_stored_data_is_kept_all_the_same() {
    let mut world = world(stored(false), 100);
    world.rules.settings.retry = None;
    let mut world = World::new(world.rules, world.now);
    world.send(0, &[open(5)]);
    world.written();
    world.reply_first(busy(None));
    world.pass(29 * SECOND);
    assert_eq!(world.started, [5]);
    world.pass(SECOND);
    assert_eq!(world.started, [5, 5]);
    world.finish();
}

#[test]
fn exhausted_retries_are_dropped_on_demand_and_recorded() {
    let queue = Queue { store: Some(store(false, true)), ..stored(false) };
    let mut world = world(queue, 100);
    world.send(0, &[open(5)]);
    world.written();
    while world.disk.burials.is_empty() {
        world.reply_first(busy(None));
        world.pass(4 * SECOND);
    }
    assert_eq!(world.disk.len(), 1, "it is there until its end is recorded");
    world.buried(Ok(()));
    assert_eq!(world.disk.len(), 0);
    world.finish();
}

#[test]
fn what_is_older_than_wished_is_given_up_even_if_it_never_left_the_memory() {
    let store = Store { expire_after: Some(60 * SECOND), ..store(true, true) };
    let mut world = world(Queue { store: Some(store), ..stored(false) }, 100);
    world.send(0, &[open(5)]);
    world.written();
    while world.disk.burials.is_empty() {
        if !world.attempts.is_empty() {
            world.reply_first(busy(None));
        }
        world.pass(SECOND);
    }
    assert!(world.notes.contains(&Note::Expired { items: 5 }), "{:?}", world.notes);
    world.buried(Ok(()));
    assert_eq!(world.disk.len(), 0);
    world.finish();
}

#[test]
fn a_refusal_is_recorded_before_the_entry_is_forgotten() {
    let queue = Queue { store: Some(store(true, true)), ..stored(false) };
    let mut world = world(queue, 100);
    world.send(0, &[open(5)]);
    world.written();
    world.reply_first(invalid());
    assert_eq!((world.disk.burials.len(), world.disk.len()), (1, 1));
    world.buried(Err(status(Code::Unavailable)));
    world.pass(SECOND);
    assert_eq!((world.disk.burials.len(), world.disk.len()), (1, 1));
    world.buried(Ok(()));
    assert_eq!(world.disk.len(), 0);
    world.finish();
}

#[test]
fn an_ordered_lane_keeps_its_order_while_what_is_stored_is_tried_again() {
    let mut rules = rules(Queue { num_consumers: 4, ..stored(false) });
    rules.settings.lanes.is_ordered = true;
    rules.window_max = 100;
    for is_exhausted in [false, true] {
        let mut rules = rules.clone();
        if is_exhausted {
            rules.settings.retry = None;
        }
        let mut world = World::new(rules, runtime::clock::Clock.now());
        for items in 1..=4 {
            world.send(0, &[open(items)]);
            world.written();
        }
        assert_eq!(world.started, [1]);
        world.reply_first(busy(None));
        assert_eq!(world.started, [1], "the next waits behind it");
        world.pass(30 * SECOND);
        assert_eq!(world.started, [1, 1]);
        world.finish();
        assert_eq!(world.started, [1, 1, 2, 3, 4]);
    }
}

#[test]
fn shutdown_keeps_what_is_stored_and_tells_who_waits_for_it() {
    let mut world = world(stored(true), 6);
    let callers: Vec<_> = (0..3).map(|_| world.send(0, &[open(5)])[0]).collect();
    world.settle_disk();
    assert_eq!(world.started, [5]);
    world.drain(10 * SECOND);
    assert_eq!(world.acknowledged, callers);
    // What is being sent may end.
    world.reply_first(Verdict::Delivered);
    assert!(world.engine.is_empty());
    assert_eq!((world.disk.len(), world.started.len()), (2, 1));
    world.finish();
    world.crash(0);
    world.finish();
    assert_eq!(world.started, [5, 5, 5]);
}

#[test]
fn shutdown_does_not_wait_for_a_destination_that_is_down() {
    let mut world = world(stored(false), 100);
    for _ in 0..5 {
        world.send(0, &[open(5)]);
        world.written();
    }
    world.drain(10 * SECOND);
    world.reply_first(busy(None));
    assert!(world.engine.is_empty());
    assert_eq!((world.disk.len(), world.started.len()), (5, 1));
    world.finish();
}

#[test]
fn a_backlog_is_read_after_a_start_within_the_window_and_in_order() {
    let mut world = world(stored(false), 10);
    for items in 1..=9 {
        world.send(0, &[open(items)]);
        world.written();
    }
    world.crash(0);
    world.started.clear();
    let asked: usize = world.disk.reads.iter().map(|read| read.bytes_max).sum();
    assert!(asked <= 10, "{asked}");
    world.finish();
    assert_eq!(world.started, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
}

#[test]
fn what_was_being_written_in_a_crash_may_be_there_and_is_sent_then() {
    let mut world = world(stored(false), 10);
    world.send(0, &[open(1)]);
    world.send(0, &[open(2)]);
    world.crash(1);
    assert_eq!(world.disk.len(), 1);
    world.finish();
    assert_eq!(world.started, [1]);
}

#[test]
fn a_queue_that_was_full_starts_and_takes_more_when_it_fits() {
    let queue = Queue { queue_size: 10, block_on_overflow: true, ..stored(false) };
    let mut world = world(queue, 100);
    for _ in 0..2 {
        world.send(0, &[open(5)]);
        world.written();
    }
    world.crash(0);
    assert_eq!(world.engine.queue_used(), 10);
    world.send(0, &[open(5)]);
    assert!(world.disk.writes.is_empty(), "it waits for room");
    world.settle_disk();
    world.reply_first(Verdict::Delivered);
    assert_eq!(world.disk.writes.len(), 1);
    world.finish();
}

#[test]
fn a_size_that_was_counted_too_large_is_set_right_when_it_is_read() {
    let mut world = world(stored(false), 100);
    for _ in 0..5 {
        world.send(0, &[open(10)]);
        world.written();
    }
    world.crash(0);
    assert_eq!(world.engine.queue_used(), 50);
    world.disk.lose(2);
    world.started.clear();
    world.finish();
    assert_eq!((world.engine.queue_used(), world.started.as_slice()), (0, &[10, 10, 10][..]));
}

#[test]
fn a_lane_that_fails_goes_back_to_disk_and_the_others_have_the_window() {
    let queue = Queue { num_consumers: 4, ..stored(false) };
    let mut world = world(queue, 100);
    for _ in 0..20 {
        world.send(0, &[open(5)]);
        world.written();
    }
    world.send(1, &[open(5)]);
    world.written();
    for _ in 0..3 {
        let dead: Vec<_> = world.attempts.values().filter(|start| is_lane(start, "0")).collect();
        let dead: Vec<_> = dead.iter().map(|start| start.attempt).collect();
        dead.into_iter().for_each(|attempt| world.reply(attempt, busy(None)));
        world.pass(5 * SECOND);
        world.settle_disk();
    }
    let dead: Vec<_> = world.attempts.values().map(|start| start.attempt).collect();
    for attempt in dead {
        if is_lane(&world.attempts[&attempt], "0") {
            world.reply(attempt, busy(None));
        } else {
            world.reply(attempt, Verdict::Delivered);
        }
    }
    let started = world.started.len();
    for _ in 0..10 {
        world.send(1, &[open(5)]);
        world.settle_disk();
        let first = *world.attempts.keys().next().expect("the healthy lane is served at once");
        world.reply(first, Verdict::Delivered);
    }
    assert!(started + 10 <= world.started.len());
    world.finish();
}

fn is_lane(start: &crate::engine::Start, lane: &str) -> bool {
    start.key.metadata.first("lane") == Some(lane)
}

#[test]
fn damage_stops_the_lane_there_and_is_told() {
    let mut world = world(stored(false), 4);
    for _ in 0..3 {
        world.send(0, &[open(3)]);
        world.written();
    }
    world.reply_first(Verdict::Delivered);
    world.not_read(NotRead::Failed(status(Code::Unavailable)));
    world.pass(SECOND);
    world.is_damaged = true;
    world.not_read(NotRead::Damaged(status(Code::DataLoss)));
    let is_final = |note: &Note| matches!(note, Note::NotRead { is_final: true, .. });
    assert!(world.notes.iter().any(is_final));
    assert!(world.disk.reads.is_empty());
    // What comes is stored behind it.
    world.send(0, &[open(3)]);
    world.written();
    assert_eq!((world.disk.len(), world.acknowledged.len()), (3, 4));
}

#[test]
fn stored_data_is_batched_with_what_comes_from_disk() {
    let batch = Some(batch(6, 6));
    let mut world = world(Queue { batch, sizer: Sizer::Items, ..stored(false) }, 4);
    for _ in 0..4 {
        world.send(0, &[open(3)]);
        world.written();
    }
    world.finish();
    assert_eq!(world.started.iter().sum::<usize>(), 12);
    assert!(world.started.iter().all(|items| *items <= 6), "{:?}", world.started);
}
#[test]
fn what_was_read_meanwhile_does_not_overtake_what_was_returned() {
    let mut rules = rules(Queue { num_consumers: 1, ..stored(false) });
    rules.settings.lanes.is_ordered = true;
    rules.window_max = 69;
    let mut world = World::new(rules, runtime::clock::Clock.now());
    for (lane, items) in [(0, 26), (1, 1), (0, 9), (0, 2)] {
        world.send(lane, &[open(items)]);
    }
    (0..3).for_each(|_| world.written());
    assert_eq!((&*world.started, world.disk.reads.len()), (&[26][..], 1));
    world.reply_first(busy(Some(3 * SECOND)));
    world.finish();
    assert_eq!(world.started, [26, 1, 26, 9, 2]);
}
