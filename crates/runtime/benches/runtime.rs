//! What a request pays to this crate: memory, the door, an answer, a task, a metric.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use runtime::budget::Budget;
use runtime::channel::{self, Ends};
use runtime::clock::Clock;
use runtime::door::{Door, Limits};
use runtime::metrics::Registry;
use runtime::task::Scope;

const ENDS: Ends = Ends { from: "bench", to: "bench" };

fn memory(criterion: &mut Criterion) {
    let root = Budget::root("process", 1 << 30);
    let share = root.child("edge", 1 << 30).child("lane", 1 << 30);
    criterion.bench_function("budget: take and give back, three levels", |bencher| {
        bencher.iter(|| black_box(share.try_take(black_box(8 << 10))));
    });
}

fn metric(criterion: &mut Criterion) {
    let counter = Registry::default().counter("sent", "", Vec::new());
    criterion.bench_function("metrics: count", |bencher| bencher.iter(|| counter.add(1)));
}

fn requests(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime starts");
    let scope = Scope::root("bench");
    let _entered = runtime.enter();
    let budget = Budget::root("process", 1 << 30);
    let door = Door::new(Clock, &scope, budget, Limits::default());
    criterion.bench_function("door: enter with room", |bencher| {
        let deadline = Clock.now() + Duration::from_secs(3_600);
        bencher.iter(|| runtime.block_on(door.enter("peer", 8 << 10, deadline)).is_ok());
    });
    criterion.bench_function("once: an answer that is there", |bencher| {
        bencher.iter(|| {
            let (sender, mut receiver) = channel::once(ENDS);
            sender.send(5).is_ok() && runtime.block_on(receiver.recv()) == Some(5)
        });
    });
    criterion.bench_function("task: spawn, answer, wait", |bencher| {
        bencher.iter(|| {
            let (sender, mut receiver) = channel::once(ENDS);
            scope.spawn("answer", async move { sender.send(5).is_ok() }).detach();
            runtime.block_on(receiver.recv())
        });
    });
}

criterion_group!(benches, memory, metric, requests);
criterion_main!(benches);
