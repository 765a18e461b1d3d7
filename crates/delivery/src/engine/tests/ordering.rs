//! Ordered lanes: one batch at a time, whatever becomes of it.

use std::time::Duration;

use pipeline::{Code, Verdict};

use super::world::{World, batch, blocked, busy, invalid, queue, rules, status};
use crate::engine::MemberId;
use crate::settings::{Halving, Lanes, LanesMax, Queue};

const SECOND: Duration = Duration::from_secs(1);

fn world(max_size: usize) -> World {
    let mut rules = rules(Queue { num_consumers: 4, batch: Some(batch(1, max_size)), ..queue() });
    let lanes = &mut rules.settings.lanes;
    *lanes =
        Lanes { is_ordered: true, metadata_keys: lanes.metadata_keys.clone(), ..lanes.clone() };
    rules.settings.halving = Halving::Items;
    World::new(rules, runtime::clock::Clock.now())
}

/// The members and first items of what is being sent.
fn under_way(world: &World) -> Vec<(MemberId, usize)> {
    let parts = world.attempts.values().map(|start| &start.parts[0]);
    parts.map(|part| (part.member, part.range.start)).collect()
}

#[test]
fn the_next_batch_waits_until_the_last_has_ended() {
    let mut world = world(1);
    let members: Vec<_> = (0..3).map(|_| world.send(0, &[blocked(1)])[0]).collect();
    assert_eq!(under_way(&world), [(members[0], 0)]);
    // A wait between attempts is part of it.
    world.reply_first(busy(None));
    assert_eq!(under_way(&world), []);
    world.pass(SECOND);
    assert_eq!(under_way(&world), [(members[0], 0)]);
    world.reply_first(Verdict::Delivered);
    assert_eq!(under_way(&world), [(members[1], 0)]);
    world.finish();
}

#[test]
fn who_leaves_between_attempts_makes_way() {
    let mut world = world(1);
    let members: Vec<_> = (0..2).map(|_| world.send(0, &[blocked(1)])[0]).collect();
    world.reply_first(busy(None));
    world.leave(members[0]);
    assert_eq!(under_way(&world), [(members[1], 0)]);
    world.finish();
}

#[test]
fn halves_leave_in_order() {
    let mut world = world(8);
    let member = world.send(0, &[blocked(8)])[0];
    let next = world.send(0, &[blocked(1)])[0];
    let mut order = Vec::new();
    while let Some((attempt, start)) = world.attempts.first_key_value() {
        assert_eq!(world.attempts.len(), 1);
        let part = &start.parts[0];
        let is_bad = part.member == member && (part.range.contains(&2) || part.range.contains(&5));
        if !is_bad {
            order.push((part.member, part.range.start));
        }
        world.reply(*attempt, if is_bad { invalid() } else { Verdict::Delivered });
    }
    let expected = [(member, 0), (member, 3), (member, 4), (member, 6), (next, 0)];
    assert_eq!(order, expected);
    let refused = world.answer_of(member).unwrap().parts.clone();
    let refused: Vec<_> = refused.into_iter().filter(|(_, v)| *v != Verdict::Delivered).collect();
    assert_eq!(refused, [(2..3, invalid()), (5..6, invalid())]);
    world.finish();
}

#[test]
fn one_bad_item_of_ten_thousand_is_refused_alone() {
    for bad in [0, 4711, 9999] {
        let mut world = world(10_000);
        let member = world.send(0, &[blocked(10_000)])[0];
        while let Some((attempt, start)) = world.attempts.first_key_value() {
            let is_bad = start.parts[0].range.contains(&bad);
            world.reply(*attempt, if is_bad { invalid() } else { Verdict::Delivered });
        }
        let parts = &world.answer_of(member).unwrap().parts;
        let refused = parts.iter().filter(|(_, verdict)| *verdict != Verdict::Delivered);
        assert_eq!(refused.collect::<Vec<_>>(), [&(bad..bad + 1, invalid())]);
        assert!(world.started.len() <= 1 + 2 * 14, "{}", world.started.len());
        world.finish();
    }
}

#[test]
fn what_is_all_bad_is_refused_in_bounded_attempts() {
    let mut world = world(10_000);
    let member = world.send(0, &[blocked(10_000)])[0];
    while !world.attempts.is_empty() {
        world.reply_first(invalid());
    }
    assert_eq!(world.verdict_of(member), Some(invalid()));
    assert!(world.started.len() <= 1 + 8 * 13 + 8, "{}", world.started.len());
    world.finish();
}

#[test]
fn a_lane_in_use_is_never_parted_to_make_room_for_another() {
    let mut world = world(1);
    world.rules.settings.lanes.max = LanesMax::Evict(2);
    world = World::new(world.rules, world.now);
    world.send(1, &[blocked(1)]);
    world.send(2, &[blocked(1)]);
    let refused = world.send(3, &[blocked(1)])[0];
    assert!(matches!(world.verdict_of(refused), Some(Verdict::RetryAfter { .. })));
    world.reply_first(Verdict::Delivered);
    let taken = world.send(3, &[blocked(1)])[0];
    assert_eq!(world.answer_of(taken), None);
    world.finish();
}

#[test]
fn expiry_ends_the_batch_for_good_and_resumes_the_lane() {
    let mut world = world(1);
    world.rules.settings.retry.as_mut().unwrap().is_expiry_final = true;
    world = World::new(world.rules, world.now);
    let old = world.send(0, &[blocked(1)])[0];
    let next = world.send(0, &[blocked(1)])[0];
    for secs in [1, 2, 4] {
        world.reply_first(busy(None));
        world.pass(SECOND * secs);
    }
    // The next wait would end too late: it ends now, and with it what was halted for it.
    world.reply_first(busy(None));
    assert!(matches!(world.verdict_of(old), Some(Verdict::Refused(_))));
    assert_eq!(under_way(&world), [(next, 0)]);
    world.finish();
    assert_eq!(world.verdict_of(next), Some(Verdict::Delivered));
}

#[test]
fn draining_resumes_nothing_that_is_halted() {
    let mut world = world(1);
    let members: Vec<_> = (0..3).map(|_| world.send(0, &[blocked(1)])[0]).collect();
    let denied = Verdict::RetryAfter { delay: None, status: status(Code::PermissionDenied) };
    world.reply_first(denied);
    world.drain(SECOND * 5);
    assert_eq!(world.started.len(), 1);
    let is_told = |id| matches!(world.verdict_of(id), Some(Verdict::RetryAfter { .. }));
    assert!(members.into_iter().all(is_told));
    assert!(world.engine.is_empty());
    world.finish();
}
