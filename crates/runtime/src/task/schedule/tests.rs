use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::Mutex as Lock;

use super::*;
use crate::clock::Clock;

const BOTH: [Strategy; 2] = [Strategy::Random, Strategy::Priorities { changes: 3 }];

/// The order in which three tasks of two steps ran.
fn order(seed: u64, strategy: Strategy) -> Vec<char> {
    let order = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&order);
    run(seed, strategy, |root| async move {
        for name in ['a', 'b', 'c'] {
            let seen = Arc::clone(&seen);
            let task = async move {
                for _ in 0..2 {
                    lock(&seen).push(name);
                    Clock.sleep(Duration::from_millis(1)).await;
                }
            };
            root.spawn("task", task).detach();
        }
        Clock.sleep(Duration::from_secs(1)).await;
    });
    lock(&order).clone()
}

#[test]
fn every_order_comes_up() {
    let orders = |strategy| (0..2000).map(|seed| order(seed, strategy)).collect::<BTreeSet<_>>();
    // Six orders of the first steps, and six of the second.
    assert_eq!(orders(Strategy::Random).len(), 36);
    // Priorities rarely change in a run as short as this.
    assert!(6 <= orders(Strategy::Priorities { changes: 3 }).len());
}

#[test]
fn a_seed_gives_the_same_order_again() {
    for strategy in BOTH {
        for seed in 0..20 {
            assert_eq!(order(seed, strategy), order(seed, strategy));
        }
    }
}

#[test]
fn two_locks_taken_in_both_orders_are_found_out() {
    for strategy in BOTH {
        let scenario = |root: Scope| async move {
            let locks = [Arc::new(Lock::new(())), Arc::new(Lock::new(()))];
            let take = |first: usize| {
                let (one, other) = (Arc::clone(&locks[first]), Arc::clone(&locks[1 - first]));
                root.spawn("taker", async move {
                    let _one = one.lock().await;
                    tokio::task::yield_now().await;
                    let _other = other.lock().await;
                })
            };
            let tasks = [take(0), take(1)];
            for task in tasks {
                assert!(task.await.is_ok());
            }
        };
        let is_stuck =
            |seed| catch_unwind(AssertUnwindSafe(|| run(seed, strategy, scenario))).is_err();
        assert!((0..50).any(is_stuck), "{strategy:?}");
    }
}
