//! Lanes that fail, throttle or swallow cost the others nothing.

use std::time::Duration;

use pipeline::Verdict;

use super::world::{Sent, World, batch, blocked, busy, queue, rules};
use crate::engine::{AttemptId, Event, MemberId};
use crate::settings::{LanesMax, Queue};

const SECOND: Duration = Duration::from_secs(1);

fn world(workers: usize) -> World {
    World::of(Queue { num_consumers: workers, batch: Some(batch(1, 1)), ..queue() })
}

/// The attempts under way in `lane`.
fn attempts_of(world: &World, lane: &str) -> Vec<AttemptId> {
    let of_lane =
        world.attempts.values().filter(|start| start.key.metadata.first("lane") == Some(lane));
    of_lane.map(|start| start.attempt).collect()
}

/// Has each lane deliver something.
fn prove(world: &mut World, lanes: &[usize]) {
    for lane in lanes {
        world.send(*lane, &[blocked(1)]);
        world.reply_first(Verdict::Delivered);
    }
}

#[test]
fn lanes_take_turns() {
    let mut world = world(1);
    prove(&mut world, &[1, 2, 3]);
    for lane in [1, 1, 1, 1, 2, 3] {
        world.send(lane, &[blocked(1)]);
    }
    let mut order = Vec::new();
    while let Some(start) = world.attempts.values().next() {
        order.push(start.key.metadata.first("lane").unwrap().to_owned());
        world.reply_first(Verdict::Delivered);
    }
    // Lane 1 had its second turn before the others came.
    assert_eq!(order, ["1", "1", "2", "3", "1", "1"]);
    world.finish();
}

#[test]
fn a_lane_that_never_answers_leaves_workers_to_the_others() {
    let mut world = world(4);
    world.send(7, &[blocked(1)]);
    world.reply_first(Verdict::Delivered);
    for _ in 0..20 {
        world.send(1, &[blocked(1)]);
    }
    // It is not proven, and another lane exists: one attempt.
    assert_eq!(attempts_of(&world, "1").len(), 1);
    for _ in 0..3 {
        world.send(7, &[blocked(1)]);
    }
    assert_eq!(attempts_of(&world, "7").len(), 3);
    world.finish();
}

#[test]
fn lanes_that_are_not_proven_share_half_of_the_workers() {
    let mut world = world(4);
    for lane in 0..10 {
        world.send(lane, &[blocked(1)]);
    }
    // The first came when it was alone.
    assert!(world.attempts.len() <= 3, "{}", world.attempts.len());
    world.finish();
}

#[test]
fn an_attempt_that_takes_too_long_makes_room() {
    let mut world = world(1);
    prove(&mut world, &[1, 2]);
    world.send(1, &[blocked(1)]);
    world.send(2, &[blocked(1)]);
    assert_eq!(attempts_of(&world, "2").len(), 0);
    world.pass(SECOND);
    assert_eq!(attempts_of(&world, "2").len(), 1);
    // It is not proven any more, and has one attempt under way.
    world.send(1, &[blocked(1)]);
    assert_eq!(attempts_of(&world, "1").len(), 1);
    world.finish();
}

#[test]
fn a_throttled_lane_is_left_alone_until_its_time() {
    let mut world = world(4);
    world.send(1, &[blocked(1)]);
    world.send(2, &[blocked(1)]);
    let throttled = attempts_of(&world, "1")[0];
    world.reply(throttled, busy(Some(SECOND * 20)));
    world.send(1, &[blocked(1)]);
    assert_eq!(attempts_of(&world, "1").len(), 0);
    let impatient = world.send(1, &[Sent { within: SECOND, ..blocked(1) }])[0];
    let expected = busy(Some(SECOND * 20));
    assert_eq!(world.verdict_of(impatient), Some(expected));
    world.pass(SECOND * 20);
    assert_eq!(attempts_of(&world, "1").len(), 1);
    world.finish();
}

/// A queue that answers at once and has room for twenty.
fn queue_of_twenty() -> Queue {
    let batch = Some(batch(1, 1));
    Queue { num_consumers: 4, wait_for_result: false, queue_size: 20, batch, ..queue() }
}

#[test]
fn lanes_that_fail_hold_half_of_the_queue_at_most() {
    let mut world = World::of(queue_of_twenty());
    world.send(1, &[blocked(1)]);
    world.send(2, &[blocked(1)]);
    let throttled = attempts_of(&world, "1")[0];
    world.reply(throttled, busy(Some(SECOND * 5)));
    let sent: Vec<_> = (0..20).map(|_| world.send(1, &[blocked(1)])[0]).collect();
    let refused = sent.iter().filter(|id| world.verdict_of(**id).is_some()).count();
    // Ten are held, of which one was there before.
    assert_eq!(refused, 11);
    assert!(!world.acknowledged.contains(sent.last().unwrap()));
    // As soon as it works again, there is no such limit.
    world.finish();
    let sent: Vec<_> = (0..15).map(|_| world.send(1, &[blocked(1)])[0]).collect();
    assert!(sent.iter().all(|id| world.acknowledged.contains(id)));
    world.finish();
}

