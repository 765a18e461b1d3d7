//! When a batch is cut, and how.

use std::time::Duration;

use pipeline::Verdict;

use super::world::{Sent, World, batch, blocked, open, queue};
use crate::engine::Event;
use crate::settings::{LanesMax, Queue};

const MILLI: Duration = Duration::from_millis(1);

fn world(min_size: usize, max_size: usize) -> World {
    World::of(Queue { batch: Some(batch(min_size, max_size)), ..queue() })
}

#[test]
fn cuts_at_the_minimum_when_a_worker_is_free() {
    let mut world = world(10, 0);
    world.send(0, &[open(6)]);
    assert_eq!(world.started, [0; 0]);
    world.send(0, &[open(6)]);
    assert_eq!(world.started, [12]);
    world.finish();
}

#[test]
fn grows_to_the_maximum_while_all_workers_are_busy() {
    let mut world = world(10, 20);
    world.send(0, &[open(10)]);
    world.send(0, &[open(10)]);
    for _ in 0..5 {
        world.send(0, &[open(10)]);
    }
    assert_eq!(world.started, [10, 10]);
    world.reply_first(Verdict::Delivered);
    world.reply_first(Verdict::Delivered);
    assert_eq!(world.started, [10, 10, 20, 20]);
    world.finish();
    assert_eq!(world.started, [10, 10, 20, 20, 10]);
}

#[test]
fn full_pieces_leave_at_once_and_concurrently() {
    let mut world = world(5, 10);
    world.send(0, &[open(8)]);
    world.send(0, &[open(17)]);
    assert_eq!(world.started, [8, 10]);
    world.reply_first(Verdict::Delivered);
    assert_eq!(world.started, [8, 10, 7]);
    world.finish();
}

#[test]
fn the_timer_cuts_what_waits_for_company() {
    let mut world = world(100, 0);
    world.send(0, &[open(4)]);
    world.pass(199 * MILLI);
    assert_eq!(world.started, [0; 0]);
    world.pass(MILLI);
    assert_eq!(world.started, [4]);
    world.finish();
}

#[test]
fn nobody_waits_for_company_that_cannot_come() {
    let mut world = world(100, 0);
    world.send(0, &[blocked(4)]);
    world.pass(15 * MILLI);
    world.send(0, &[blocked(4)]);
    world.pass(19 * MILLI);
    assert_eq!(world.started, [0; 0]);
    world.pass(MILLI);
    assert_eq!(world.started, [8]);
    world.finish();
}

#[test]
fn one_caller_that_may_send_more_is_company_to_wait_for() {
    let mut world = world(100, 0);
    world.send(0, &[blocked(4)]);
    let leaving = world.send(0, &[open(4)]);
    world.pass(50 * MILLI);
    assert_eq!(world.started, [0; 0]);
    // It leaves, and with it the reason to wait.
    world.leave(leaving[0]);
    world.pass(150 * MILLI);
    assert_eq!(world.started, [4]);
    world.finish();
}

#[test]
fn a_tail_leaves_when_its_caller_waits_for_nothing_else() {
    let mut world = world(128, 130);
    world.send(0, &[open(150)]);
    assert_eq!(world.started, [130]);
    world.reply_first(Verdict::Delivered);
    assert_eq!(world.started, [130, 20]);
    world.finish();
}

#[test]
fn a_full_queue_waits_for_nobody() {
    let queue =
        Queue { block_on_overflow: true, queue_size: 30, batch: Some(batch(25, 0)), ..queue() };
    let mut world = World::of(queue);
    world.send(0, &[open(20)]);
    assert_eq!(world.started, [0; 0]);
    world.send(0, &[open(20)]);
    assert_eq!(world.started, [20]);
    world.finish();
}

#[test]
fn someone_refused_at_the_edge_cuts_what_waits() {
    let mut world = world(100, 0);
    world.send(0, &[open(20)]);
    world.step(Event::Crowded);
    assert_eq!(world.started, [20]);
    world.finish();
}

#[test]
fn draining_waits_for_nobody() {
    let mut world = world(100, 0);
    world.send(0, &[open(3)]);
    world.drain(Duration::from_secs(5));
    assert_eq!(world.started, [3]);
    world.send(0, &[open(4)]);
    assert_eq!(world.started, [3, 4]);
    world.finish();
}

#[test]
fn an_engine_without_work_drains_at_once() {
    let mut world = world(10, 0);
    world.drain(Duration::from_secs(5));
    assert!(world.engine.is_empty());
    assert_eq!(world.engine.next_timer(), None);
    world.finish();
}

