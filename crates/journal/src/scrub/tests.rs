use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use runtime::volume::simulated::Simulated;

use super::{ROUNDS_APART, Scrub};
use crate::Position;
use crate::reader::Reader;
use crate::segment::name_of;
use crate::store::tests::world::{World, settings};

#[test]
fn a_round_finds_damage_that_nobody_read_and_then_rests() {
    let mut world = World::new(Simulated::new(1), settings());
    let names = ["one", "two"].map(Bytes::from);
    for turn in 0..10 {
        world.turn(vec![world.append(&names[turn % 2], 600, 1)]);
    }
    let stream = world.stream(&names[1]);
    let place = world.store.index().place(stream, Position(3)).unwrap();
    world.disk.flip(&name_of(place.segment), u64::from(place.offset + 100) * 8);
    let store = &world.store;
    let mut reader =
        Reader::new(Arc::clone(&store.volume), Arc::clone(&store.index), store.journal);
    let mut scrub = Scrub::new(256 << 10);
    let mut steps = 0;
    while scrub.pause() != ROUNDS_APART {
        assert_eq!(scrub.pause(), Duration::from_secs(1));
        scrub.step(&mut reader);
        steps += 1;
        assert!(steps < 20);
    }
    let index = store.index();
    assert_eq!(index.streams[&stream].damage.as_ref().unwrap().position, Position(3));
    assert!(index.streams.values().filter(|stream| stream.damage.is_some()).count() == 1);
}
