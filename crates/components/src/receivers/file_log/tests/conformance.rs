//! Conformance: rows of `docs/conformance-files.md` that no other test is about.

use std::time::Duration;

use pipeline::{Code, Status, Verdict};

use super::world::{World, later, limits};
use crate::receivers::file_log::content::{ContentWords, MultilineWords};
use crate::receivers::file_log::tracker::{Event, Limits};

/// The position of the only file that is known.
fn saved(world: &mut World) -> u64 {
    world.save();
    assert_eq!(world.saved.len(), 1);
    world.saved[0].position.offset
}

#[test]
fn t14_a_partial_line_is_passed_on_after_a_while_and_what_follows_is_another() {
    let flush_after = Some(Duration::from_secs(5));
    let mut world = World::new(Limits { flush_after, ..limits() });
    world.write("a.log", "ab");
    world.read_all();
    world.pass(Duration::from_secs(4));
    world.read_all();
    assert!(world.in_flight.is_empty(), "it may still be written to");
    world.pass(Duration::from_secs(2));
    world.read_all();
    world.deliver_all();
    assert_eq!(world.delivered, ["ab"]);
    assert_eq!(saved(&mut world), 2);
    world.write("a.log", "c\n");
    world.read_all();
    world.deliver_all();
    assert_eq!(world.delivered, ["ab", "c"]);
    assert_eq!(saved(&mut world), 4);
}

#[test]
fn t24_of_many_files_those_that_are_written_to_are_read_with_few_open() {
    let mut world = World::new(Limits { open_max: 20, ..limits() });
    for file in 0..1_000 {
        world.write(&format!("{file}.log"), "first\n");
    }
    world.settle();
    assert_eq!(world.delivered.len(), 1_000);
    for round in 0..5 {
        world.delivered.clear();
        for file in 0..10 {
            world.write(&format!("{}.log", file * 97 + round), "more\n");
        }
        world.read_all();
        world.deliver_all();
        assert_eq!(world.delivered.len(), 10, "at the next look");
    }
}

#[test]
fn so_many_batches_of_files_are_opened_in_an_interval() {
    let mut world = World::new(Limits { open_max: 3, batches_max: Some(2), ..limits() });
    for file in 0..20 {
        world.write(&format!("{file}.log"), "first\n");
    }
    let mut delivered = Vec::new();
    for _ in 0..4 {
        // The others wait, however often somebody asks.
        for _ in 0..10 {
            world.read_all();
            world.deliver_all();
        }
        delivered.push(world.delivered.len());
        world.pass(limits().poll_interval);
    }
    assert_eq!(delivered, [6, 12, 18, 20]);
    world.write("19.log", "one that is open\n");
    world.read_all();
    world.deliver_all();
    assert_eq!(world.delivered.len(), 21);
}

#[test]
fn t28_a_file_that_may_be_read_later_is_read_from_its_start_then_and_told_once() {
    let mut world = World::new(limits());
    world.write("a.log", "one\n");
    let path = World::path("a.log");
    world.disk.denied.lock().unwrap().insert(path);
    for _ in 0..30 {
        world.pass(Duration::from_secs(1));
        world.read_all();
    }
    let told = world.told.iter().filter(|told| matches!(told, Event::Failed { .. }));
    assert_eq!(told.count(), 1);
    world.disk.denied.lock().unwrap().clear();
    world.pass(Duration::from_secs(1));
    world.read_all();
    world.deliver_all();
    assert_eq!(world.delivered, ["one"]);
}

#[test]
fn t31_records_of_several_lines_end_with_their_file() {
    let mut world = World::new(limits());
    let line_start_pattern = Some("^[^ ]".to_owned());
    let multiline = Some(MultilineWords { line_start_pattern, ..MultilineWords::default() });
    world.content = ContentWords { multiline, ..ContentWords::default() };
    world.write("a.log", "one\n more\n");
    world.read_all();
    world.disk.rename(&World::path("a.log"), &World::path("old"));
    world.write("a.log", " another\ntwo\n");
    world.settle();
    world.disk.remove(&World::path("a.log"));
    world.settle();
    world.delivered.sort_unstable();
    assert_eq!(world.delivered, ["another", "one\n more", "two"]);
}

