use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Ended, Leftovers, Scope};
use crate::clock::Clock;

async fn forever() {
    std::future::pending().await
}

#[tokio::test(start_paused = true)]
async fn a_task_gives_its_result() {
    let scope = Scope::root("test");
    assert_eq!(Ok(5), scope.spawn("sum", async { 2 + 3 }).await);
    assert_eq!(0, scope.alive());
    scope.assert_idle(Clock).await;
}

#[tokio::test(start_paused = true)]
async fn names_tasks_by_their_path() {
    let scope = Scope::root("test");
    let child = scope.child("otlp");
    let _tasks = [scope.spawn("b", forever()), child.spawn("a", forever())];
    assert_eq!(["test/b", "test/otlp/a"], *scope.alive_names());
    assert_eq!((2, 1), (scope.alive(), child.alive()));
    assert_eq!(["test/otlp/a"], *child.alive_names());
}

#[tokio::test(start_paused = true)]
async fn dropping_a_task_cancels_it_and_detaching_does_not() {
    let scope = Scope::root("test");
    let dropped = scope.spawn("dropped", forever());
    scope.spawn("detached", forever()).detach();
    drop(dropped);
    tokio::task::yield_now().await;
    assert_eq!(["test/detached"], *scope.alive_names());
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_task_drops_what_it_holds_and_says_so() {
    struct Flag(Arc<AtomicBool>);
    impl Drop for Flag {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let (scope, dropped) = (Scope::root("test"), Arc::new(AtomicBool::new(false)));
    let flag = Flag(Arc::clone(&dropped));
    let task = scope.spawn("holder", async move {
        forever().await;
        drop(flag);
    });
    tokio::task::yield_now().await;
    task.cancel();
    assert_eq!(Err(Ended), task.await);
    assert!(dropped.load(Ordering::SeqCst));
    assert_eq!(0, scope.alive());
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_counted_and_ends_only_its_task() {
    let scope = Scope::root("test");
    let child = scope.child("otlp");
    let other = child.spawn("other", async { Clock.sleep(Duration::from_secs(1)).await });
    assert_eq!(Err(Ended), child.spawn("broken", async { panic!("on purpose") }).await);
    assert_eq!((1, 1, 1), (scope.panicked(), child.panicked(), scope.alive()));
    assert_eq!(Ok(()), other.await);
}

#[tokio::test(start_paused = true)]
async fn idle_waits_for_the_last_task_below() {
    let scope = Scope::root("test");
    let child = scope.child("otlp");
    child.spawn("slow", async { Clock.sleep(Duration::from_secs(3)).await }).detach();
    let start = Clock.now();
    assert!(!scope.idle_by(Clock, start + Duration::from_secs(1)).await);
    assert!(scope.idle_by(Clock, start + Duration::from_secs(9)).await);
    assert_eq!(Duration::from_secs(3), Clock.now() - start);
}

#[tokio::test(start_paused = true)]
async fn closing_lets_tasks_end_and_cancels_the_rest_at_the_deadline() {
    let scope = Scope::root("test");
    let child = scope.child("otlp");
    child.spawn("quick", async { Clock.sleep(Duration::from_secs(1)).await }).detach();
    child.spawn("slow", forever()).detach();
    let start = Clock.now();
    let left = scope.close(Clock, start + Duration::from_secs(2)).await;
    let cancelled = vec!["test/otlp/slow".to_owned()];
    assert_eq!(Leftovers { cancelled, stuck: Vec::new() }, left);
    assert_eq!((Duration::from_secs(2), 0), (Clock.now() - start, scope.alive()));
}

#[tokio::test(start_paused = true)]
async fn a_closed_scope_starts_nothing() {
    let scope = Scope::root("test");
    let child = scope.child("otlp");
    assert_eq!(Leftovers::default(), scope.close(Clock, Clock.now()).await);
    assert_eq!(Err(Ended), child.spawn("late", async {}).await);
    assert_eq!(Err(Ended), child.child("new").spawn("late", async {}).await);
    assert_eq!(0, scope.alive());
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "tasks are left: [\"test/left\"]")]
async fn the_end_of_a_test_finds_who_is_left() {
    let scope = Scope::root("test");
    scope.spawn("left", forever()).detach();
    scope.assert_idle(Clock).await;
}

#[test]
fn tasks_of_a_runtime_that_ended_are_gone() {
    let scope = Scope::root("test");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async { scope.spawn("left", forever()).detach() });
    drop(runtime);
    assert_eq!((0, Vec::new()), (scope.alive(), scope.alive_names()));
}

#[test]
fn many_threads_may_spawn_and_close_at_once() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap();
    let scope = Scope::root("test");
    runtime.block_on(async {
        let spawner = scope.child("spawner");
        for number in 0..200 {
            let (own, inner) = (spawner.clone(), spawner.child("inner"));
            let spawn = async move {
                inner.spawn("quick", async {}).detach();
                own.spawn("slow", forever()).detach();
            };
            spawner.spawn(&format!("task {number}"), spawn).detach();
        }
        let left = scope.close(Clock, Clock.now() + Duration::from_millis(5)).await;
        assert_eq!(Vec::<String>::new(), left.stuck);
    });
    assert_eq!((0, 0), (scope.alive(), scope.alive_names().len()));
}
