//! Following: what becomes of lines when files are renamed, cut, removed and made anew.

use std::time::Duration;

use pipeline::Verdict;

use super::world::{World, later, limits};
use crate::receivers::file_log::tracker::{Event, Limits};

fn world() -> World {
    World::new(limits())
}

fn numbered(range: std::ops::Range<usize>) -> String {
    range.map(|number| format!("line number {number}\n")).collect()
}

fn expect(world: &World, range: std::ops::Range<usize>) {
    let expected: Vec<String> = numbered(range).lines().map(str::to_owned).collect();
    let mut delivered = world.delivered.clone();
    delivered.sort_by_key(|line| line.rsplit(' ').next().unwrap().parse::<usize>().unwrap());
    assert_eq!(delivered, expected);
}

#[test]
fn appended_lines_are_delivered_in_order() {
    let mut world = world();
    for ten in 0..10 {
        world.write("a.log", &numbered(ten * 10..ten * 10 + 10));
        world.read_all();
        world.deliver_all();
    }
    assert_eq!(world.delivered.concat(), numbered(0..100).replace('\n', ""));
    world.save();
    assert_eq!(world.saved[0].position.offset, numbered(0..100).len() as u64);
}

#[test]
fn a_renamed_file_is_read_to_its_end_and_the_new_one_from_its_start() {
    let mut world = world();
    world.write("a.log", &numbered(0..10));
    world.read_all();
    world.write("a.log", &numbered(10..20));
    world.disk.rename(&World::path("a.log"), &World::path("a.log.1"));
    world.write("a.log", &numbered(20..30));
    world.settle();
    expect(&world, 0..30);
}

#[test]
fn what_is_written_to_a_file_after_it_was_renamed_out_of_the_pattern_is_read() {
    let mut world = world();
    world.write("a.log", &numbered(0..10));
    world.read_all();
    world.disk.rename(&World::path("a.log"), &World::path("old"));
    for ten in 1..20 {
        world.write("old", &numbered(ten * 10..ten * 10 + 10));
        world.read_all();
        world.deliver_all();
        world.pass(Duration::from_secs(1));
    }
    world.settle();
    expect(&world, 0..200);
}

#[test]
fn the_last_line_of_a_rotated_file_is_delivered_though_it_has_no_end() {
    let mut world = world();
    world.write("a.log", "line number 0");
    world.read_all();
    assert!(world.in_flight.is_empty(), "it may still be written to");
    world.disk.rename(&World::path("a.log"), &World::path("old"));
    world.write("a.log", "line number 1\n");
    world.settle();
    expect(&world, 0..2);
}

#[test]
fn a_file_that_was_cut_is_read_from_its_start() {
    let mut world = world();
    world.write("a.log", &numbered(0..10));
    world.read_all();
    world.deliver_all();
    world.disk.truncate(&World::path("a.log"));
    world.write("a.log", &numbered(10..14));
    world.settle();
    expect(&world, 0..14);
    assert!(world.told.iter().any(|event| matches!(event, Event::Truncated { unread: 0, .. })));
}

#[test]
fn a_file_that_was_cut_and_has_grown_beyond_since_is_read_from_its_start() {
    let mut world = world();
    world.write("a.log", &numbered(0..10));
    world.read_all();
    world.deliver_all();
    world.disk.truncate(&World::path("a.log"));
    world.write("a.log", &numbered(10..40));
    world.settle();
    expect(&world, 0..40);
}

#[test]
fn an_answer_from_before_a_cut_moves_no_position() {
    let mut world = world();
    world.write("a.log", &numbered(0..10));
    world.read_all();
    let old = std::mem::take(&mut world.in_flight);
    world.disk.truncate(&World::path("a.log"));
    world.write("a.log", &numbered(10..12));
    world.read_all();
    world.deliver_all();
    world.in_flight = old;
    world.deliver_all();
    world.save();
    assert_eq!(world.saved.len(), 1);
    assert_eq!(world.saved[0].position.offset, numbered(10..12).len() as u64);
    expect(&world, 0..12);
}

#[test]
fn a_removed_file_with_a_backlog_is_read_to_its_end_and_closed() {
    let mut world = world();
    world.write("a.log", &numbered(0..10));
    world.turn();
    world.look();
    world.turn();
    world.write("a.log", &numbered(10..200));
    world.disk.remove(&World::path("a.log"));
    world.settle();
    expect(&world, 0..200);
    assert_eq!((world.tracker.open_files(), world.tracker.files()), (0, 0));
    assert!(world.saved.is_empty());
}