#[test]
fn t31_what_operators_join_ends_with_its_file() {
    let mut world = World::new(limits());
    let yaml = "[{type: recombine, combine_field: body, is_first_entry: 'not (body startsWith \" \")', \
                force_flush_period: 1h}]";
    let operators = config::Section::from_yaml(yaml).unwrap().read_as().unwrap();
    let preserve_leading_whitespaces = true;
    world.content =
        ContentWords { operators, preserve_leading_whitespaces, ..ContentWords::default() };
    world.write("a.log", "one\n more\n");
    world.read_all();
    assert!(world.in_flight.is_empty());
    world.disk.rename(&World::path("a.log"), &World::path("old"));
    world.write("a.log", " another\ntwo\n");
    world.settle();
    assert!(world.delivered.contains(&"one\n more".to_owned()), "{:?}", world.delivered);
}

#[test]
fn an_unlinked_file_with_a_backlog_stays_open_though_others_need_its_place() {
    let mut world = World::new(Limits { open_max: 1, trial_max: 1, ..limits() });
    world.write("a.log", "one\ntwo\nthree\n");
    world.read_all();
    let token = *world.in_flight.keys().next().unwrap();
    world.disk.remove(&World::path("a.log"));
    world.write("b.log", "four\n");
    for _ in 0..20 {
        world.pass(Duration::from_secs(1));
        world.read_all();
    }
    world.answer(token, &Verdict::Delivered);
    world.settle();
    assert_eq!(world.delivered, ["one", "two", "three", "four"]);
}

#[test]
fn t34_positions_that_could_not_be_written_are_written_again() {
    let mut world = World::new(limits());
    world.write("a.log", "one\n");
    world.read_all();
    world.deliver_all();
    let failed: Vec<_> =
        world.tracker.take_unsaved(100).into_iter().map(|record| record.identity).collect();
    world.tracker.saved(&failed);
    assert_eq!(saved(&mut world), 4, "though nothing more came");
    world.write("a.log", "two\n");
    world.read_all();
    world.deliver_all();
    assert_eq!(world.delivered, ["one", "two"], "files are read on");
    assert_eq!(saved(&mut world), 8);
}

#[test]
fn s6_only_what_has_ended_moves_a_position() {
    let status = || Status::new(Code::Unavailable, "no");
    for (answer, offset) in [
        (Some(Verdict::Delivered), 4),
        // Refused by the service, out of its window, or given up for its age.
        (Some(Verdict::Refused(status())), 4),
        (Some(later()), 0),
        // A panic, or a connection that broke.
        (Some(Verdict::Unknown(status())), 0),
        // Abandoned at a stop.
        (None, 0),
    ] {
        let mut world = World::new(limits());
        world.write("a.log", "one\n");
        world.read_all();
        let token = *world.in_flight.keys().next().unwrap();
        if let Some(answer) = &answer {
            world.answer(token, answer);
        }
        assert_eq!(saved(&mut world), offset, "{answer:?}");
        world.crash();
        world.settle();
        let again = usize::from(offset == 0 || answer == Some(Verdict::Delivered));
        assert_eq!(world.delivered.len(), again, "{answer:?}");
    }
}

#[test]
fn s10_lines_that_are_filtered_leave_no_gap() {
    let mut world = World::new(Limits { chunk_min: 1024, ..limits() });
    let yaml = "[{type: filter, expr: 'body contains \"odd\"'}]";
    let operators = config::Section::from_yaml(yaml).unwrap().read_as().unwrap();
    world.content = ContentWords { operators, ..ContentWords::default() };
    let text: String =
        (0..50).map(|at| if at % 2 == 0 { "even line\n" } else { "odd line\n" }).collect();
    world.write("a.log", &text);
    world.read_all();
    world.deliver_all();
    assert_eq!((world.delivered.len(), saved(&mut world)), (25, text.len() as u64));
}

#[test]
fn what_fails_while_its_file_is_closed_for_others_is_read_again() {
    let mut world = World::new(Limits { open_max: 1, ..limits() });
    world.write("a.log", "one\n");
    world.read_all();
    let token = *world.in_flight.keys().next().unwrap();
    world.write("b.log", "two\n");
    world.look();
    while !matches!(world.begun.last(), Some((_, done)) if done.file.is_none()) {
        while !world.begun.is_empty() {
            world.finish(0);
        }
        world.begin();
    }
    world.answer(token, &later());
    world.finish(0);
    world.settle();
    assert_eq!(world.delivered, ["two", "one"]);
}
