use std::collections::VecDeque;

use proptest::prelude::*;

use super::{Budget, CHARGE_MIN, Overcommitted, Part, Permit, Portion};

const KIB: usize = 1 << 10;

#[test]
fn takes_from_all_ancestors_or_nothing() {
    let root = Budget::root("process", 100 * KIB);
    let (one, other) = (root.child("one", 80 * KIB), root.child("other", 80 * KIB));
    let permit = one.try_take(60 * KIB).unwrap();
    assert!(other.try_take(60 * KIB).is_none());
    assert_eq!((60 * KIB, 0, 60 * KIB), (one.bytes_used(), other.bytes_used(), root.bytes_used()));
    drop(permit);
    assert!(other.try_take(60 * KIB).is_some());
    assert_eq!(0, root.bytes_used());
}

#[test]
fn charges_at_least_the_minimum() {
    let budget = Budget::root("process", 100 * KIB);
    let mut permit = budget.try_take(1).unwrap();
    assert_eq!(CHARGE_MIN, permit.bytes());
    permit.shrink_to(0);
    assert_eq!(CHARGE_MIN, budget.bytes_used());
}

#[test]
fn a_permit_grows_and_shrinks_within_its_share() {
    let budget = Budget::root("process", 100 * KIB);
    let mut permit = budget.try_take(50 * KIB).unwrap();
    assert!(permit.try_grow(50 * KIB));
    assert!(!permit.try_grow(1));
    permit.shrink_to(30 * KIB);
    permit.shrink_to(40 * KIB);
    assert_eq!((30 * KIB, 30 * KIB), (permit.bytes(), budget.bytes_used()));
    drop(permit);
    assert_eq!(0, budget.bytes_used());
}

#[test]
fn a_minimum_is_free_whatever_others_take() {
    let root = Budget::root("process", 100 * KIB);
    let sure = root.child_with_minimum("sure", 40 * KIB, 60 * KIB).unwrap();
    let greedy = root.child("greedy", usize::MAX);
    assert!(greedy.try_take(61 * KIB).is_none());
    let taken = greedy.try_take(60 * KIB).unwrap();
    let within = sure.try_take(40 * KIB).unwrap();
    assert!(sure.try_take(4 * KIB).is_none(), "beyond the minimum it competes");
    drop(taken);
    let beyond = sure.try_take(20 * KIB).unwrap();
    assert_eq!(60 * KIB, root.bytes_used());
    drop((within, beyond));
    assert_eq!((0, 60 * KIB), (root.bytes_used(), root.bytes_free()));
    drop(sure);
    assert_eq!(100 * KIB, root.bytes_free());
}

fn one_in(one_in: usize, bytes_least: usize) -> Part {
    Part { one_in, bytes_least }
}

#[test]
fn a_portion_follows_the_cap_above_it() {
    let root = Budget::root("process", 100 * KIB);
    let edge = root.portion("edge", Portion { min: one_in(10, 0), max: one_in(4, 30 * KIB) });
    let lane = edge.portion("lane", Portion { min: Part::NOTHING, max: one_in(2, 0) });
    let sizes = || (edge.bytes_max() / KIB, lane.bytes_max() / KIB, root.bytes_free() / KIB);
    assert_eq!(sizes(), (30, 15, 90));
    root.set_bytes_max(400 * KIB);
    assert_eq!(sizes(), (100, 50, 360));
    let permit = lane.try_take(50 * KIB).unwrap();
    assert_eq!(sizes(), (100, 50, 350));
    root.set_bytes_max(100 * KIB);
    assert_eq!(sizes(), (30, 15, 50));
    assert!(lane.try_take(KIB).is_none());
    drop(permit);
    assert_eq!((sizes(), root.check()), ((30, 15, 90), Ok(())));
}

#[test]
fn a_portion_is_promised_no_more_than_there_is() {
    let root = Budget::root("process", 100 * KIB);
    let half = Portion { min: one_in(2, 60 * KIB), max: one_in(1, 0) };
    let (one, other) = (root.portion("one", half), root.portion("other", half));
    assert_eq!((root.bytes_free(), root.bytes_ever()), (0, 0));
    let taken = other.try_take(40 * KIB).unwrap();
    assert!(other.try_take(KIB).is_none());
    assert!(one.try_take(60 * KIB).is_some());
    drop((taken, other));
    root.set_bytes_max(50 * KIB);
    assert_eq!((root.bytes_free(), root.check()), (0, Ok(())));
}

#[test]
fn promises_no_more_than_there_is() {
    let root = Budget::root("process", 100 * KIB);
    let _sure = root.child_with_minimum("sure", 70 * KIB, 80 * KIB).unwrap();
    let refused = root.child_with_minimum("more", 40 * KIB, 80 * KIB).unwrap_err();
    let expected =
        Overcommitted { name: "more".to_owned(), bytes_min: 40 * KIB, bytes_left: 30 * KIB };
    assert_eq!(expected, refused);
}

