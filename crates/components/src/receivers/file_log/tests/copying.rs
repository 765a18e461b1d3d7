//! Copying: what was on its way when a file was copied and cut is not lost when it fails.

use std::time::Duration;

use pipeline::Verdict;

use super::world::{World, later, limits};
use crate::receivers::file_log::tracker::{Event, Limits};
use crate::receivers::file_log::window::Token;

fn lines(range: std::ops::Range<usize>) -> String {
    range.map(|number| format!("line {number:05}\n")).collect()
}

/// A file of which two payloads are on their way, copied and cut since.
fn world() -> (World, [Token; 2]) {
    let mut world = World::new(Limits { chunk_min: 120, chunk_max: 120, ..limits() });
    world.write("a.log", &lines(0..20));
    world.read_all();
    let tokens: Vec<Token> = world.in_flight.keys().copied().collect();
    world.copy_and_truncate("a.log", "a.log.1");
    world.write("a.log", &lines(20..25));
    (world, [tokens[0], tokens[1]])
}

/// Holds that each line came once, and how many are told to be lost.
fn expect(world: &mut World, range: std::ops::Range<usize>, lost: u64) {
    world.delivered.sort_unstable();
    let expected: Vec<String> = lines(range).lines().map(str::to_owned).collect();
    assert_eq!(world.delivered, expected);
    let told = world.told.iter().map(|told| match told {
        Event::Dropped { records, .. } => *records,
        _ => 0,
    });
    assert_eq!(told.sum::<u64>(), lost);
}

#[test]
fn what_fails_after_a_copy_took_over_is_read_again_from_it() {
    let (mut world, [first, second]) = world();
    world.read_all();
    world.answer(second, &Verdict::Delivered);
    world.answer(first, &later());
    world.settle();
    expect(&mut world, 0..25, 0);
}

#[test]
fn what_fails_before_a_copy_is_seen_is_read_again_from_it() {
    let (mut world, [first, second]) = world();
    // The cut is noticed first.
    while world.told.iter().all(|told| !matches!(told, Event::Truncated { .. })) {
        world.look();
        world.turn();
    }
    world.answer(first, &Verdict::Delivered);
    world.answer(second, &later());
    world.settle();
    expect(&mut world, 0..25, 0);
}

#[test]
fn what_is_delivered_after_the_cut_is_not_read_again() {
    let (mut world, _) = world();
    world.settle();
    expect(&mut world, 0..25, 0);
}

#[test]
fn after_a_restart_a_copy_is_read_on_from_what_was_not_delivered() {
    let (mut world, [first, _]) = world();
    world.read_all();
    world.answer(first, &Verdict::Delivered);
    world.save();
    world.crash();
    world.settle();
    expect(&mut world, 0..25, 0);
}

#[test]
fn what_fails_is_lost_and_counted_when_there_is_no_copy() {
    let (mut world, [first, second]) = world();
    world.disk.remove(&World::path("a.log.1"));
    world.read_all();
    world.answer(first, &Verdict::Delivered);
    world.answer(second, &later());
    world.pass(Duration::from_secs(10));
    assert!(!world.told.iter().any(|told| matches!(told, Event::Dropped { .. })), "it may come");
    world.settle();
    world.pass(Duration::from_secs(30));
    let lost = world.told.iter().map(|told| match told {
        Event::Dropped { records, .. } => *records,
        _ => 0,
    });
    assert_eq!((lost.sum::<u64>(), world.delivered.len()), (10, 15));
}
