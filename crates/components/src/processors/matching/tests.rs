use std::cell::Cell;

use super::Known;

#[test]
fn what_is_around_items_is_looked_at_once_for_all_of_them() {
    let looks = Cell::new(0);
    let mut known = Known::default();
    let mut asked = |serial: u64, truth: bool| {
        known.or_find(serial, || {
            looks.set(looks.get() + 1);
            truth
        })
    };
    assert!(!asked(0, false));
    assert!(asked(1, true));
    assert!(asked(1, false), "the first finding counts");
    assert!(!asked(2, false));
    assert_eq!(looks.get(), 3);
}
