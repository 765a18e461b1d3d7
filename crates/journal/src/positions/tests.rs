use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Place, Positions};

fn place(number: u32) -> Place {
    Place { segment: number, offset: number, bytes: number, weight: number }
}

proptest! {
    #[test]
    fn does_what_a_map_does(steps: Vec<(bool, u8, u32)>, range in (0u64..300, 0u64..300)) {
        let (mut positions, mut model) = (Positions::default(), BTreeMap::new());
        for (is_insert, position, number) in steps {
            let position = u64::from(position);
            if is_insert {
                let replaced = positions.insert(position, place(number));
                prop_assert_eq!(replaced, model.insert(position, place(number)));
            } else {
                prop_assert_eq!(positions.remove(position), model.remove(&position));
            }
            prop_assert_eq!(positions.len(), model.len());
            prop_assert_eq!(positions.first(), model.keys().next().copied());
            prop_assert_eq!(positions.place(position), model.get(&position).copied());
        }
        let range = range.0.min(range.1)..range.0.max(range.1);
        let found: Vec<_> = positions.within(range.clone()).collect();
        let expected: Vec<_> = model.range(range).map(|(at, place)| (*at, *place)).collect();
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn what_has_no_live_record_costs_nothing() {
    let mut positions = Positions::default();
    for position in 0..1000 {
        positions.insert(position, place(1));
    }
    for position in 0..999 {
        positions.remove(position);
    }
    assert_eq!((positions.chunks.len(), positions.first()), (1, Some(999)));
}
