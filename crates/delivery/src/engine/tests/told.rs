//! What operators are told of what fails: once each, as loud as it is theirs to mend.

use std::time::Duration;

use pipeline::{Code, Verdict};

use super::world::{Sent, World, batch, blocked, queue, rules, status};
use crate::destination::Reply;
use crate::engine::{Note, Urgency};
use crate::settings::{Lanes, Queue};
use crate::target::Scope;

const SECOND: Duration = Duration::from_secs(1);

fn world() -> World {
    let mut rules = rules(Queue { batch: Some(batch(1, 1)), ..queue() });
    rules.settings.retry.as_mut().unwrap().max_elapsed_time = None;
    rules.settings.lanes = Lanes { idle_timeout: None, ..rules.settings.lanes };
    World::new(rules, runtime::clock::Clock.now())
}

fn patient() -> Sent {
    Sent { within: Duration::from_hours(2), ..blocked(1) }
}

/// What was told since this was asked last: how urgent, or that it works again.
fn told(world: &mut World) -> Vec<Option<Urgency>> {
    let notes = std::mem::take(&mut world.notes).into_iter();
    let told = notes.filter_map(|note| match note {
        Note::WillRetry { urgency, .. } => Some(Some(urgency)),
        Note::Resumed { .. } => Some(None),
        _ => None,
    });
    told.collect()
}

/// Everything fails for a while, every four seconds at least.
fn fail_for(world: &mut World, code: Code, time: Duration) {
    let until = world.now + time;
    while world.now < until {
        while !world.attempts.is_empty() {
            world.reply_first(Verdict::RetryAfter { delay: None, status: status(code) });
        }
        world.pass(4 * SECOND);
    }
}

#[test]
fn what_only_a_person_can_mend_is_a_warning_at_once_for_each_lane() {
    let mut world = world();
    world.send(1, &[patient()]);
    world.send(2, &[patient()]);
    fail_for(&mut world, Code::PermissionDenied, 60 * SECOND);
    let failed = told(&mut world);
    assert!(8 < failed.len(), "{failed:?}");
    assert_eq!(failed.iter().filter(|one| **one == Some(Urgency::Warning)).count(), 2);
    assert!(failed.iter().all(|one| *one != Some(Urgency::News)));
    world.finish();
    assert_eq!(told(&mut world), [None, None]);
}

#[test]
fn of_many_that_fail_for_long_one_is_a_warning_again_every_ten_minutes() {
    let mut world = world();
    (0..5).for_each(|lane| drop(world.send(lane, &[patient()])));
    fail_for(&mut world, Code::PermissionDenied, 3000 * SECOND);
    let warnings = told(&mut world).iter().filter(|one| **one == Some(Urgency::Warning)).count();
    assert_eq!(warnings, 5 + 4, "in fifty minutes");
    world.finish();
}

#[test]
fn what_may_pass_by_itself_is_news_and_a_warning_when_it_goes_on_for_a_minute() {
    let mut world = world();
    world.send(1, &[patient()]);
    fail_for(&mut world, Code::Unavailable, 50 * SECOND);
    let first = told(&mut world);
    assert_eq!(first[0], Some(Urgency::News));
    assert!(first[1..].iter().all(|one| *one == Some(Urgency::Known)), "{first:?}");
    fail_for(&mut world, Code::Unavailable, 50 * SECOND);
    let then = told(&mut world);
    assert_eq!(then.iter().filter(|one| **one == Some(Urgency::Warning)).count(), 1, "{then:?}");
    world.finish();
}

#[test]
fn what_several_rely_on_is_told_once_for_all() {
    let mut world = world();
    let scope = Scope::new("credential");
    for target in 0..50 {
        world.send_behind(target, std::slice::from_ref(&scope));
    }
    for _ in 0..5 {
        while !world.attempts.is_empty() {
            let verdict =
                Verdict::RetryAfter { delay: None, status: status(Code::Unauthenticated) };
            world.reply_first_with(Reply { scope: Some(scope.clone()), ..verdict.into() });
        }
        world.pass(4 * SECOND);
    }
    let failed = told(&mut world);
    assert_eq!(failed.iter().filter(|one| **one == Some(Urgency::Warning)).count(), 1);
    assert!(failed.iter().all(|one| one.is_some() && *one != Some(Urgency::News)), "{failed:?}");
    world.finish();
    assert_eq!(told(&mut world), [None], "it works again");
}
