//! What is merged with what, with the sizes of upstream's own scenarios.

use std::time::Duration;

use pipeline::{Code, Verdict};

use super::world::{World, batch, blocked, open, queue, rules, status};
use crate::engine::MemberId;
use crate::settings::{Batch, LanesMax, Queue, Sizer};

const MILLI: Duration = Duration::from_millis(1);

fn world(batch: Batch) -> World {
    World::of(Queue { batch: Some(batch), ..queue() })
}

fn flushing_after(millis: u32, batch: Batch) -> Batch {
    Batch { flush_timeout: Some(MILLI * millis), ..batch }
}

#[test]
fn two_requests_become_one_export_and_the_timer_sends_the_next() {
    let mut world = world(flushing_after(100, batch(10, 0)));
    world.send(0, &[open(8)]);
    world.send(0, &[open(3)]);
    assert_eq!(world.started, [11]);
    world.send(0, &[open(3)]);
    world.send(0, &[open(1)]);
    world.pass(MILLI * 99);
    assert_eq!(world.started, [11]);
    world.pass(MILLI);
    assert_eq!(world.started, [11, 4]);
    world.finish();
}

#[test]
fn an_export_error_reaches_all_contributors_and_frees_their_room() {
    let refused = Verdict::Refused(status(Code::PermissionDenied));
    for (max, expected) in [(0, 28), (200, 28), (20, 20)] {
        let mut world = world(batch(10, max));
        let members = [4, 4, 20].map(|items| world.send(0, &[blocked(items)])[0]);
        assert_eq!(world.started[0], expected);
        world.reply_first(refused.clone());
        world.finish();
        let verdict = world.answer_of(members[0]).unwrap().parts[0].1.clone();
        assert_eq!(verdict, refused);
    }
}

/// Sends requests of these sizes; the first export that ends while there are `sent_before_failure` is
/// refused, all others are taken. Gives the items that were delivered, and how many callers heard so.
fn delivered_but_one(world: &mut World, items: &[usize], sent_before_failure: usize) -> [usize; 2] {
    let mut members = Vec::new();
    for (sent, items) in (1..).zip(items) {
        members.push((world.send(0, &[open(*items)])[0], *items));
        while !world.attempts.is_empty() {
            let is_failing = sent == sent_before_failure;
            let refused = Verdict::Refused(status(Code::PermissionDenied));
            world.reply_first(if is_failing { refused } else { Verdict::Delivered });
        }
    }
    world.pass(MILLI * 60);
    world.drain(Duration::from_secs(5));
    world.finish();
    let is_told = |id: MemberId| world.verdict_of(id) == Some(Verdict::Delivered);
    let told = members.iter().filter(|(id, _)| is_told(*id));
    [told.clone().map(|(_, items)| items).sum(), told.count()]
}

#[test]
fn without_a_minimum_a_failure_concerns_one_request() {
    for (workers, sizer) in [(1, Sizer::Items), (3, Sizer::Items), (3, Sizer::Bytes)] {
        let batch = Batch { flush_timeout: None, sizer, ..batch(0, 0) };
        let queue = Queue { num_consumers: workers, batch: Some(batch), ..queue() };
        let mut world = World::of(queue);
        assert_eq!(delivered_but_one(&mut world, &[8, 8, 17, 13, 35, 2], 2), [75, 5]);
        assert_eq!(world.started, [8, 8, 17, 13, 35, 2]);
    }
}

#[test]
fn what_is_below_the_minimum_leaves_with_the_next_or_at_shutdown() {
    let mut world = world(flushing_after(3_600_000, batch(10, 0)));
    assert_eq!(delivered_but_one(&mut world, &[8, 8, 7, 13, 35, 2], 2), [57, 4]);
    assert_eq!(world.started, [16, 20, 35, 2]);
}

#[test]
fn what_stays_below_the_minimum_leaves_with_the_timer() {
    let mut world = world(flushing_after(50, batch(100, 0)));
    assert_eq!(delivered_but_one(&mut world, &[8, 17, 13, 35, 2], 0), [75, 5]);
    assert_eq!(world.started, [75]);
}

#[test]
fn requests_that_were_answered_before_leave_as_one_at_shutdown() {
    let batch = flushing_after(3_600_000, batch(1000, 0));
    let mut world = World::of(Queue { wait_for_result: false, batch: Some(batch), ..queue() });
    let sent: Vec<_> = (0..3).map(|_| world.send(0, &[open(2)])[0]).collect();
    assert_eq!(world.acknowledged, sent);
    world.drain(Duration::from_secs(5));
    assert_eq!(world.started, [6]);
    world.finish();
}

