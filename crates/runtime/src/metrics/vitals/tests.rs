use super::super::{Reading, Registry};
use super::{register_budget, register_tasks};
use crate::budget::Budget;
use crate::task::Scope;

fn value(registry: &Registry, name: &str) -> Reading {
    let snapshots = registry.snapshot();
    let found = snapshots.iter().find(|snapshot| snapshot.name == name).unwrap();
    found.series[0].1.clone()
}

#[tokio::test(start_paused = true)]
async fn shows_tasks_and_memory_as_they_are_at_the_scrape() {
    let (registry, scope) = (Registry::default(), Scope::root("test"));
    let budget = Budget::root("process", 1 << 20);
    register_tasks(&registry, &scope);
    register_budget(&registry, &budget);
    let _task = scope.spawn("forever", std::future::pending::<()>());
    scope.spawn("broken", async { panic!("on purpose") }).await.unwrap_err();
    let _permit = budget.try_take(8 << 10).unwrap();
    for (name, expected) in [
        ("tidegate_tasks_alive", 1),
        ("tidegate_tasks_panicked", 1),
        ("tidegate_memory_used_bytes", 8 << 10),
        ("tidegate_memory_limit_bytes", 1 << 20),
    ] {
        assert_eq!(Reading::Number(expected.into()), value(&registry, name), "{name}");
    }
    assert!(matches!(value(&registry, "tidegate_waits"), Reading::Number(waits) if 0.0 <= waits));
}
