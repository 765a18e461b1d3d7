use std::collections::BTreeSet;
use std::sync::Arc;

use runtime::random::Random;
use runtime::volume::Volume as _;
use runtime::volume::simulated::{Crash, Simulated};

use super::{Repaired, repair};
use crate::recovery::OpenError;
use crate::store::tests::world::{Held, World, files, held, open, settings};
use crate::{Position, ReadError};

/// A journal after some work, closed or not, and what it holds.
fn worked(seed: u64, is_closed: bool) -> (Simulated, Held) {
    let random = Random::seeded(seed);
    let mut world = World::new(Simulated::new(seed), settings());
    for _ in 0..8 {
        world.random_turn(&random);
    }
    world.store.commit(Vec::new());
    if is_closed {
        world.store.seal();
    } else {
        world.store.mark();
    }
    let held = held(&world.store).unwrap();
    (Simulated::after(&world.disk.moment(), Crash::Killed, seed), held)
}

fn flipped(disk: &Simulated, random: &Random) -> String {
    let mut segments = disk.list().unwrap();
    segments.retain(|one| one.name.ends_with(".segment"));
    let file = &segments[random.below(segments.len() as u64) as usize];
    let bytes = disk.contents(&file.name).unwrap();
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap_or(0) as u64 + 1;
    let bit = random.below(used * 8);
    disk.flip(&file.name, bit);
    format!("{} bit {bit}", file.name)
}

#[test]
fn a_turned_bit_is_told_and_never_changes_what_is_read() {
    let mut told = 0;
    for seed in 0..600 {
        let (disk, before) = worked(seed, true);
        let place = flipped(&disk, &Random::seeded(seed));
        match open(&disk, settings()) {
            Err(OpenError::Damaged { .. } | OpenError::Version { .. }) => told += 1,
            Err(error) => panic!("seed {seed}, {place}: {error}"),
            Ok((store, _)) => match held(&store) {
                Err(ReadError::Damaged(_)) => told += 1,
                Err(error) => panic!("seed {seed}, {place}: {error}"),
                Ok(after) => {
                    assert!(after == before, "seed {seed}, {place}: something else is read")
                }
            },
        }
    }
    assert!(100 < told, "{told}");
}

#[test]
fn repair_saves_everything_but_what_the_bit_was_in() {
    for seed in 0..600 {
        let (disk, before) = worked(seed, seed % 2 == 0);
        let place = flipped(&disk, &Random::seeded(seed));
        let what = format!("seed {seed}, {place}");
        let Repaired { lost, .. } = repair(Arc::new(disk.clone()), |_| {})
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        let disk = Simulated::after(&disk.moment(), Crash::PowerLost, seed);
        let (store, _) = open(&disk, settings()).unwrap_or_else(|error| panic!("{what}: {error}"));
        let after = held(&store).unwrap_or_else(|error| panic!("{what}: {error}"));
        // Names and outcomes may be what was lost; then a record has another name, or is back.
        let bodies: BTreeSet<_> = after.values().map(|(_, body)| body).collect();
        let gone: Vec<_> = before.values().filter(|(_, body)| !bodies.contains(body)).collect();
        assert!(gone.len() <= 1, "{what}: {} records are lost", gone.len());
        assert!(gone.is_empty() || !lost.is_empty(), "{what}: lost without a word");
        let named = lost.iter().flat_map(|problem| &problem.records).filter(|one| one.is_live);
        assert!(named.count() <= gone.len(), "{what}: what is told to be lost is lost");
    }
}

#[test]
fn a_journal_that_is_whole_is_left_alone() {
    for seed in 0..20 {
        let (disk, before) = worked(seed, seed % 2 == 0);
        let moment = disk.moment();
        assert_eq!(repair(Arc::new(disk), |_| {}).unwrap(), Repaired::default(), "seed {seed}");
        let disk = Simulated::after(&moment, Crash::Killed, seed);
        assert!(held(&open(&disk, settings()).unwrap().0).unwrap() == before);
    }
}

#[test]
fn a_repair_that_is_broken_off_is_done_again() {
    for seed in 0..60 {
        let random = Random::seeded(seed);
        let (disk, before) = worked(seed, true);
        let place = flipped(&disk, &random);
        disk.record();
        let first = repair(Arc::new(disk.clone()), |_| {}).unwrap();
        for moment in disk.moments() {
            let disk = Simulated::after(&moment, Crash::PowerLost, random.number());
            repair(Arc::new(disk.clone()), |_| {}).unwrap();
            let disk = Simulated::after(&disk.moment(), Crash::Killed, seed);
            let (store, _) = open(&disk, settings())
                .unwrap_or_else(|error| panic!("seed {seed}, {place}, {first:?}: {error}"));
            let after = held(&store).unwrap();
            assert!(before.len() <= after.len() + 1, "seed {seed}, {place}: {:?}", files(&disk));
        }
    }
}

#[test]
fn reading_stops_at_the_damage_until_it_is_forgotten() {
    let mut world = World::new(Simulated::new(1), settings());
    let name = bytes::Bytes::from_static(b"stream");
    for _ in 0..3 {
        world.turn(vec![world.append(&name, 600, 1)]);
    }
    let stream = world.stream(&name);
    let place = world.store.index().place(stream, Position(1)).unwrap();
    let file = crate::segment::name_of(place.segment);
    world.disk.flip(&file, u64::from(place.offset + 300) * 8);
    let Err(ReadError::Damaged(damage)) = held(&world.store) else { panic!("it is damaged") };
    assert_eq!(
        (damage.stream, damage.position, damage.segment),
        (stream, Position(1), place.segment)
    );
    world.turn(world.forget(vec![1]));
    assert_eq!(held(&world.store).unwrap().len(), 2);
    assert!(world.store.index().streams[&stream].damage.is_none());
}
