use std::collections::BTreeMap;
use std::time::Duration;

use pipeline::Metadata;
use proptest::prelude::*;
use wire::Signal;

use super::*;
use crate::Target;

fn key(name: u8) -> LaneKey {
    let metadata: Metadata = [("tenant".to_owned(), name.to_string())].into_iter().collect();
    LaneKey { signal: Signal::Logs, metadata, target: Target::default() }
}

#[derive(Clone, Copy, Debug)]
enum Move {
    Use(u8),
    CloseOldest,
    Retire(u8),
    Work(u8),
    Rest(u8),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        4 => (0..20u8).prop_map(Move::Use),
        1 => Just(Move::CloseOldest),
        1 => (0..20u8).prop_map(Move::Retire),
        2 => (0..20u8).prop_map(Move::Work),
        2 => (0..20u8).prop_map(Move::Rest),
    ];
    prop::collection::vec(one, 0..200)
}

/// What a map and a search say.
#[derive(Default)]
struct Model {
    lanes: BTreeMap<LaneId, (u8, Instant)>,
    busy: BTreeSet<LaneId>,
    retired: BTreeSet<LaneId>,
}

impl Model {
    fn find(&self, name: u8) -> Option<LaneId> {
        let named = self.lanes.iter().filter(|(id, _)| !self.retired.contains(id));
        named.filter(|(_, (other, _))| *other == name).map(|(id, _)| *id).next()
    }

    fn oldest(&self) -> Option<(Instant, LaneId)> {
        let aging = self.lanes.iter().filter(|(id, _)| !self.retired.contains(id));
        aging.map(|(id, (_, used))| (*used, *id)).min()
    }
}

fn set_running(lanes: &mut Lanes, id: LaneId, running: usize) {
    lanes.get_mut(&id).expect("the lane exists").running = running;
}

fn step(lanes: &mut Lanes, model: &mut Model, step: Move, now: Instant) {
    match step {
        Move::Use(name) => {
            let id = lanes.find(&key(name));
            assert_eq!(id, model.find(name));
            match id {
                Some(id) => lanes.touch(id, now),
                None => assert!(!model.lanes.contains_key(&lanes.open(key(name), now))),
            }
            let id = lanes.find(&key(name)).expect("it was made");
            model.lanes.insert(id, (name, now));
        }
        Move::CloseOldest => {
            let oldest = lanes.oldest();
            assert_eq!(oldest, model.oldest());
            let Some((_, id)) = oldest else { return };
            assert_eq!(lanes.close(id).map(|lane| lane.id), Some(id));
            assert!(lanes.get(&id).is_none() && lanes.close(id).is_none());
            model.lanes.remove(&id);
            model.busy.remove(&id);
        }
        Move::Retire(name) => {
            let Some(id) = model.find(name) else { return };
            lanes.retire(id);
            model.retired.insert(id);
        }
        Move::Work(name) => {
            let Some(id) = model.find(name) else { return };
            set_running(lanes, id, 1);
            model.busy.insert(id);
        }
        Move::Rest(name) => {
            let Some(id) = model.find(name) else { return };
            set_running(lanes, id, 0);
            model.busy.remove(&id);
        }
    }
}

proptest! {
    #[test]
    fn lanes_are_found_aged_and_seen_at_work_as_a_model_says(moves in moves(), seed: u64) {
        let start = runtime::clock::Clock.now();
        let (mut lanes, mut model) = (Lanes::new(seed), Model::default());
        for (index, next) in (0u32..).zip(moves) {
            // Several share an instant.
            step(&mut lanes, &mut model, next, start + Duration::from_secs(1) * (index / 3));
            prop_assert_eq!(lanes.len(), model.lanes.len());
            prop_assert_eq!(lanes.ids(), model.lanes.keys().copied().collect::<Vec<_>>());
            if index % 5 == 0 {
                let busy: BTreeSet<_> = lanes.busy().into_iter().collect();
                prop_assert_eq!(&busy, &model.busy);
            }
        }
        for (id, (name, used)) in &model.lanes {
            let lane = lanes.get(id).expect("the lane exists");
            prop_assert_eq!((&*lane.key, lane.last_used), (&key(*name), *used));
        }
    }
}

#[test]
fn what_is_kept_for_each_caller_and_lane_stays_small() {
    use super::super::{Action, batch::Part, member::Member};
    let sizes = [size_of::<Member>(), size_of::<Part>(), size_of::<Lane>(), size_of::<Action>()];
    let sizes_max = [200, 32, 464, 64];
    assert!(sizes.iter().zip(sizes_max).all(|(size, max)| *size <= max), "{sizes:?}");
}
