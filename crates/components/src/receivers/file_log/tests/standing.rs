//! Standing: files whose target takes nothing cost the others neither turns nor memory.

use std::time::Duration;

use pipeline::Verdict;

use super::world::{World, later, limits};
use crate::receivers::file_log::tracker::{Limits, Standing};
use crate::receivers::file_log::window::SENT_MAX;

const LONG: Duration = Duration::from_secs(6);

fn world() -> World {
    World::new(Limits { trial_max: 1, ..limits() })
}

fn lines(count: usize) -> String {
    (0..count).map(|number| format!("line {number}\n")).collect()
}

#[test]
fn a_file_is_on_trial_until_something_of_it_was_delivered_and_again_when_it_was_not() {
    let mut world = world();
    world.write("a.log", &lines(200));
    world.read_all();
    assert_eq!(world.in_flight.len(), 1);
    world.deliver_all();
    world.read_all();
    assert_eq!(world.in_flight.len(), SENT_MAX);
    for token in world.in_flight.keys().copied().collect::<Vec<_>>() {
        world.answer(token, &later());
    }
    world.pass(LONG);
    world.read_all();
    assert_eq!(world.in_flight.len(), 1);
}

#[test]
fn what_has_no_answer_for_long_is_withdrawn_for_others_the_first_payload_last() {
    let mut world = world();
    for (name, count) in [("a.log", 200), ("b.log", 1)] {
        world.write(name, &lines(count));
        world.read_all();
        let newest = *world.in_flight.keys().last().unwrap();
        world.answer(newest, &Verdict::Delivered);
        world.read_all();
    }
    let silent: Vec<_> = world.in_flight.keys().copied().collect();
    assert_eq!(silent.len(), SENT_MAX);
    world.pass(LONG);
    assert!(world.tracker.withdraw(Standing::Proven, world.now).is_empty(), "nobody waits");
    world.write("b.log", &lines(1));
    world.look();
    let withdrawn = world.tracker.withdraw(Standing::Proven, world.now);
    assert_eq!(withdrawn, silent[1..], "the first has its place, and its age");
    withdrawn.iter().for_each(|token| world.answer(*token, &later()));
    world.write("c.log", &lines(1));
    world.look();
    assert!(world.tracker.withdraw(Standing::Trial, world.now).is_empty(), "not for long");
    world.pass(LONG);
    assert_eq!(world.tracker.withdraw(Standing::Trial, world.now), silent[..1]);
    world.settle();
    assert_eq!(world.delivered.len(), 203);
}