#[test]
fn a_file_that_gets_the_inode_of_a_removed_one_is_read_from_its_start() {
    let mut world = World::new(Limits { open_max: 1, ..limits() });
    for cycle in 0..6 {
        world.write("a.log", &format!("the same first line\nline number {cycle}\n"));
        world.settle();
        // Another file makes it be closed, so that its inode can be given out again.
        world.write("b.log", "the same first line\n");
        world.settle();
        assert!(!world.is_open("a.log"));
        world.disk.remove(&World::path("a.log"));
    }
    world.delivered.retain(|line| line != "the same first line");
    expect(&world, 0..6);
}

#[test]
fn after_a_restart_a_file_that_was_renamed_meanwhile_is_read_on() {
    for to in ["a.log.1", "outside"] {
        let mut world = world();
        world.write("a.log", &numbered(0..10));
        world.read_all();
        world.deliver_all();
        world.save();
        world.write("a.log", &numbered(10..20));
        world.crash();
        world.disk.rename(&World::path("a.log"), &World::path(to));
        world.write("a.log", &numbered(20..30));
        world.settle();
        expect(&world, 0..30);
    }
}

#[test]
fn after_a_clean_stop_nothing_is_read_twice() {
    let mut world = world();
    world.write("a.log", &numbered(0..10));
    world.read_all();
    world.deliver_all();
    world.save();
    world.crash();
    world.write("a.log", &numbered(10..12));
    world.settle();
    expect(&world, 0..12);
}

#[test]
fn positions_do_not_pass_what_was_not_answered() {
    let mut world = world();
    world.write("a.log", &numbered(0..20));
    world.read_all();
    let first = *world.in_flight.keys().next().unwrap();
    let others: Vec<_> = world.in_flight.keys().skip(1).copied().collect();
    others.into_iter().for_each(|token| world.answer(token, &Verdict::Delivered));
    world.save();
    assert_eq!(world.saved[0].position.offset, 0);
    world.answer(first, &Verdict::Delivered);
    world.save();
    assert_ne!(world.saved[0].position.offset, 0);
}

#[test]
fn what_was_postponed_is_read_again_and_the_rest_not() {
    let mut world = world();
    world.write("a.log", &numbered(0..30));
    world.read_all();
    let tokens: Vec<_> = world.in_flight.keys().copied().collect();
    world.answer(tokens[0], &later());
    for token in &tokens[1..] {
        world.answer(*token, &Verdict::Delivered);
    }
    world.read_all();
    assert!(world.in_flight.is_empty(), "not before the delay is over");
    world.settle();
    expect(&world, 0..30);
    assert!(world.told.iter().any(|event| matches!(event, Event::Again { records: 1.., .. })));
}

#[test]
fn a_file_that_is_not_answered_holds_up_no_other() {
    let mut world = world();
    world.write("a.log", &numbered(0..1000));
    world.read_all();
    let stuck = world.in_flight.len();
    assert_eq!(stuck, crate::receivers::file_log::window::SENT_MAX);
    world.write("b.log", "line number 1000\n");
    world.read_all();
    assert_eq!(world.in_flight.len(), stuck + 1);
    while !world.in_flight.is_empty() {
        world.deliver_all();
        world.read_all();
        assert!(world.in_flight.len() <= stuck + 1, "reading waits for answers");
    }
    expect(&world, 0..1001);
}

#[test]
fn what_fails_for_too_long_is_given_up_and_told() {
    let mut limits = limits();
    limits.retry.give_up = Some(Duration::from_secs(5));
    let mut world = World::new(limits);
    world.write("a.log", &numbered(0..2));
    for _ in 0..20 {
        world.pass(Duration::from_secs(1));
        world.read_all();
        for token in world.in_flight.keys().copied().collect::<Vec<_>>() {
            world.answer(token, &later());
        }
    }
    assert!(world.told.iter().any(|event| matches!(event, Event::Dropped { records: 2, .. })));
    world.write("a.log", &numbered(2..4));
    world.settle();
    expect(&world, 2..4);
}

#[test]
fn that_a_file_is_not_accepted_is_told_once_and_that_it_is_again_too() {
    let mut world = world();
    for outage in 1..=2 {
        world.write("a.log", &numbered(outage * 10..outage * 10 + 10));
        for _ in 0..20 {
            world.pass(Duration::from_secs(2));
            world.read_all();
            for token in world.in_flight.keys().copied().collect::<Vec<_>>() {
                world.answer(token, &later());
            }
        }
        world.settle();
        let told = |is_it: fn(&Event) -> bool| world.told.iter().filter(|one| is_it(one)).count();
        assert!(10 * outage < told(|one| matches!(one, Event::Again { .. })));
        assert_eq!(told(|one| matches!(one, Event::Again { is_first: true, .. })), outage);
        assert_eq!(told(|one| matches!(one, Event::Accepted { .. })), outage);
    }
    expect(&world, 10..30);
}

