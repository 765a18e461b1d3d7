use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Copy, Debug)]
enum Op {
    /// The next number, or one that is further on.
    Add(u64),
    Remove(usize),
    /// A value that was removed comes back.
    Return,
}

fn op() -> impl Strategy<Value = Op> {
    let far = prop_oneof![20 => Just(0_u64), 2 => 1..100_u64, 1 => 100..1_000_000_u64];
    prop_oneof![
        5 => far.prop_map(Op::Add),
        4 => (0..20_usize).prop_map(Op::Remove),
        1 => Just(Op::Return),
    ]
}

proptest! {
    #[test]
    fn it_is_a_map(ops in prop::collection::vec(op(), 1..400)) {
        let mut model = BTreeMap::new();
        let mut map = Ascending::default();
        let mut next = 0;
        let mut removed = None;
        for op in ops {
            match op {
                Op::Add(ahead) => {
                    next += 1 + ahead;
                    let places_max = PLACES_MIN.max((map.young + 1) * PLACES_PER_VALUE);
                    assert_eq!(map.insert(next, next), model.insert(next, next));
                    assert!(map.places.len() <= places_max);
                }
                Op::Remove(which) => {
                    let key = model.keys().copied().nth(which);
                    removed = key.or(removed);
                    let key = key.unwrap_or(next);
                    assert_eq!(map.remove(&key), model.remove(&key));
                }
                Op::Return => {
                    if let Some(key) = removed.take() {
                        assert_eq!(map.insert(key, key), model.insert(key, key));
                    }
                }
            }
            assert!(map.iter().eq(model.iter().map(|(key, value)| (*key, value))));
            let middle = model.keys().nth(model.len() / 2).copied();
            for key in [None, middle, Some(next), Some(next + 1)] {
                let lower = model.iter().rev().filter(|(one, _)| key.is_none_or(|key| **one < key));
                assert!(map.before(key).eq(lower.map(|(key, value)| (*key, value))));
            }
            assert!(model.keys().all(|key| map.get(key) == Some(key) && map.get_mut(key).is_some()));
            assert!(!map.contains_key(&(next + 1)));
            assert_eq!(map.is_empty(), model.is_empty());
        }
    }
}

#[test]
fn one_that_stays_costs_no_places() {
    let mut map = Ascending::default();
    map.insert(0_u64, ());
    for number in 1..100_000_u64 {
        map.insert(number, ());
        map.remove(&number);
    }
    assert!(map.contains_key(&0));
    assert!(map.places.len() <= PLACES_MIN);
}