#[test]
fn knows_the_most_that_one_permit_can_hold() {
    let root = Budget::root("process", 100 * KIB);
    let sure = root.child_with_minimum("sure", 40 * KIB, 90 * KIB).unwrap();
    let other = root.child("other", 70 * KIB);
    let found = (root.bytes_ever(), sure.bytes_ever(), other.bytes_ever());
    assert_eq!((60 * KIB, 90 * KIB, 60 * KIB), found);
}

#[test]
fn a_smaller_cap_takes_nothing_back() {
    let budget = Budget::root("process", 100 * KIB);
    let permit = budget.try_take(80 * KIB).unwrap();
    budget.set_bytes_max(50 * KIB);
    assert!(budget.try_take(KIB).is_none());
    drop(permit);
    assert!(budget.try_take(50 * KIB).is_some());
}

#[test]
fn explains_each_share_with_its_peak() {
    let root = Budget::root("process", 100 * KIB);
    let edge = root.child_with_minimum("edge", 10 * KIB, 60 * KIB).unwrap();
    drop(edge.try_take(50 * KIB).unwrap());
    let _permit = edge.try_take(8 * KIB).unwrap();
    let usages = root.explain();
    assert_eq!(["process", "process/edge"], [&*usages[0].name, &*usages[1].name]);
    let edge = &usages[1];
    assert_eq!((8 * KIB, 50 * KIB, 1), (edge.bytes_used, edge.bytes_peak, edge.holders));
    assert_eq!((10 * KIB, 60 * KIB), (edge.bytes_min, edge.bytes_max));
    assert_eq!((8 * KIB, 0), (usages[0].bytes_used, usages[0].holders));
}

#[tokio::test]
async fn a_release_wakes_who_listens() {
    let budget = Budget::root("process", 100 * KIB);
    let freed = budget.freed();
    let permit = budget.try_take(8 * KIB).unwrap();
    assert!(freed.listen() && !freed.listen());
    drop(permit);
    freed.wait().await;
}

#[derive(Clone, Debug)]
enum Step {
    Take { share: usize, kib: usize },
    Grow { kib: usize },
    Shrink { kib: usize },
    Drop,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0usize..4, 0usize..60).prop_map(|(share, kib)| Step::Take { share, kib }),
        1 => (0usize..60).prop_map(|kib| Step::Grow { kib }),
        1 => (0usize..60).prop_map(|kib| Step::Shrink { kib }),
        2 => Just(Step::Drop),
    ]
}

/// What is used and what is committed as sums over the permits, and whether every cap holds.
fn model(permits: &VecDeque<(usize, Permit)>) -> (usize, usize, bool) {
    let held = |share: usize| -> usize {
        permits.iter().filter(|(at, _)| *at == share).map(|(_, permit)| permit.bytes()).sum()
    };
    let lane = held(3).max(20 * KIB);
    let exporter = (held(2) + lane).max(30 * KIB);
    let root = held(0) + held(1) + exporter;
    let is_capped = held(1) <= 50 * KIB && held(2) + lane <= 80 * KIB && held(3) <= 40 * KIB;
    let used = (0..4).map(held).sum();
    (used, root, is_capped && root <= 100 * KIB)
}

proptest! {
    /// A request is admitted exactly when every cap still holds with it, and all comes back.
    #[test]
    fn agrees_with_sums_over_all_permits(steps in prop::collection::vec(step(), 1..60)) {
        let root = Budget::root("process", 100 * KIB);
        let edge = root.child("edge", 50 * KIB);
        let exporter = root.child_with_minimum("exporter", 30 * KIB, 80 * KIB).unwrap();
        let lane = exporter.child_with_minimum("lane", 20 * KIB, 40 * KIB).unwrap();
        let shares = [root.clone(), edge.clone(), exporter, lane];
        let mut permits = VecDeque::new();
        for step in steps {
            match step {
                Step::Take { share, kib } => match shares[share].try_take(kib * KIB) {
                    Some(permit) => permits.push_back((share, permit)),
                    None => {
                        // The same request against a tree without caps shows what was in the way.
                        let free = Budget::root("free", usize::MAX);
                        permits.push_back((share, free.try_take(kib * KIB).unwrap()));
                        prop_assert!(!model(&permits).2, "refused with room free");
                        permits.pop_back();
                    }
                },
                Step::Grow { kib } => {
                    let Some((_, permit)) = permits.front_mut() else { continue };
                    let before = permit.bytes();
                    let expected = before + if permit.try_grow(kib * KIB) { kib * KIB } else { 0 };
                    prop_assert_eq!(expected, permit.bytes());
                }
                Step::Shrink { kib } => {
                    let Some((_, permit)) = permits.back_mut() else { continue };
                    let expected = permit.bytes().min((kib * KIB).max(CHARGE_MIN));
                    permit.shrink_to(kib * KIB);
                    prop_assert_eq!(expected, permit.bytes());
                }
                Step::Drop => drop(permits.pop_front()),
            }
            let committed = 100 * KIB - root.bytes_free();
            prop_assert_eq!((root.bytes_used(), committed, true), model(&permits));
            prop_assert!(root.check().is_ok());
        }
        drop(permits);
        prop_assert_eq!((0, 70 * KIB), (root.bytes_used(), root.bytes_free()));
        drop(shares);
        prop_assert_eq!(100 * KIB, root.bytes_free());
    }
}
