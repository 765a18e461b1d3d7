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

/// A file of which ten lines were read and delivered.
fn ten_delivered() -> World {
    let mut world = World::new(limits());
    world.write("a.log", &lines(0..10));
    world.read_all();
    world.deliver_all();
    world
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

/// Looks and reads until it is noticed that a file was cut.
fn notice_cut(world: &mut World) {
    while world.told.iter().all(|told| !matches!(told, Event::Truncated { .. })) {
        world.look();
        assert!(world.turn());
    }
}

#[test]
fn after_a_restart_a_copy_is_known_though_the_cut_was_noticed_before() {
    let (mut world, [first, _]) = world();
    notice_cut(&mut world);
    world.save();
    // That comes behind the cut, and is kept as well.
    world.answer(first, &Verdict::Delivered);
    world.save();
    world.crash();
    world.settle();
    expect(&mut world, 0..25, 0);
}

#[test]
fn after_a_restart_a_copy_that_was_taken_over_is_read_on_from_what_was_not_delivered() {
    let (mut world, _) = world();
    while world.told.iter().all(|told| !is_found(told, "a.log.1")) {
        world.look();
        assert!(world.turn());
    }
    // The crash comes when the position of the copy is not on disk, but that of the file is.
    world.save();
    world.saved.retain(|record| record.path.ends_with("a.log"));
    world.crash();
    world.settle();
    expect(&mut world, 0..25, 0);
}

fn is_found(told: &Event, name: &str) -> bool {
    matches!(told, Event::Found { path, .. } if path.ends_with(name))
}

#[test]
fn a_copy_waits_as_long_as_nobody_could_see_whether_its_original_was_cut() {
    for cut_after in [0, 3, 10, 60].map(Duration::from_secs) {
        let mut world = World::new(Limits { chunk_min: 120, trial_max: 1, ..limits() });
        world.write("a.log", &lines(0..20));
        world.read_all();
        let token = *world.in_flight.keys().next().unwrap();
        world.write("a.log.1", &lines(0..20));
        world.read_all();
        world.pass(cut_after);
        world.read_all();
        world.disk.truncate(&World::path("a.log"));
        world.write("a.log", &lines(20..25));
        for _ in 0..30 {
            world.pass(Duration::from_secs(1));
            world.read_all();
        }
        world.answer(token, &later());
        world.settle();
        expect(&mut world, 0..25, 0);
    }
}

#[test]
fn a_copy_is_known_as_soon_as_its_original_is_cut() {
    let mut world = World::new(limits());
    for round in 0..6 {
        world.write("a.log", &lines(round * 10..round * 10 + 10));
        world.read_all();
        world.deliver_all();
        world.write(&format!("a.log.{round}"), &lines(round * 10..round * 10 + 10));
        world.read_all();
        world.disk.truncate(&World::path("a.log"));
    }
    world.settle();
    expect(&mut world, 0..60, 0);
}

#[test]
fn a_copy_that_is_seen_while_it_is_empty_is_known_when_it_is_not() {
    let mut world = ten_delivered();
    world.write("a.log.1", "");
    world.read_all();
    world.write("a.log.1", &lines(0..10));
    world.disk.truncate(&World::path("a.log"));
    world.write("a.log", &lines(10..20));
    world.settle();
    expect(&mut world, 0..20, 0);
}

#[test]
fn a_new_file_that_is_empty_at_first_is_read_though_its_name_could_be_that_of_a_copy() {
    for is_removed in [false, true] {
        let mut world = World::new(limits());
        world.write("a.log", &lines(0..10));
        world.write("a-errors.log", "");
        world.read_all();
        world.write("a-errors.log", &lines(10..20));
        if is_removed {
            world.disk.remove(&World::path("a-errors.log"));
        }
        world.read_all();
        world.deliver_all();
        expect(&mut world, 0..20, 0);
    }
}

#[test]
fn a_copy_of_a_file_that_is_renamed_before_it_is_looked_at_is_not_read_again() {
    let mut world = ten_delivered();
    world.write("a.log", &lines(10..12));
    world.write("a.log.bak", &lines(0..12));
    world.disk.rename(&World::path("a.log"), &World::path("a.log.1"));
    world.write("a.log", &lines(12..20));
    world.settle();
    world.write("a.log.bak", &lines(20..25));
    world.settle();
    expect(&mut world, 0..25, 0);
}

#[test]
fn a_copy_of_a_file_that_goes_on_is_not_read_again() {
    let mut world = ten_delivered();
    world.write("a.log.bak", &lines(0..10));
    for ten in 1..20 {
        world.write("a.log", &lines(ten * 10..ten * 10 + 10));
        world.pass(Duration::from_secs(1));
        world.read_all();
        world.deliver_all();
    }
    world.settle();
    expect(&mut world, 0..200, 0);
}

#[test]
fn a_copy_is_known_though_its_original_is_cut_while_it_is_looked_at() {
    let mut world = ten_delivered();
    world.write("a.log.1", &lines(0..10));
    world.look();
    assert!(world.begin(), "the copy is looked at");
    world.disk.truncate(&World::path("a.log"));
    world.look();
    assert!(world.turn(), "the cut is noticed");
    world.finish(0);
    for _ in 0..4 {
        world.turn();
    }
    assert!(world.told.iter().any(|told| is_found(told, "a.log.1")), "and not a second later");
    world.settle();
    expect(&mut world, 0..10, 0);
}

#[test]
fn a_copy_of_a_file_of_which_nothing_was_read_yet_waits_until_something_was() {
    let mut world = World::new(limits());
    // The copy comes first in the listing.
    world.write("b.log", &lines(0..10));
    world.look();
    assert!(world.turn(), "it is opened");
    world.write("b.log.1", &lines(0..10));
    world.look();
    let is_read = |world: &World| world.told.iter().any(|told| is_found(told, "b.log.1"));
    while world.turn() {}
    assert!(!is_read(&world));
    world.disk.truncate(&World::path("b.log"));
    world.settle();
    expect(&mut world, 0..10, 0);
}

#[test]
fn what_was_not_read_before_a_cut_is_lost_and_counted_only_when_there_is_no_copy() {
    for (has_copy, expected) in [(true, 0), (false, 15 * 11 - 16)] {
        let mut world = World::new(Limits { chunk_min: 16, ..limits() });
        world.write("a.log", &lines(0..15));
        world.look();
        assert!(world.turn() && world.turn(), "it is opened, and 16 bytes are read");
        world.deliver_all();
        world.copy_and_truncate("a.log", "a.log.1");
        if !has_copy {
            world.disk.remove(&World::path("a.log.1"));
        }
        world.write("a.log", &lines(15..20));
        world.settle();
        world.pass(Duration::from_secs(30));
        let lost = world.told.iter().map(|told| match told {
            Event::Lost { unread, .. } => *unread,
            _ => 0,
        });
        assert_eq!(lost.sum::<u64>(), expected);
        assert_eq!(world.delivered.len(), if has_copy { 20 } else { 6 });
    }
}
