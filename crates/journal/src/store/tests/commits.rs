//! What one group does, and what a failing disk does to it.

use bytes::Bytes;
use runtime::random::Random;
use runtime::volume::Volume as _;
use runtime::volume::simulated::{Crash, Fault, Simulated};

use super::world::{Submitted, World, files, held, open, settings};
use crate::AppendError;
use crate::Position;

const NAME: Bytes = Bytes::from_static(b"stream");

/// A disk that is smaller than the journal may be.
const ROOM: u64 = 12 * 2048;

fn answers(world: &World) -> Vec<Option<Result<Position, AppendError>>> {
    let tale = world.tale.lock().unwrap();
    tale.iter().map(|one| one.answer.clone().map(|(_, answer)| answer)).collect()
}

#[test]
fn all_that_waited_share_one_write_and_one_sync() {
    let mut world = World::new(Simulated::new(1), settings());
    world.turn(vec![world.append(&NAME, 1, 1)]);
    let before = world.disk.steps();
    let requests = (0..5).map(|_| world.append(&NAME, 10, 1)).collect();
    world.turn(requests);
    assert_eq!(world.disk.steps() - before, 2, "a write and a sync");
    let expected: Vec<_> = (0..6).map(|at| Some(Ok(Position(at)))).collect();
    assert_eq!(answers(&world), expected);
}

#[test]
fn what_is_written_during_a_sync_is_answered_after_the_next() {
    let mut world = World::new(Simulated::new(1), settings());
    world.turn(vec![world.append(&NAME, 1, 1)]);
    for number in 1..4 {
        world.store.stage(vec![world.append(&NAME, number, 1)]);
    }
    assert!(world.store.is_syncing() && world.store.is_ahead(), "two are written behind the first");
    let answered = |world: &World| answers(world).iter().filter(|one| one.is_some()).count();
    assert_eq!(answered(&world), 1);
    world.store.land();
    assert_eq!(answered(&world), 2, "what the sync was begun for");
    world.store.land();
    let expected: Vec<_> = (0..4).map(|at| Some(Ok(Position(at)))).collect();
    assert_eq!(answers(&world), expected);
    assert!(!world.store.is_syncing());
}

#[test]
fn a_failed_sync_takes_what_was_written_behind_it_along() {
    let mut world = World::new(Simulated::new(1), settings());
    world.turn(vec![world.append(&NAME, 1, 1)]);
    world.turn(world.forget(vec![0]));
    world.store.stage(vec![world.append(&NAME, 2, 1)]);
    world.store.stage(vec![world.append(&NAME, 3, 1)]);
    world.disk.fault_at(world.disk.steps(), Fault::Fails);
    world.store.land();
    let answers_now = answers(&world);
    for failed in &answers_now[1..] {
        let failed = failed.clone().unwrap().unwrap_err();
        assert!(failed.is_passing() && matches!(failed, AppendError::Failed { .. }), "{failed}");
    }
    let synced = world.disk.steps();
    world.turn(vec![world.append(&NAME, 4, 1)]);
    assert_eq!(answers(&world)[3], Some(Ok(Position(1))), "positions stay dense");
    assert!(synced < world.disk.steps());
    let again = Simulated::after(&world.disk.moment(), Crash::PowerLost, 1);
    assert_eq!(held(&World::new(again, settings()).store).unwrap().len(), 1);
}

#[test]
fn a_write_that_fails_during_a_sync_waits_for_its_end() {
    let mut world = World::new(Simulated::new(1), settings());
    world.turn(vec![world.append(&NAME, 1, 1)]);
    world.store.stage(vec![world.append(&NAME, 2, 1)]);
    world.disk.fault_at(world.disk.steps(), Fault::Fails);
    world.store.stage(vec![world.append(&NAME, 3, 1)]);
    let answers = answers(&world);
    assert_eq!(answers[1], Some(Ok(Position(1))), "its own sync succeeded");
    assert!(matches!(answers[2], Some(Err(AppendError::Failed { .. }))), "{answers:?}");
}

#[test]
fn after_a_failed_sync_waiters_retry_and_a_new_segment_takes_over() {
    let mut world = World::new(Simulated::new(1), settings());
    world.turn(vec![world.append(&NAME, 1, 1)]);
    world.disk.fault_at(world.disk.steps() + 1, Fault::Fails);
    world.turn(vec![world.append(&NAME, 2, 1)]);
    let failed = answers(&world)[1].clone().unwrap().unwrap_err();
    assert!(failed.is_passing() && matches!(failed, AppendError::Failed { .. }), "{failed}");
    world.turn(vec![world.append(&NAME, 3, 1)]);
    assert_eq!(answers(&world)[2], Some(Ok(Position(1))), "positions stay dense");
    assert_eq!(files(&world.disk), ["00000002.segment", "spare", "spare2"]);
    assert_eq!(held(&world.store).unwrap().len(), 2);
}