#[test]
fn lanes_that_fell_silent_hold_half_of_the_queue_at_most() {
    let mut world = World::of(queue_of_twenty());
    prove(&mut world, &[1, 2]);
    world.send(1, &[blocked(1)]);
    world.pass(SECOND);
    let admitted = |world: &mut World, lane| {
        let sent: Vec<_> = (0..20).map(|_| world.send(lane, &[blocked(1)])[0]).collect();
        sent.iter().filter(|id| world.acknowledged.contains(id)).count()
    };
    // One is under way.
    assert_eq!(admitted(&mut world, 1), 9);
    let silent = attempts_of(&world, "1")[0];
    assert_eq!(admitted(&mut world, 2), 20);
    world.reply(silent, Verdict::Delivered);
    assert_eq!(admitted(&mut world, 1), 20);
    world.finish();
}

/// A world whose lane 1 works, and the callers of two hundred others that filled the queue.
fn world_of_two_hundred_untried(queue: Queue) -> (World, Vec<MemberId>) {
    let mut world = World::with_lanes(queue, |lanes| lanes.max = LanesMax::Unlimited);
    prove(&mut world, &[1]);
    let untried = (2..202).map(|lane| world.send(lane, &[blocked(1)])[0]).collect();
    (world, untried)
}

#[test]
fn lanes_that_were_never_answered_hold_half_of_the_queue_after_a_second() {
    let queue = Queue { wait_for_result: true, queue_size: 200, ..queue_of_twenty() };
    let (mut world, untried) = world_of_two_hundred_untried(queue);
    world.pass(SECOND / 2);
    world.step(Event::Crowded);
    assert_eq!(world.engine.queue_used(), 200, "it is too early to tell");
    world.pass(SECOND / 2);
    world.step(Event::Crowded);
    let (first, last) = untried.split_at(100);
    assert!(first.iter().all(|id| world.verdict_of(*id).is_none()), "these keep their place");
    assert!(last.iter().all(|id| world.verdict_of(*id).is_some()), "these come again");
    let again = world.send(201, &[blocked(1)])[0];
    assert!(world.verdict_of(again).is_none(), "in the place of another");
    assert_eq!(world.engine.queue_used(), 100);
    world.finish();
}

#[test]
fn while_a_lane_is_in_doubt_the_last_quarter_is_for_lanes_that_were_answered() {
    let queue = Queue { wait_for_result: true, ..queue_of_twenty() };
    let mut world = World::with_lanes(queue, |lanes| lanes.max = LanesMax::Unlimited);
    prove(&mut world, &[1]);
    let admitted = |world: &mut World, lane| {
        let member = world.send(lane, &[blocked(1)])[0];
        world.verdict_of(member).is_none()
    };
    assert!(admitted(&mut world, 2));
    world.pass(SECOND);
    let admitted_new = (3..22).filter(|lane| admitted(&mut world, *lane)).count();
    assert_eq!(admitted_new, 14);
    let admitted_known = (0..5).filter(|_| admitted(&mut world, 1)).count();
    assert_eq!(admitted_known, 5);
    while !world.attempts.is_empty() {
        world.reply_first(Verdict::Delivered);
    }
    // Nobody is in doubt any more.
    let admitted_new = (22..42).filter(|lane| admitted(&mut world, *lane)).count();
    assert_eq!(admitted_new, 20);
    world.finish();
}

#[test]
fn who_waits_for_room_gets_what_others_hold_that_were_never_answered() {
    let queue = Queue { wait_for_result: true, block_on_overflow: true, ..queue_of_twenty() };
    let queue = Queue { queue_size: 200, ..queue };
    let (mut world, _) = world_of_two_hundred_untried(queue);
    let good = world.send(1, &[blocked(1)])[0];
    assert_eq!(attempts_of(&world, "1").len(), 0);
    world.pass(SECOND);
    let attempt = attempts_of(&world, "1")[0];
    world.reply(attempt, Verdict::Delivered);
    assert_eq!(world.verdict_of(good), Some(Verdict::Delivered));
    world.finish();
}

#[test]
fn new_lanes_that_are_answered_in_time_may_fill_the_queue() {
    let queue = Queue { wait_for_result: true, queue_size: 200, ..queue_of_twenty() };
    let (mut world, untried) = world_of_two_hundred_untried(queue);
    for _ in 0..9 {
        world.pass(SECOND / 10);
        (0..20).for_each(|_| world.reply_first(Verdict::Delivered));
    }
    world.step(Event::Crowded);
    let delivered = |id: &&MemberId| world.verdict_of(**id) == Some(Verdict::Delivered);
    assert_eq!(untried.iter().filter(delivered).count(), 180);
    assert_eq!(world.engine.queue_used(), 20, "nobody was put out");
    world.finish();
}

