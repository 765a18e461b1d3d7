use std::time::Duration;

use super::*;
use crate::testing::environment;

const MEBIBYTE: usize = 1 << 20;
const SECOND: Duration = Duration::from_secs(1);

/// A workspace in a process of 64 MiB: one MiB is set aside.
fn workspace() -> (Workspace, Budget) {
    let env = environment("otlp", None);
    env.budget.set_bytes_max(64 * MEBIBYTE);
    (Workspace::new(&env, true), env.budget)
}

async fn room(workspace: &Workspace, bytes: usize) -> Option<Room> {
    workspace.room(bytes, Clock.now() + SECOND).await.ok()
}

#[tokio::test(start_paused = true)]
async fn there_is_room_for_one_body_however_full_the_process_is() {
    let (workspace, process) = workspace();
    let _all = process.try_take(63 * MEBIBYTE).unwrap();
    assert!(process.try_take(1).is_none());
    let large = room(&workspace, 20 * MEBIBYTE).await.unwrap();
    assert!(room(&workspace, 1).await.is_none(), "it takes all that is set aside");
    drop(large);
    assert!(room(&workspace, 1).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_served_when_a_call_ends() {
    let (workspace, process) = workspace();
    let _all = process.try_take(63 * MEBIBYTE).unwrap();
    let mut first = room(&workspace, MEBIBYTE).await.unwrap();
    let (second, ()) = tokio::join!(room(&workspace, MEBIBYTE / 2), async {
        Clock.sleep(SECOND / 2).await;
        first.shrink_to(MEBIBYTE / 2);
    });
    assert!(second.is_some());
}

#[tokio::test(start_paused = true)]
async fn an_idle_process_lends_more() {
    let (workspace, process) = workspace();
    let mut rooms = Vec::new();
    while let Some(one) = room(&workspace, MEBIBYTE).await {
        rooms.push(one);
    }
    assert_eq!(rooms.len(), 8);
    rooms.clear();
    assert_eq!(process.bytes_used(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_as_it_is_needs_no_room() {
    let env = environment("otlp", None);
    let workspace = Workspace::new(&env, false);
    assert_eq!(env.budget.bytes_free(), env.budget.bytes_max());
    assert!(room(&workspace, MEBIBYTE).await.is_some());
}