#[test]
fn a_record_larger_than_a_segment_is_refused_for_good() {
    let mut world = World::new(Simulated::new(1), settings());
    let bytes_max = settings().body_bytes_max();
    let requests =
        vec![world.append(&NAME, bytes_max - 8, 1), world.append(&NAME, bytes_max - 7, 1)];
    world.turn(requests);
    let answers = answers(&world);
    assert_eq!(answers[0], Some(Ok(Position(0))));
    let refused = answers[1].clone().unwrap().unwrap_err();
    assert_eq!(refused, AppendError::TooLarge { bytes: bytes_max + 1, bytes_max });
    assert!(!refused.is_passing());
}

#[test]
fn a_full_journal_refuses_data_and_takes_outcomes() {
    let mut world = World::new(Simulated::new(1), settings());
    for _ in 0..200 {
        world.turn(vec![world.append(&NAME, 900, 1)]);
    }
    let full = answers(&world).iter().filter(|one| **one == Some(Err(AppendError::Full))).count();
    assert!((20..150).contains(&full), "{full} were refused");
    assert!(world.store.take_refused() && !world.store.has_room());
    let used = world.disk.list().unwrap().iter().map(|entry| entry.bytes).sum();
    world.disk.set_bytes_max(used);
    let living = world.living();
    world.turn(world.forget(living));
    world.turn(Vec::new());
    assert!(world.store.has_room());
    let tale = world.tale.lock().unwrap().clone();
    assert!(tale.iter().all(|one| one.forget_asked.is_none() || one.forget_durable.is_some()));
    assert!(files(&world.disk).len() <= 4, "the room is given back: {:?}", files(&world.disk));
}

/// A store whose disk has room for nothing more, long before the journal is full.
fn on_a_full_disk(seed: u64, length: u64) -> World {
    let random = Random::seeded(seed);
    let mut world = World::new(Simulated::new(seed), settings());
    world.disk.set_bytes_max(ROOM);
    while !answers(&world).contains(&Some(Err(AppendError::Full))) {
        world.turn(vec![world.append(&NAME, random.below(length) as usize, 1)]);
    }
    world
}

#[test]
fn a_full_disk_leaves_two_segments_that_data_never_takes() {
    let mut world = on_a_full_disk(1, 900);
    assert!(world.store.take_refused() && !world.store.has_room());
    let spares =
        |world: &World| files(&world.disk).iter().filter(|name| name.starts_with("spare")).count();
    assert_eq!(spares(&world), 2);
    world.turn(vec![world.append(&NAME, 0, 1), world.append(&NAME, 900, 1)]);
    assert_eq!(spares(&world), 2);
    assert!(world.store.is_owing(), "the disk is tried again without being asked");
    world.disk.set_bytes_max(u64::MAX);
    world.turn(Vec::new());
    assert!(world.store.has_room() && !world.store.is_owing());
    let accepted = world.living().len();
    world.turn(vec![world.append(&NAME, 900, 1)]);
    assert_eq!(world.living().len(), accepted + 1);
}

#[test]
fn a_disk_without_room_for_the_reserve_takes_no_data_and_says_how_much_is_missing() {
    let segment = u64::from(settings().segment_bytes);
    let disk = Simulated::new(1);
    disk.set_bytes_max(3 * segment - 1);
    let mut world = World::new(disk, settings());
    world.turn(Vec::new());
    assert_eq!(world.store.lacks(), segment, "before anybody asked");
    world.turn(vec![world.append(&NAME, 1, 1)]);
    assert_eq!(answers(&world), [Some(Err(AppendError::Full))]);
    assert!(world.store.is_owing(), "the disk is tried again without being asked");
    world.disk.set_bytes_max(3 * segment);
    world.turn(Vec::new());
    assert_eq!(world.store.lacks(), 0);
    world.turn(vec![world.append(&NAME, 1, 1)]);
    assert_eq!(answers(&world)[1], Some(Ok(Position(0))));
    assert_eq!(world.store.lacks(), 0, "there is room until the next roll");
    while !answers(&world).last().is_some_and(|last| *last == Some(Err(AppendError::Full))) {
        world.turn(vec![world.append(&NAME, 900, 1)]);
    }
    world.store.take_refused();
    assert!(world.store.is_owing());
    world.turn(Vec::new());
    assert_eq!(world.store.lacks(), segment, "for the next one");
}

#[test]
fn what_is_done_with_is_told_to_a_full_disk_and_its_room_comes_back() {
    for seed in 0..100 {
        let length = [20, 200, 900][seed as usize % 3];
        let random = Random::seeded(seed);
        let mut world = on_a_full_disk(seed, length);
        let before = files(&world.disk).len();
        while !world.living().is_empty() {
            let mut living = world.living();
            living.retain(|_| random.below(3) == 0);
            world.turn(world.forget(living));
            let tale = world.tale.lock().unwrap();
            let is_told =
                |one: &Submitted| one.forget_asked.is_some() == one.forget_durable.is_some();
            assert!(tale.iter().all(is_told), "seed {seed}");
        }
        world.store.take_refused();
        assert!(world.store.has_room(), "seed {seed}: {:?}", files(&world.disk));
        assert!(files(&world.disk).len() <= 4 && 4 < before, "seed {seed}");
    }
}

