//! The machine goes down at every step of the disk, during recovery, too; nothing acknowledged is lost,
//! nothing forgotten comes back, nothing else appears.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use runtime::random::Random;
use runtime::volume::Volume as _;
use runtime::volume::simulated::{Crash, Fault, Moment, Simulated};

use super::world::{Held, Submitted, Unhurried, World, held, open, settings};

/// How many crash points are tried; `TIDEGATE_CRASH_POINTS` asks for more.
fn points() -> u64 {
    std::env::var("TIDEGATE_CRASH_POINTS").ok().and_then(|text| text.parse().ok()).unwrap_or(20_000)
}

#[test]
fn nothing_acknowledged_is_lost_wherever_the_machine_goes_down() {
    let (tried, seeds) = (AtomicU64::new(0), AtomicU64::new(1));
    let work = || {
        while tried.load(Ordering::Relaxed) < points() {
            let points = crash_everywhere(seeds.fetch_add(1, Ordering::Relaxed));
            tried.fetch_add(points, Ordering::Relaxed);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    assert!(points() <= tried.into_inner());
}

/// Runs a random workload, and recovers from every moment of it; gives how many moments there were.
fn crash_everywhere(seed: u64) -> u64 {
    let random = Random::seeded(seed);
    let disk = Simulated::new(seed);
    disk.record();
    if random.below(3) == 0 {
        for _ in 0..random.below(4) {
            let fault = if random.below(4) == 0 { Fault::Full } else { Fault::Fails };
            disk.fault_at(4 + random.below(60), fault);
        }
    }
    if random.below(4) == 0 {
        disk.set_bytes_max((4 + random.below(6)) * u64::from(settings().segment_bytes));
    }
    let mut world = World::new(disk.clone(), settings());
    world.store.syncer = Box::new(Unhurried::new(&random));
    for _ in 0..4 + random.below(12) {
        world.random_turn(&random);
    }
    if random.below(2) == 0 {
        world.store.seal();
    }
    let moments = disk.moments();
    let tale = world.tale.lock().unwrap().clone();
    let mut points = 0;
    for (step, moment) in (0..).zip(&moments) {
        let crash = if random.below(4) == 0 { Crash::Killed } else { Crash::PowerLost };
        let point = Point { seed, step, crash };
        points += point.check(moment, &tale, &random);
    }
    points
}

/// Where the machine went down; shown when something is wrong.
#[derive(Clone, Copy, Debug)]
#[allow(dead_code, reason = "shown by Debug")]
struct Point {
    seed: u64,
    step: u64,
    crash: Crash,
}

impl Point {
    fn check(self, moment: &Moment, tale: &[Submitted], random: &Random) -> u64 {
        let disk = Simulated::after(moment, self.crash, random.number());
        disk.record();
        if random.below(4) == 0 {
            disk.set_bytes_max(disk.list().unwrap().iter().map(|entry| entry.bytes).sum());
        }
        let (store, _) =
            open(&disk, settings()).unwrap_or_else(|error| panic!("{self:?}: {error}"));
        let found = held(&store).unwrap_or_else(|error| panic!("{self:?}: {error}"));
        self.compare(&found, tale);
        let nexts = nexts(&store);
        // The machine goes down again while it recovers.
        let moments = disk.moments();
        let at = random.below(moments.len() as u64) as usize;
        let disk = Simulated::after(&moments[at], Crash::PowerLost, random.number());
        let (store, _) =
            open(&disk, settings()).unwrap_or_else(|error| panic!("{self:?}: {error}"));
        let again = held(&store).unwrap_or_else(|error| panic!("{self:?}: {error}"));
        self.compare(&again, tale);
        if at + 1 == moments.len() {
            assert!(again == found, "{self:?}: what was recovered once is there again");
            assert_eq!(self::nexts(&store), nexts, "{self:?}");
        }
        2
    }

    fn compare(self, found: &Held, tale: &[Submitted]) {
        let is_past = |at: u64| at <= self.step;
        let mut bodies = BTreeMap::new();
        for ((name, position), (weight, body)) in found {
            let number = u64::from_le_bytes(body[..8].try_into().unwrap());
            let submitted = &tale[number as usize];
            assert!(is_past(submitted.at), "{self:?}: {number} comes from the future");
            assert_eq!((&submitted.name, submitted.weight), (name, *weight), "{self:?}: {number}");
            assert_eq!(&submitted.body, body, "{self:?}: {number} is not what was stored");
            assert_eq!(bodies.insert(number, *position), None, "{self:?}: {number} is there twice");
        }
        let mut positions = BTreeSet::new();
        for (number, submitted) in (0..).zip(tale) {
            let Some((at, Ok(position))) = &submitted.answer else { continue };
            assert!(
                positions.insert((submitted.name.clone(), *position)),
                "{self:?}: a position twice"
            );
            if submitted.forget_durable.is_some_and(is_past) {
                assert_eq!(bodies.get(&number), None, "{self:?}: {number} came back");
            } else if is_past(*at) && !submitted.forget_asked.is_some_and(is_past) {
                assert_eq!(bodies.get(&number), Some(&position.0), "{self:?}: {number} is lost");
            }
        }
    }
}

/// The next position of every stream.
fn nexts(store: &super::super::Store) -> BTreeMap<Bytes, u64> {
    let index = store.index();
    index.streams.values().map(|one| (one.name.clone().unwrap(), one.next)).collect()
}
