//! What several targets rely on fails for all of them once, and is probed once.

use std::time::Duration;

use pipeline::{Code, Verdict};

use super::world::{World, batch, busy, queue, rules, status};
use crate::destination::Reply;
use crate::engine::MemberId;
use crate::settings::{Lanes, Queue};
use crate::target::Scope;

const SECOND: Duration = Duration::from_secs(1);

fn world() -> World {
    let mut rules = rules(Queue { num_consumers: 4, batch: Some(batch(1, 1)), ..queue() });
    rules.settings.lanes = Lanes { idle_timeout: None, ..Lanes::default() };
    World::new(rules, runtime::clock::Clock.now())
}

fn credential() -> Scope {
    Scope::new("credential")
}

/// A failure that is about `scope`.
fn failure(scope: &Scope, delay: Option<Duration>) -> Reply {
    let status = status(Code::Unauthenticated);
    Reply { scope: Some(scope.clone()), ..Verdict::RetryAfter { delay, status }.into() }
}

/// A hundred targets, each with something to send.
fn send_to_all(world: &mut World, scopes: &[Scope]) -> Vec<MemberId> {
    (0..100).map(|target| world.send_behind(target, scopes)).collect()
}

fn fail_all(world: &mut World, scope: &Scope, delay: Option<Duration>) {
    while !world.attempts.is_empty() {
        world.reply_first_with(failure(scope, delay));
    }
}

#[test]
fn a_broken_credential_is_probed_once_for_all_who_rely_on_it() {
    let mut world = world();
    let members = send_to_all(&mut world, &[credential()]);
    fail_all(&mut world, &credential(), Some(SECOND));
    // Those that were under way; nobody else had to find out.
    assert!(world.started.len() <= 4, "{}", world.started.len());
    for _ in 0..3 {
        let before = world.started.len();
        world.pass(SECOND * 2);
        assert_eq!((world.attempts.len(), world.started.len()), (1, before + 1));
        fail_all(&mut world, &credential(), Some(SECOND));
    }
    world.pass(SECOND * 2);
    world.reply_first(Verdict::Delivered);
    assert!(1 < world.attempts.len());
    world.finish();
    assert!(members.iter().all(|id| world.verdict_of(*id) == Some(Verdict::Delivered)));
}

#[test]
fn who_is_not_behind_a_scope_goes_on() {
    let mut world = world();
    world.send_behind(1, &[credential()]);
    let other = world.send_behind(2, &[]);
    world.reply_first_with(failure(&credential(), Some(SECOND * 8)));
    world.reply_first(Verdict::Delivered);
    assert_eq!(world.verdict_of(other), Some(Verdict::Delivered));
    world.send_behind(2, &[]);
    assert_eq!(world.attempts.len(), 1);
    world.finish();
}

#[test]
fn three_failures_in_a_row_shut_a_scope_that_names_no_delay() {
    let mut world = world();
    send_to_all(&mut world, &[credential()]);
    for _ in 0..3 {
        world.reply_first_with(failure(&credential(), None));
    }
    let started = world.started.len();
    fail_all(&mut world, &credential(), None);
    assert_eq!(world.started.len(), started);
    world.finish();
}

#[test]
fn a_failure_of_the_targets_own_shows_that_the_scope_works() {
    let mut world = world();
    let members = send_to_all(&mut world, &[credential()]);
    fail_all(&mut world, &credential(), Some(SECOND));
    world.pass(SECOND * 2);
    assert_eq!(world.attempts.len(), 1);
    world.reply_first(busy(None));
    assert!(1 < world.attempts.len());
    world.finish();
    assert!(members.iter().all(|id| world.answer_of(*id).is_some()));
}

#[test]
fn a_probe_without_an_answer_keeps_the_others_waiting() {
    let mut world = world();
    send_to_all(&mut world, &[credential()]);
    fail_all(&mut world, &credential(), Some(SECOND));
    world.pass(SECOND * 2);
    world.reply_first(Verdict::Unknown(status(Code::DeadlineExceeded)));
    assert!(world.attempts.is_empty());
    world.pass(SECOND * 3);
    assert_eq!(world.attempts.len(), 1);
    let probe = *world.attempts.keys().next().unwrap();
    world.lose(probe);
    assert!(world.attempts.is_empty());
    world.finish();
}

#[test]
fn an_answer_to_what_was_under_way_before_does_not_end_the_pause() {
    let mut world = world();
    send_to_all(&mut world, &[credential()]);
    assert!(1 < world.attempts.len());
    world.reply_first_with(failure(&credential(), Some(SECOND * 3)));
    world.reply_first(Verdict::Delivered);
    let under_way = world.attempts.len();
    assert_eq!(world.started.len(), 2 + under_way);
    world.pass(SECOND * 2);
    assert_eq!(world.attempts.len(), under_way);
    world.finish();
}

#[test]
fn a_target_that_meets_a_scope_waits_with_the_others() {
    let mut world = world();
    let creation = Scope::new("creation of streams");
    let first = world.send_behind(1, &[]);
    let second = world.send_behind(2, &[]);
    world.reply_first_with(failure(&creation, Some(SECOND)));
    world.reply_first_with(failure(&creation, Some(SECOND)));
    world.pass(SECOND * 2);
    assert_eq!(world.attempts.len(), 1);
    world.reply_first(Verdict::Delivered);
    assert_eq!(world.attempts.len(), 1);
    world.finish();
    assert_eq!(world.verdict_of(first), Some(Verdict::Delivered));
    assert_eq!(world.verdict_of(second), Some(Verdict::Delivered));
}

#[test]
fn the_end_of_a_probe_is_heard_whatever_it_was_about() {
    let mut world = world();
    world.send_behind(1, &[credential()]);
    world.reply_first_with(failure(&credential(), Some(SECOND)));
    world.pass(SECOND * 2);
    let probe = *world.attempts.keys().next().unwrap();
    // One that was not known to rely on it fails by it while the probe is under way.
    world.send_behind(2, &[]);
    let other = *world.attempts.keys().next_back().unwrap();
    world.reply_with(other, failure(&credential(), Some(SECOND)));
    world.reply_with(probe, failure(&Scope::new("endpoint"), Some(SECOND)));
    world.finish();
}

#[test]
fn draining_tells_those_behind_a_scope_now() {
    let mut world = world();
    let members = send_to_all(&mut world, &[credential()]);
    fail_all(&mut world, &credential(), Some(SECOND));
    let started = world.started.len();
    world.drain(SECOND * 5);
    assert_eq!(world.started.len(), started);
    let is_told = |id| matches!(world.verdict_of(id), Some(Verdict::RetryAfter { .. }));
    assert!(members.into_iter().all(is_told));
    world.finish();
}
