//! The room of segments that are done with is used again, and what it held before is never taken for
//! what it holds now.

use bytes::Bytes;
use runtime::random::Random;
use runtime::volume::simulated::{Crash, Simulated};

use super::super::Request;
use super::world::{World, files, held, open, settings};

const NAME: Bytes = Bytes::from_static(b"a stream");

/// Bodies of one size: frames of all segments stand at the same places.
const LENGTH: usize = 100;

fn append_and_forget(world: &mut World, records: usize, kept: usize) {
    let requests = (0..records).map(|_| world.append(&NAME, LENGTH, 1)).collect();
    world.turn(requests);
    let living = world.living();
    let old = living[..living.len().saturating_sub(kept)].to_vec();
    world.turn(world.forget(old));
}

#[test]
fn a_segment_that_is_done_with_becomes_the_next_one() {
    let mut world = World::new(Simulated::new(1), settings());
    for _ in 0..100 {
        append_and_forget(&mut world, 5, 2);
        let names = files(&world.disk);
        assert!(names.len() <= 5, "two segments and three spares at most: {names:?}");
    }
    let spares = files(&world.disk).into_iter().filter(|name| name.starts_with("spare"));
    let used = spares.filter(|name| world.disk.contents(name).unwrap()[..8] == *b"TIDEJRNL");
    assert!(0 < used.count(), "the room of a segment was kept");
}

/// The process is killed, and the next one takes over.
fn killed(world: &World) -> World {
    World::new(Simulated::after(&world.disk.moment(), Crash::Killed, 1), settings())
}

#[test]
fn what_a_former_use_left_is_no_record() {
    let mut gone = 0;
    for length in (1400..1800).step_by(4) {
        // The first segment lives on; the one behind it, the newest, had a stream that was ended.
        let mut world = World::new(Simulated::new(1), settings());
        world.turn(vec![world.append(&NAME, length, 1)]);
        let other = Bytes::from_static(b"another stream");
        for _ in 0..6 {
            world.turn(vec![world.append(&other, LENGTH, 1)]);
        }
        world.turn(vec![Request::End(world.stream(&other))]);
        let world = killed(&world);
        let names = files(&world.disk);
        gone += usize::from(names.iter().filter(|name| name.ends_with(".segment")).count() == 1);
        // The next process writes less into the room than stood there.
        let mut world = killed(&world);
        world.turn(vec![world.append(&NAME, LENGTH, 1)]);
        let before = held(&world.store).unwrap();
        assert_eq!(held(&killed(&world).store).unwrap(), before, "length {length}");
        assert_eq!(before.len(), 2, "length {length}");
    }
    assert!(0 < gone, "the highest number was never gone");
}

#[test]
fn any_former_use_is_forgotten() {
    for seed in 0..50 {
        let random = Random::seeded(seed);
        let mut world = World::new(Simulated::new(seed), settings());
        for restart in 0..30 {
            let count = random.below(3) * random.below(20);
            let requests = (0..count).map(|_| world.append(&NAME, LENGTH, 1)).collect();
            world.turn(requests);
            let newest = world.living().into_iter().skip(random.below(8) as usize).collect();
            world.turn(world.forget(newest));
            let before = held(&world.store).unwrap();
            world = killed(&world);
            assert_eq!(held(&world.store).unwrap(), before, "seed {seed}, restart {restart}");
        }
    }
}

#[test]
fn what_a_former_use_left_is_not_told_as_cut() {
    let mut world = World::new(Simulated::new(1), settings());
    for round in 0..60 {
        append_and_forget(&mut world, 3, 1);
        let disk = Simulated::after(&world.disk.moment(), Crash::Killed, 1);
        let (_, report) = open(&disk, settings()).unwrap();
        assert_eq!(report.cut, [], "round {round}");
    }
}
