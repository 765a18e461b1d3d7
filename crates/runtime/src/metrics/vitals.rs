//! Vitals: memory shares, tasks and waits as metrics.

use super::Registry;
use crate::budget::Budget;
use crate::task::Scope;
use crate::waits;

/// Adds what the tasks of `scope` and the waits of the process amount to.
pub fn register_tasks(registry: &Registry, scope: &Scope) {
    let alive = scope.clone();
    let about = "Number of tasks that have not ended.";
    registry.gauge_fn("tidegate_tasks_alive", about, Vec::new(), move || alive.alive() as f64);
    let panicked = scope.clone();
    let about = "Number of tasks that panicked; anything but zero is a defect.";
    registry.counter_fn("tidegate_tasks_panicked", about, Vec::new(), move || {
        panicked.panicked() as f64
    });
    let about = "Number of waits that block now.";
    registry.gauge_fn("tidegate_waits", about, Vec::new(), || waits::snapshot().len() as f64);
}

/// Adds the use and the limit of a share of memory.
pub fn register_budget(registry: &Registry, budget: &Budget) {
    let labels = || vec![("share", budget.name())];
    let used = budget.clone();
    let about = "Memory that is taken from a share.";
    registry
        .gauge_fn("tidegate_memory_used_bytes", about, labels(), move || used.bytes_used() as f64);
    let limit = budget.clone();
    let about = "Memory that may be taken from a share.";
    registry
        .gauge_fn("tidegate_memory_limit_bytes", about, labels(), move || limit.bytes_max() as f64);
}

#[cfg(test)]
mod tests;
