use std::collections::BTreeMap;

use proptest::prelude::*;

use super::Slab;

proptest! {
    #[test]
    fn agrees_with_a_map(steps in prop::collection::vec((any::<bool>(), 0usize..6), 0..60)) {
        let (mut slab, mut model) = (Slab::default(), BTreeMap::new());
        let mut longest = 0;
        for (is_insert, number) in steps {
            if is_insert {
                let taken = slab.insert(number);
                prop_assert_eq!(None, model.insert(taken, number));
            } else {
                prop_assert_eq!(model.remove(&number), slab.remove(number));
            }
            longest = longest.max(model.len());
            prop_assert_eq!(model.get(&number), slab.value(number));
            prop_assert_eq!(model.get(&number), slab.value_mut(number).map(|value| &*value));
            prop_assert!(slab.iter().eq(model.iter().map(|(number, value)| (*number, value))));
            prop_assert!(slab.slots.len() <= longest);
        }
    }
}
