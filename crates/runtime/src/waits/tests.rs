use std::time::{Duration, Instant};

use super::{Kind, Wait, What, snapshot};
use crate::channel::{self, Ends};
use crate::clock::Clock;
use crate::task::{Scope, Task};

const ENDS: Ends = Ends { from: "reader", to: "sender" };

/// The waits of the tasks below `scope`, which other tests do not disturb.
fn waits_of(scope: &Scope) -> Vec<Wait> {
    let prefix = format!("{}/", scope.name());
    snapshot().into_iter().filter(|wait| wait.task.starts_with(&prefix)).collect()
}

/// The only wait of `task`, once it blocks; and that it is gone when the task is.
async fn check(scope: &Scope, task: Task<()>, expected: What, until: Option<Instant>) {
    let since = Clock.now();
    tokio::task::yield_now().await;
    let task_name = format!("{}/waiter", scope.name());
    let wait = Wait { task: task_name, waits_for: expected, since, until };
    assert_eq!(vec![wait], waits_of(scope));
    drop(task);
    tokio::task::yield_now().await;
    assert_eq!(Vec::<Wait>::new(), waits_of(scope));
}

#[tokio::test(start_paused = true)]
async fn shows_who_waits_for_an_item() {
    let scope = Scope::root("waits for an item");
    let (_sender, mut receiver) = channel::bounded::<()>(ENDS, 1);
    let task = scope.spawn("waiter", async move { receiver.recv().await.unwrap_or_default() });
    let expected = What { kind: Kind::Item, served_by: "reader", on_behalf_of: "sender" };
    check(&scope, task, expected, None).await;
}

#[tokio::test(start_paused = true)]
async fn shows_who_waits_for_room_and_until_when() {
    let scope = Scope::root("waits for room");
    let (sender, _receiver) = channel::bounded(ENDS, 1);
    sender.try_send(()).unwrap();
    let deadline = Clock.now() + Duration::from_secs(7);
    let send = async move { drop(sender.send_by(Clock, deadline, ()).await) };
    let task = scope.spawn("waiter", send);
    let expected = What { kind: Kind::Room, served_by: "sender", on_behalf_of: "reader" };
    check(&scope, task, expected, Some(deadline)).await;
}

#[tokio::test(start_paused = true)]
async fn shows_the_nearest_of_nested_deadlines() {
    let scope = Scope::root("waits for an answer");
    let (_sender, mut receiver) = channel::once::<()>(ENDS);
    let (near, far) = (Clock.now() + Duration::from_secs(1), Clock.now() + Duration::from_secs(2));
    let wait = async move {
        let inner = Clock.by(far, receiver.recv());
        Clock.by(near, inner).await.ok();
    };
    let expected = What { kind: Kind::Completion, served_by: "reader", on_behalf_of: "sender" };
    check(&scope, scope.spawn("waiter", wait), expected, Some(near)).await;
}

#[tokio::test(start_paused = true)]
async fn shows_timers_and_changes() {
    let scope = Scope::root("waits for time");
    let task = scope.spawn("waiter", Clock.sleep(Duration::from_secs(1)));
    check(&scope, task, What::timer(), None).await;
    let (_sender, mut receiver) = channel::latest(ENDS, ());
    let task = scope.spawn("waiter", async move { receiver.changed().await.unwrap_or_default() });
    check(&scope, task, What::received(Kind::Change, ENDS), None).await;
}

#[tokio::test(start_paused = true)]
async fn shows_who_waits_for_the_end_of_a_task() {
    let scope = Scope::root("waits for a task");
    let inner = scope.spawn("inner", std::future::pending::<()>());
    let task = scope.spawn("waiter", async move { inner.await.unwrap_or_default() });
    check(&scope, task, What::tasks(), None).await;
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_ended_is_gone_before_the_next_begins() {
    let scope = Scope::root("waits twice");
    let task = scope.spawn("waiter", async {
        Clock.sleep(Duration::from_secs(1)).await;
        Clock.sleep(Duration::from_secs(1)).await;
    });
    let start = Clock.now();
    Clock.sleep(Duration::from_millis(1_500)).await;
    let waits = waits_of(&scope);
    assert_eq!(1, waits.len());
    assert_eq!(start + Duration::from_secs(1), waits[0].since);
    task.await.unwrap();
    assert_eq!(Vec::<Wait>::new(), waits_of(&scope));
}

#[tokio::test(start_paused = true)]
async fn a_task_may_wait_for_several_things_at_once() {
    let scope = Scope::root("waits for either");
    let (_sender, mut receiver) = channel::bounded::<()>(ENDS, 1);
    let _task = scope.spawn("waiter", async move {
        tokio::select! {
            _ = receiver.recv() => {}
            () = Clock.sleep(Duration::from_secs(1)) => {}
        }
    });
    tokio::task::yield_now().await;
    let mut kinds: Vec<_> =
        waits_of(&scope).iter().map(|wait| wait.waits_for.to_string()).collect();
    kinds.sort();
    assert_eq!(["a moment of clock", "an item of reader for sender"], *kinds);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_does_not_block_is_not_seen() {
    let scope = Scope::root("does not block");
    let (sender, mut receiver) = channel::bounded(ENDS, 1);
    sender.try_send(5).unwrap();
    let seen = scope.spawn("waiter", async move {
        let value = receiver.recv().await;
        (value, receiver)
    });
    assert_eq!(Some(5), seen.await.unwrap().0);
    assert_eq!(Vec::<Wait>::new(), waits_of(&scope));
}