#[test]
fn at_the_very_first_start_files_may_be_begun_at_their_end() {
    let mut world = World::new(Limits { starts_at_end: true, ..limits() });
    world.write("a.log", "old\n");
    world.settle();
    world.write("a.log", "line number 0\n");
    world.write("b.log", "line number 1\n");
    world.settle();
    world.save();
    world.crash();
    world.write("c.log", "line number 2\n");
    world.settle();
    expect(&world, 0..3);
}

#[test]
fn a_copy_that_was_made_before_a_file_was_cut_is_not_read_again() {
    let mut world = world();
    world.write("a.log", &numbered(0..10));
    world.read_all();
    world.deliver_all();
    world.write("a.log", &numbered(10..12));
    // What stands in the copy only, because the reader was too late, is read from there.
    world.write("a.log.1", &numbered(0..12));
    world.disk.truncate(&World::path("a.log"));
    world.write("a.log", &numbered(12..20));
    world.settle();
    expect(&world, 0..20);
}

#[test]
fn a_copy_that_is_seen_before_the_file_is_cut_waits_until_it_is() {
    let mut world = world();
    world.write("a.log", &numbered(0..10));
    world.read_all();
    world.deliver_all();
    world.write("a.log.1", &numbered(0..10));
    world.read_all();
    assert!(world.in_flight.is_empty());
    world.disk.truncate(&World::path("a.log"));
    world.write("a.log", &numbered(10..20));
    world.settle();
    expect(&world, 0..20);
}

#[test]
fn a_line_that_was_half_read_when_its_file_was_cut_is_read_whole_from_the_copy() {
    let mut world = World::new(Limits { chunk_min: 20, chunk_max: 20, ..limits() });
    world.write("a.log", &numbered(0..10));
    world.look();
    // 60 bytes are four lines; one turn reads 20 more.
    while world.in_flight.len() < 4 {
        assert!(world.turn());
    }
    world.deliver_all();
    world.copy_and_truncate("a.log", "a.log.1");
    world.write("a.log", &numbered(10..20));
    world.settle();
    expect(&world, 0..20);
}

#[test]
fn copies_of_several_rotations_are_not_read_again() {
    let mut world = world();
    for round in 0..4 {
        let lines = numbered(round * 10..round * 10 + 10);
        world.write("a.log", &lines);
        world.read_all();
        world.deliver_all();
        // The copies move on, and are looked at before the cut is noticed.
        for number in (1..=round).rev() {
            let path = |number| World::path(&format!("a.log.{number}"));
            world.disk.rename(&path(number), &path(number + 1));
        }
        world.write("a.log.1", &lines);
        world.look();
        world.disk.truncate(&World::path("a.log"));
    }
    world.settle();
    expect(&world, 0..40);
}

#[test]
fn sparse_bursts_come_once_through_rotation_and_long_silence() {
    let mut world = world();
    let silence = |world: &mut World| {
        for _ in 0..4 {
            world.pass(Duration::from_mins(25));
            world.read_all();
        }
    };
    let mut written = 0;
    for round in 0..60 {
        let name = ["a.log", "b.log", "c.log", "d.log", "e.log"][round % 5];
        let rotated = format!("{name}.{round}");
        match round / 5 % 4 {
            1 => world.disk.rename(&World::path(name), &World::path(&rotated)),
            2 => world.copy_and_truncate(name, &rotated),
            3 => world.disk.remove(&World::path(name)),
            _ => {}
        }
        if round % 2 == 0 {
            silence(&mut world);
        }
        // A copy of a shorter line would be too little to be known as one.
        let burst = written..written + round % 3 + 2;
        written = burst.end;
        world.write(name, &numbered(burst));
        world.settle();
        expect(&world, 0..written);
        silence(&mut world);
        world.save();
        if round % 7 == 6 {
            // A clean stop: all was delivered and is kept.
            world.crash();
        }
    }
    expect(&world, 0..written);
}

#[test]
fn a_second_name_of_a_file_is_not_a_second_file() {
    let mut world = world();
    world.write("a.log", &numbered(0..10));
    let node = world.disk.node(&World::path("a.log")).unwrap();
    world.disk.link(&node, &World::path("b.log"));
    world.settle();
    expect(&world, 0..10);
}
