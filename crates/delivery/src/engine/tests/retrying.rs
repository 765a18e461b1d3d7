//! What is tried again, what is given up, and who is told what.

use std::time::Duration;

use pipeline::{Code, Status, Verdict};

use super::world::{Sent, World, batch, blocked, busy, invalid, queue, rules, status};
use crate::destination::Reply;
use crate::engine::Note;
use crate::settings::{Halving, Queue};

const SECOND: Duration = Duration::from_secs(1);

/// No batching: every envelope is sent as it came.
fn direct() -> World {
    World::of(Queue { batch: None, ..queue() })
}

fn batching(min_size: usize) -> World {
    World::of(Queue { batch: Some(batch(min_size, 0)), ..queue() })
}

fn delay_of(verdict: Option<Verdict>) -> Option<Duration> {
    match verdict {
        Some(Verdict::RetryAfter { delay, .. }) => delay,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_refusal_for_good_is_not_tried_again() {
    let mut world = direct();
    let member = world.send(0, &[blocked(2)])[0];
    let refused = Verdict::Refused(status(Code::PermissionDenied));
    world.reply_first(refused.clone());
    assert_eq!(world.verdict_of(member), Some(refused));
    world.finish();
}

#[test]
fn a_wait_between_attempts_holds_no_worker() {
    let mut world = World::of(Queue { num_consumers: 1, batch: None, ..queue() });
    world.send(0, &[blocked(2)]);
    world.send(0, &[blocked(3)]);
    assert_eq!(world.started, [2]);
    world.reply_first(busy(None));
    assert_eq!(world.started, [2, 3]);
    world.finish();
}

#[test]
fn waits_grow_up_to_the_longest() {
    let mut world = direct();
    world.send(0, &[blocked(2)]);
    for secs in [1, 2, 4] {
        world.reply_first(busy(None));
        world.pass(SECOND * secs - Duration::from_millis(1));
        assert!(world.attempts.is_empty());
        world.pass(Duration::from_millis(1));
        assert_eq!(world.attempts.len(), 1);
    }
    world.finish();
}

#[test]
fn a_delay_that_the_destination_names_takes_the_place_of_the_schedule() {
    let mut world = direct();
    world.rules.settings.retry.as_mut().unwrap().initial_interval = SECOND * 3;
    world = World::new(world.rules, world.now);
    world.send(0, &[blocked(2)]);
    // It does not grow: a destination that is over its capacity says so again and again.
    for _ in 0..4 {
        world.reply_first(busy(Some(SECOND)));
        world.pass(SECOND - Duration::from_millis(1));
        assert!(world.attempts.is_empty());
        world.pass(Duration::from_millis(1));
        assert_eq!(world.attempts.len(), 1);
    }
    // One that asks to come back at once is not asked again in a loop.
    world.reply_first(busy(Some(Duration::ZERO)));
    assert!(world.attempts.is_empty());
    world.pass(SECOND);
    assert_eq!(world.attempts.len(), 1);
    world.finish();
}

#[test]
fn gives_up_when_the_next_attempt_is_too_late_for_the_operator() {
    let mut world = direct();
    let member = world.send(0, &[blocked(2)])[0];
    for secs in [1, 2, 4] {
        world.reply_first(busy(None));
        world.pass(SECOND * secs);
    }
    // 1 + 2 + 4 seconds are gone, the next wait is 4, the limit is 10.
    world.reply_first(busy(None));
    assert_eq!(delay_of(world.verdict_of(member)), Some(SECOND * 4));
    world.finish();
}

#[test]
fn gives_up_for_the_impatient_and_goes_on_for_the_rest() {
    let mut world = batching(4);
    let within = Duration::from_millis(500);
    let members = world.send(0, &[Sent { within, ..blocked(2) }, blocked(2)]);
    world.reply_first(busy(None));
    assert_eq!(delay_of(world.verdict_of(members[0])), Some(SECOND));
    assert_eq!(world.verdict_of(members[1]), None);
    world.pass(SECOND);
    assert_eq!(world.started, [4, 2]);
    world.finish();
    assert_eq!(world.verdict_of(members[1]), Some(Verdict::Delivered));
}

#[test]
fn every_answer_to_try_later_names_a_delay() {
    let mut world = direct();
    world.rules.settings.retry = None;
    world = World::new(world.rules, world.now);
    let plain = world.send(0, &[blocked(1)])[0];
    world.reply_first(busy(None));
    assert!(delay_of(world.verdict_of(plain)).is_some());
    // Too many requests, without a word on when: final for a client, unless we name a delay.
    let throttled = world.send(0, &[blocked(1)])[0];
    world.reply_first(Verdict::Refused(status(Code::ResourceExhausted)));
    assert!(delay_of(world.verdict_of(throttled)).is_some());
    // Come back at once: that would be a loop.
    let hurried = world.send(0, &[blocked(1)])[0];
    world.reply_first(busy(Some(Duration::ZERO)));
    assert!(delay_of(world.verdict_of(hurried)) > Some(Duration::ZERO));
    world.finish();
}

#[test]
fn what_may_have_been_delivered_is_never_called_safe() {
    let mut world = direct();
    let member = world.send(0, &[Sent { within: SECOND * 2, ..blocked(2) }])[0];
    world.reply_first(Verdict::Unknown(status(Code::DeadlineExceeded)));
    world.pass(SECOND);
    world.reply_first(busy(None));
    assert!(matches!(world.verdict_of(member), Some(Verdict::Unknown(_))));
    world.finish();
}

#[test]
fn an_attempt_that_ends_without_a_word_is_an_answer_to_all_its_callers() {
    let mut world = batching(4);
    let members = world.send(0, &[blocked(2), blocked(2)]);
    let attempt = *world.attempts.keys().next().unwrap();
    world.lose(attempt);
    for member in members {
        assert!(matches!(world.verdict_of(member), Some(Verdict::Unknown(_))));
    }
    assert_eq!(world.engine.queue_used(), 0);
    world.finish();
}

#[test]
fn who_leaves_while_its_data_is_sent_is_not_sent_again() {
    let mut world = batching(4);
    let members = world.send(0, &[blocked(2), blocked(2)]);
    world.leave(members[0]);
    assert_eq!(world.answer_of(members[0]), None);
    world.reply_first(busy(None));
    assert!(world.answer_of(members[0]).is_some());
    world.pass(SECOND);
    assert_eq!(world.started, [4, 2]);
    world.finish();
}

#[test]
fn draining_starts_no_new_wait() {
    let mut world = direct();
    let member = world.send(0, &[blocked(2)])[0];
    world.reply_first(busy(None));
    world.drain(SECOND * 5);
    assert_eq!(world.started, [2, 2]);
    world.reply_first(busy(None));
    assert!(delay_of(world.verdict_of(member)).is_some());
    world.finish();
}

#[test]
fn at_the_end_everyone_is_answered() {
    let mut world = World::of(Queue { num_consumers: 1, batch: None, ..queue() });
    let flying = world.send(0, &[blocked(2)])[0];
    let ready = world.send(0, &[blocked(2)])[0];
    world.drain(SECOND * 5);
    world.pass(SECOND * 5);
    assert!(matches!(world.verdict_of(flying), Some(Verdict::Unknown(_))));
    assert!(delay_of(world.verdict_of(ready)).is_some());
    world.finish();
}

/// Sends `members` callers of one item, of which `poisoned` are refused; gives the attempts.
fn halve(members: usize, poisoned: &[usize]) -> usize {
    let mut world = World::of(Queue { num_consumers: 1, batch: Some(batch(1, 0)), ..queue() });
    let ids = world.send(0, &vec![blocked(1); members]);
    let poisoned: Vec<_> = poisoned.iter().map(|index| ids[*index]).collect();
    while let Some((attempt, start)) = world.attempts.first_key_value() {
        let attempt = *attempt;
        let is_bad = start.parts.iter().any(|part| poisoned.contains(&part.member));
        world.reply(attempt, if is_bad { invalid() } else { Verdict::Delivered });
    }
    for id in ids {
        let expected = if poisoned.contains(&id) { invalid() } else { Verdict::Delivered };
        assert_eq!(world.verdict_of(id), Some(expected));
    }
    let attempts = world.started.len();
    world.finish();
    attempts
}

#[test]
fn the_poisoned_caller_is_found_in_bounded_attempts() {
    for members in [2usize, 3, 7, 64, 1000] {
        for poisoned in [0, members / 2, members - 1] {
            let bound = 2 * members.ilog2() as usize + 8;
            let attempts = halve(members, &[poisoned]);
            assert!(attempts <= bound + 1, "{attempts} for {members}");
        }
    }
}

#[test]
fn two_halves_refused_alike_are_not_halved_further() {
    let mut world = World::of(Queue { num_consumers: 1, batch: Some(batch(1, 0)), ..queue() });
    let ids = world.send(0, &[blocked(1); 64]);
    while !world.attempts.is_empty() {
        world.reply_first(invalid());
    }
    assert_eq!(world.started, [64, 32, 32]);
    assert!(ids.iter().all(|id| world.verdict_of(*id) == Some(invalid())));
    world.finish();
}

#[test]
fn partial_success_is_a_delivery() {
    let reply = || Reply { rejected: 3, warning: Some("bad".into()), ..Verdict::Delivered.into() };
    let mut world = batching(4);
    let alone = world.send(0, &[blocked(4)])[0];
    world.reply_first_with(reply());
    let outcome = world.answer_of(alone).unwrap();
    assert_eq!((outcome.rejected, outcome.warning.as_deref()), (3, Some("bad")));
    // Nobody can say whose items they were.
    let merged = world.send(0, &[blocked(2), blocked(2)]);
    world.reply_first_with(reply());
    for id in merged {
        let outcome = world.answer_of(id).unwrap();
        assert_eq!((outcome.rejected, outcome.warning.as_deref()), (0, Some("bad")));
    }
    assert_eq!(world.started, [4, 4]);
    world.finish();
}

#[test]
fn the_loss_of_acknowledged_data_is_told_to_operators() {
    let mut rules = rules(Queue { wait_for_result: false, ..queue() });
    rules.is_relay = true;
    rules.settings.retry = None;
    let mut world = World::new(rules, runtime::clock::Clock.now());
    world.send(0, &[blocked(10)]);
    let attempt = *world.attempts.keys().next().unwrap();
    world.reply_part(attempt, 0, &busy(None));
    let status = status(Code::Unavailable);
    assert_eq!(world.notes, [Note::GaveUp { status, items: 10, is_owed: true }]);
    world.finish();
}

#[test]
fn halving_can_be_switched_off() {
    let mut world = batching(1);
    world.rules.settings.halving = Halving::Off;
    world = World::new(world.rules, world.now);
    let ids = world.send(0, &[blocked(1); 4]);
    world.reply_first(invalid());
    assert_eq!(world.started, [4]);
    assert_eq!(world.verdict_of(ids[0]), Some(invalid()));
    world.finish();
}

#[test]
fn what_is_too_large_is_halved_down_to_one_item() {
    let mut world = World::of(Queue { num_consumers: 1, batch: None, ..queue() });
    let id = world.send(0, &[blocked(8)])[0];
    while let Some((attempt, start)) = world.attempts.first_key_value() {
        let (attempt, items) = (*attempt, start.items);
        let has_the_large_one = start.parts[0].range.contains(&5);
        let too_large = Status { http: Some(413), ..status(Code::Unknown) };
        let verdict = if 2 < items || has_the_large_one {
            Verdict::Refused(too_large)
        } else {
            Verdict::Delivered
        };
        world.reply(attempt, verdict);
    }
    let outcome = world.answer_of(id).unwrap();
    let refused = outcome.parts.iter().filter(|(_, verdict)| *verdict != Verdict::Delivered);
    let refused: Vec<_> = refused.map(|(range, _)| (range.start, range.end)).collect();
    assert_eq!(refused, [(5, 6)]);
    world.finish();
}