#[test]
fn a_segment_that_is_mostly_dead_is_emptied_on_a_full_disk() {
    let mut world = on_a_full_disk(1, 900);
    let living = world.living();
    let some = living.iter().copied().filter(|number| number % 4 != 0).collect();
    world.turn(world.forget(some));
    assert!(0 < world.store.counts.compacted.value());
    assert_eq!(held(&world.store).unwrap().len(), world.living().len());
    world.store.take_refused();
    assert!(world.store.has_room(), "{:?}", files(&world.disk));
}

#[test]
fn a_journal_opens_on_a_full_disk_with_the_reserve_that_it_left() {
    for seed in 0..20 {
        let crash = if seed % 4 == 0 { Crash::Killed } else { Crash::PowerLost };
        let world = on_a_full_disk(seed, 900);
        let disk = Simulated::after(&world.disk.moment(), crash, seed);
        disk.set_bytes_max(disk.list().unwrap().iter().map(|entry| entry.bytes).sum());
        let (store, _) = open(&disk, settings()).unwrap();
        let mut world = World { disk, store, ..world };
        assert_eq!(held(&world.store).unwrap().len(), world.living().len());
        world.turn(vec![world.append(&NAME, 900, 1)]);
        assert_eq!(answers(&world).last(), Some(&Some(Err(AppendError::Full))));
        world.turn(world.forget(world.living()));
        let tale = world.tale.lock().unwrap();
        assert!(tale.iter().all(|one| one.forget_asked.is_some() == one.forget_durable.is_some()));
        drop(tale);
        assert!(files(&world.disk).len() <= 4, "{:?}", files(&world.disk));
    }
}

#[test]
fn a_stream_keeps_its_next_position_when_all_its_segments_go() {
    let mut world = World::new(Simulated::new(1), settings());
    for _ in 0..20 {
        world.turn(vec![world.append(&NAME, 900, 1)]);
    }
    world.turn(world.forget(world.living()));
    let mut other = World { disk: world.disk.clone(), ..world };
    other.store.seal();
    let again = Simulated::after(&other.disk.moment(), Crash::PowerLost, 1);
    let mut world = World::new(again, settings());
    world.turn(vec![world.append(&NAME, 1, 1)]);
    assert_eq!(answers(&world), [Some(Ok(Position(20)))]);
}

#[test]
fn one_record_that_nobody_forgets_does_not_pin_the_disk() {
    let mut world = World::new(Simulated::new(1), settings());
    let dead_lane = Bytes::from_static(b"dead lane");
    for turn in 0..400 {
        if turn % 10 == 0 && turn < 200 {
            world.turn(vec![world.append(&dead_lane, 10, 1)]);
        }
        world.turn(vec![world.append(&NAME, 900, 1)]);
        let last = world.tale.lock().unwrap().len() - 1;
        world.turn(world.forget(vec![last]));
    }
    assert!(answers(&world).iter().all(|answer| matches!(answer, Some(Ok(_)))), "never full");
    let held = held(&world.store).unwrap();
    let positions: Vec<_> = held.keys().map(|(name, at)| (name.clone(), *at)).collect();
    let expected: Vec<_> = (0..20).map(|at| (dead_lane.clone(), at)).collect();
    assert_eq!(positions, expected, "moved, with their positions");
    assert!(files(&world.disk).len() < 10, "{:?}", files(&world.disk));
    assert!(0 < world.store.counts.compacted.value());
}

#[test]
fn an_ended_stream_is_gone_after_recovery_and_its_name_is_free() {
    let mut world = World::new(Simulated::new(1), settings());
    let old = world.stream(&NAME);
    world.turn(vec![world.append(&NAME, 1, 1), super::super::Request::End(old)]);
    let new = world.stream(&NAME);
    assert_ne!(old, new);
    world.turn(vec![world.append(&NAME, 2, 1)]);
    let again = Simulated::after(&world.disk.moment(), Crash::PowerLost, 1);
    let world = World::new(again, settings());
    assert_eq!(world.stream(&NAME), new);
    let held = held(&world.store).unwrap();
    assert_eq!(held.keys().collect::<Vec<_>>(), [&(NAME, 0)]);
}

/// A journal whose machine lost power right after the first answer; one for each seed.
fn after_the_first_answer() -> impl Iterator<Item = (u64, World)> {
    (0..40).map(|seed| {
        let mut world = World::new(Simulated::new(seed), settings());
        world.store.commit(vec![world.append(&NAME, 100, 1)]);
        assert_eq!(answers(&world), [Some(Ok(Position(0)))]);
        let after = Simulated::after(&world.disk.moment(), Crash::PowerLost, seed);
        (seed, World::new(after, settings()))
    })
}

#[test]
fn what_was_answered_survives_the_loss_of_power() {
    for (seed, world) in after_the_first_answer() {
        assert_eq!(held(&world.store).unwrap().len(), 1, "seed {seed}");
    }
}

#[test]
fn the_name_of_a_new_segment_survives_the_loss_of_power() {
    for (seed, world) in after_the_first_answer() {
        assert!(files(&world.disk).contains(&"00000001.segment".to_owned()), "seed {seed}");
    }
}