#[test]
fn room_that_is_freed_admits_in_order_all_who_fit() {
    let queue = Queue {
        num_consumers: 1,
        block_on_overflow: true,
        queue_size: 10,
        batch: None,
        wait_for_result: false,
        ..queue()
    };
    let mut world = World::of(queue);
    let first = world.send(0, &[open(10)]);
    let small: Vec<_> = (0..3).map(|_| world.send(0, &[open(3)])[0]).collect();
    let large = world.send(0, &[open(8)]);
    let last = world.send(0, &[open(1)]);
    assert_eq!(world.acknowledged, first);
    world.reply_first(Verdict::Delivered);
    // The last would fit, but it came after one who does not.
    assert_eq!(world.acknowledged, [&first[..], &small[..]].concat());
    world.finish();
    assert_eq!(world.acknowledged, [&first[..], &small[..], &large[..], &last[..]].concat());
}

#[test]
fn who_leaves_while_waiting_for_room_makes_way() {
    let queue =
        Queue { num_consumers: 1, block_on_overflow: true, queue_size: 10, batch: None, ..queue() };
    let mut world = World::of(queue);
    world.send(0, &[open(8)]);
    let large = world.send(0, &[open(9)]);
    world.send(0, &[open(2)]);
    assert_eq!(world.engine.queue_used(), 8);
    world.leave(large[0]);
    assert!(world.answer_of(large[0]).is_some());
    assert_eq!(world.engine.queue_used(), 10);
    world.finish();
}

#[test]
fn who_leaves_gives_its_room_back() {
    let mut world = World::of(Queue { block_on_overflow: true, queue_size: 10, ..queue() });
    let leaving = world.send(0, &[open(8)]);
    let waiting = world.send(0, &[open(9)]);
    assert_eq!(world.started, [8]);
    world.leave(leaving[0]);
    world.reply_first(Verdict::Delivered);
    assert!(world.answer_of(leaving[0]).is_some());
    assert_eq!(world.engine.queue_used(), 9);
    world.leave(waiting[0]);
    assert_eq!(world.engine.queue_used(), 0);
    world.finish();
}

#[test]
fn a_hundred_who_leave_at_once_do_not_stop_the_queue() {
    let queue =
        Queue { num_consumers: 1, block_on_overflow: true, queue_size: 10, batch: None, ..queue() };
    let mut world = World::of(queue);
    world.send(0, &[open(10)]);
    let parked: Vec<_> = (0..100).map(|_| world.send(0, &[open(10)])[0]).collect();
    let stays = world.send(0, &[open(10)]);
    for member in parked {
        world.leave(member);
    }
    world.reply_first(Verdict::Delivered);
    assert_eq!(world.attempts.len(), 1);
    world.reply_first(Verdict::Delivered);
    assert_eq!(world.verdict_of(stays[0]), Some(Verdict::Delivered));
    world.finish();
}

#[test]
fn lanes_are_never_merged() {
    let mut world = world(10, 0);
    for _ in 0..2 {
        world.send(1, &[open(8)]);
        world.send(2, &[open(6)]);
    }
    world.finish();
    assert_eq!(world.started, [16, 12]);
}

#[test]
fn an_evicted_lane_makes_its_data_ready_and_waits_for_nothing() {
    let queue = Queue { num_consumers: 1, batch: Some(batch(100, 0)), ..queue() };
    let mut world = World::with_lanes(queue, |lanes| lanes.max = LanesMax::Evict(2));
    for lane in 0..50 {
        world.send(lane, &[open(1)]);
    }
    assert_eq!(world.started, [1]);
    world.finish();
    assert_eq!(world.started.len(), 50);
    assert!(world.engine.lanes_len() <= 2, "{}", world.engine.lanes_len());
}

#[test]
fn an_idle_lane_is_forgotten() {
    let queue = Queue { batch: Some(batch(1, 0)), ..queue() };
    let idle_timeout = Some(Duration::from_secs(90));
    let mut world = World::with_lanes(queue, |lanes| lanes.idle_timeout = idle_timeout);
    world.send(0, &[open(1)]);
    world.reply_first(Verdict::Delivered);
    world.pass(Duration::from_secs(89));
    assert_eq!(world.engine.lanes_len(), 1);
    world.pass(Duration::from_secs(1));
    assert_eq!(world.engine.lanes_len(), 0);
    assert_eq!(world.engine.next_timer(), None);
}

#[test]
fn a_batch_carries_the_latest_deadline_of_its_members() {
    let mut world = world(2, 0);
    world.rules.settings.timeout = None;
    world = World::new(world.rules, world.now);
    let sent = |secs| Sent { within: Duration::from_secs(secs), ..blocked(1) };
    world.send(0, &[sent(1), sent(10)]);
    let start = world.attempts.values().next().unwrap();
    assert_eq!(start.deadline, world.now + Duration::from_secs(10));
    world.finish();
}
