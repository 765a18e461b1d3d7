//! Removing: a file is removed when all of it was delivered, and never otherwise.

use std::time::Duration;

use pipeline::{Code, Status, Verdict};

use super::world::{World, later, limits};
use crate::receivers::file_log::tracker::{Event, Limits};

const QUIET: Duration = Duration::from_secs(60);

/// A world with one file of two lines that were read, and have no answer yet.
fn world() -> World {
    let mut world = World::new(Limits { removed_after: Some(QUIET), ..limits() });
    world.write("a.log", "one\ntwo\n");
    world.read_all();
    world
}

fn is_there(world: &World) -> bool {
    world.disk.node(&World::path("a.log")).is_some()
}

/// Lets twice the time pass after which a file is removed, with looks and saves in between.
fn wait(world: &mut World) {
    for _ in 0..120 {
        world.pass(Duration::from_secs(1));
        world.read_all();
        world.save();
    }
}

#[test]
fn a_file_that_was_delivered_is_removed_and_forgotten() {
    let mut world = world();
    world.deliver_all();
    world.save();
    world.pass(QUIET - Duration::from_secs(1));
    world.read_all();
    assert!(is_there(&world), "it may still be written to");
    wait(&mut world);
    assert!(!is_there(&world));
    wait(&mut world);
    assert_eq!((world.tracker.files(), world.saved.len()), (0, 0));
    let removed = world.told.iter().filter(|told| matches!(told, Event::Removed { .. }));
    assert_eq!(removed.count(), 1);
}

#[test]
fn a_file_is_not_removed_before_its_position_is_on_disk() {
    let mut world = world();
    world.deliver_all();
    for _ in 0..120 {
        world.pass(Duration::from_secs(1));
        world.read_all();
    }
    assert!(is_there(&world));
    wait(&mut world);
    assert!(!is_there(&world));
}

#[test]
fn what_was_not_delivered_is_not_removed() {
    let refused = Verdict::Refused(Status::new(Code::InvalidArgument, "no"));
    for (what, answer) in
        [("not answered", None), ("answered later", Some(later())), ("refused", Some(refused))]
    {
        let mut world = world();
        let tokens: Vec<_> = world.in_flight.keys().copied().collect();
        for (token, answer) in tokens.into_iter().zip(answer.iter().cycle()) {
            world.answer(token, answer);
        }
        wait(&mut world);
        assert!(is_there(&world), "{what}");
        // What is known of it outlives a restart.
        if what == "refused" {
            world.crash();
            wait(&mut world);
            assert!(is_there(&world), "{what}");
        }
    }
}

#[test]
fn a_file_with_a_line_that_has_no_end_or_with_a_second_name_is_not_removed() {
    let mut partial = world();
    partial.write("a.log", "thr");
    let linked = world();
    let node = linked.disk.node(&World::path("a.log")).unwrap();
    linked.disk.link(&node, &World::path("elsewhere"));
    for mut world in [partial, linked] {
        world.deliver_all();
        wait(&mut world);
        assert!(is_there(&world));
    }
}

#[test]
fn what_is_written_before_and_after_the_removal_is_delivered() {
    let mut world = world();
    world.deliver_all();
    let node = world.disk.node(&World::path("a.log")).unwrap();
    world.pass(QUIET / 2);
    world.read_all();
    world.write("a.log", "three\n");
    world.read_all();
    world.deliver_all();
    world.save();
    world.pass(QUIET * 3 / 4);
    world.read_all();
    assert!(is_there(&world), "it was written to half a minute ago");
    for _ in 0..40 {
        world.pass(Duration::from_secs(1));
        world.read_all();
    }
    assert!(!is_there(&world));
    // Somebody has it open still.
    node.bytes.lock().unwrap().extend_from_slice(b"four\n");
    for _ in 0..20 {
        world.pass(Duration::from_secs(1));
        world.read_all();
        world.deliver_all();
    }
    assert_eq!(world.delivered, ["one", "two", "three", "four"]);
}

#[test]
fn another_file_that_came_to_the_same_name_stays() {
    let mut world = world();
    world.deliver_all();
    world.save();
    world.disk.rename(&World::path("a.log"), &World::path("aside"));
    world.write("a.log", "new\n");
    // The listing does not know of it yet.
    world.pass(QUIET * 2);
    assert!((0..10).any(|_| !world.turn()), "it comes to rest");
    assert!(is_there(&world));
    world.settle();
    assert!(world.delivered.contains(&"new".to_owned()));
}