#[test]
fn full_pieces_are_cut_to_the_maximum_and_the_rest_leaves_at_shutdown() {
    let batch = flushing_after(3_600_000, batch(100, 100));
    let mut world = World::of(Queue { num_consumers: 20, batch: Some(batch), ..queue() });
    let small = [8, 17, 13, 35, 2, 30].map(|items| world.send(0, &[open(items)])[0]);
    assert_eq!(world.started, [100]);
    let large = world.send(0, &[open(900)])[0];
    assert_eq!(world.started, [100; 10]);
    for _ in 0..9 {
        world.reply_first(Verdict::Delivered);
    }
    assert!(small.iter().all(|id| world.verdict_of(*id) == Some(Verdict::Delivered)));
    assert_eq!(world.answer_of(large), None);
    world.drain(Duration::from_secs(5));
    assert_eq!(world.started.last(), Some(&5));
    world.finish();
    assert_eq!(world.verdict_of(large), Some(Verdict::Delivered));
}

#[test]
fn a_piece_that_fails_fails_all_whose_data_it_has_and_nobody_else() {
    let mut world = world(batch(5, 7));
    let first = world.send(0, &[blocked(9)])[0];
    let second = world.send(0, &[blocked(4)])[0];
    assert_eq!(world.started, [7, 6]);
    world.reply_first(Verdict::Delivered);
    assert_eq!(world.answer_of(first), None);
    let refused = Verdict::Refused(status(Code::PermissionDenied));
    world.reply_first(refused.clone());
    let verdicts: Vec<_> = world.answer_of(first).unwrap().parts.clone();
    assert_eq!(verdicts, [(0..7, Verdict::Delivered), (7..9, refused.clone())]);
    assert_eq!(world.verdict_of(second), Some(refused));
    world.finish();
}

#[test]
fn six_waiting_callers_are_answered_by_two_exports() {
    let mut world = world(batch(3, 0));
    let members: Vec<_> = (0..6).map(|_| world.send(0, &[blocked(1)])[0]).collect();
    assert_eq!(world.started, [3, 3]);
    world.finish();
    assert!(members.iter().all(|id| world.verdict_of(*id) == Some(Verdict::Delivered)));
}

#[test]
fn the_timer_starts_with_the_data_that_it_is_for() {
    let mut world = world(flushing_after(100, batch(8, 0)));
    world.send(0, &[open(4)]);
    world.pass(MILLI * 30);
    world.send(0, &[open(4)]);
    assert_eq!(world.started, [8]);
    world.pass(MILLI * 60);
    world.send(0, &[open(4)]);
    // The timer of the first batch would end now.
    world.pass(MILLI * 99);
    assert_eq!(world.started, [8]);
    world.pass(MILLI);
    assert_eq!(world.started, [8, 4]);
    world.finish();
}

#[test]
fn each_partition_has_its_own_timer() {
    let mut world = world(flushing_after(100, batch(100, 0)));
    for _ in 0..2 {
        world.send(1, &[open(8)]);
        world.send(2, &[open(6)]);
    }
    world.pass(MILLI * 100);
    // Before one of them is proven, each lane gets one attempt.
    world.finish();
    assert_eq!(world.started, [16, 12]);
}

#[test]
fn ten_thousand_and_one_partitions_pass_through_one_worker() {
    let batch = flushing_after(3_600_000, batch(100, 0));
    let mut rules = rules(Queue { num_consumers: 1, batch: Some(batch), ..queue() });
    rules.settings.timeout = None;
    rules.settings.lanes.max = LanesMax::Evict(10_000);
    let mut world = World::new(rules, runtime::clock::Clock.now());
    for lane in 0..10_001 {
        world.send(lane, &[open(1)]);
    }
    // The last one makes the oldest go, which holds data: that leaves at once.
    assert_eq!(world.started, [1]);
    assert!(world.engine.lanes_len() <= 10_001);
    world.drain(Duration::from_secs(50));
    for _ in 0..10_001 {
        world.reply_first(Verdict::Delivered);
    }
    world.finish();
    assert_eq!(world.started.len(), 10_001);
}

#[test]
fn shutdown_while_a_partition_becomes_idle_ends() {
    let queue = Queue { batch: Some(batch(1, 0)), ..queue() };
    let idle_timeout = Some(MILLI * 1000);
    let mut world = World::with_lanes(queue, |lanes| lanes.idle_timeout = idle_timeout);
    world.send(1, &[blocked(1)]);
    world.reply_first(Verdict::Delivered);
    world.pass(MILLI * 999);
    world.send(2, &[blocked(1)]);
    world.drain(MILLI);
    world.pass(MILLI);
    assert!(world.engine.is_empty());
    world.pass(MILLI * 5000);
    assert_eq!(world.engine.lanes_len(), 0);
    world.finish();
}