#[test]
fn a_lane_of_a_relay_that_is_answered_late_may_hold_as_much_as_before() {
    let mut rules = rules(queue_of_twenty());
    rules.is_relay = true;
    let mut world = World::new(rules, runtime::clock::Clock.now());
    world.send(2, &[blocked(1)]);
    world.send(1, &[blocked(1)]);
    world.pass(SECOND);
    let late = attempts_of(&world, "1")[0];
    world.reply_part(late, 0, &Verdict::Delivered);
    let sent: Vec<_> = (0..15).map(|_| world.send(1, &[blocked(1)])[0]).collect();
    assert!(sent.iter().all(|id| world.acknowledged.contains(id)));
    world.finish();
}

/// Twenty lanes that filled the queue, of which each failed; their callers in order.
fn world_of_twenty_failures() -> (World, Vec<MemberId>) {
    let mut world = World::of(Queue { wait_for_result: true, ..queue_of_twenty() });
    let sent = (0..20).map(|lane| world.send(lane, &[blocked(1)])[0]).collect();
    for _ in 0..20 {
        world.reply_first(busy(Some(SECOND * 5)));
    }
    (world, sent)
}

#[test]
fn lanes_that_filled_the_queue_before_they_failed_give_half_of_it_back() {
    let (mut world, sent) = world_of_twenty_failures();
    assert!(sent.iter().all(|id| world.verdict_of(*id).is_none()), "nobody needs the room");
    world.step(Event::Crowded);
    let (first, last) = sent.split_at(10);
    assert!(first.iter().all(|id| world.verdict_of(*id).is_none()), "these keep their place");
    assert!(last.iter().all(|id| world.verdict_of(*id) == Some(busy(Some(SECOND * 5)))));
    assert_eq!(world.engine.queue_used(), 10);
    world.step(Event::Crowded);
    assert_eq!(world.engine.queue_used(), 10, "no more than that");
    world.finish();
}

#[test]
fn who_waits_for_room_gets_what_lanes_that_fail_hold_too_much() {
    let queue = Queue { wait_for_result: true, block_on_overflow: true, ..queue_of_twenty() };
    let mut world = World::of(queue);
    (0..20).for_each(|lane| drop(world.send(lane, &[blocked(1)])));
    for _ in 0..20 {
        world.reply_first(busy(Some(SECOND * 5)));
    }
    let good = world.send(77, &[blocked(1)])[0];
    world.reply_first(Verdict::Delivered);
    assert_eq!(world.verdict_of(good), Some(Verdict::Delivered));
    world.finish();
}

#[test]
fn a_failing_lane_that_was_put_out_comes_back_in_the_place_of_another() {
    let (mut world, sent) = world_of_twenty_failures();
    world.step(Event::Crowded);
    let early = world.send(15, &[blocked(1)])[0];
    assert!(world.verdict_of(early).is_some(), "its pause is not over");
    world.pass(SECOND * 5);
    let due = world.send(15, &[blocked(1)])[0];
    assert_eq!(world.verdict_of(due), None);
    assert_eq!(world.engine.queue_used(), 10);
    assert_eq!(world.verdict_of(sent[0]), None, "the first has its place still");
    while world.verdict_of(due).is_none() {
        world.reply_first(Verdict::Delivered);
    }
    assert_eq!(world.verdict_of(due), Some(Verdict::Delivered));
    world.finish();
}

#[test]
fn who_leaves_a_failing_lane_that_was_evicted_gives_its_room_back() {
    let queue = Queue { batch: Some(batch(1, 1)), ..queue() };
    let mut world = World::with_lanes(queue, |lanes| lanes.max = LanesMax::Evict(1));
    let leaving = world.send(1, &[blocked(1)])[0];
    world.reply_first(busy(Some(SECOND * 5)));
    world.send(2, &[blocked(1)]);
    world.leave(leaving);
    world.finish();
}

#[test]
fn a_lane_that_keeps_failing_is_probed_and_resumed() {
    let mut world = world(4);
    for _ in 0..8 {
        world.send(1, &[blocked(1)]);
    }
    for _ in 0..3 {
        world.reply_first(busy(None));
    }
    // Three in a row: what is under way may end, nothing new is started.
    while !world.attempts.is_empty() {
        world.reply_first(busy(None));
    }
    assert_eq!(world.attempts.len(), 0);
    world.pass(SECOND * 2);
    assert_eq!(world.attempts.len(), 1);
    world.reply_first(Verdict::Delivered);
    assert_eq!(world.attempts.len(), 4);
    world.finish();
}
