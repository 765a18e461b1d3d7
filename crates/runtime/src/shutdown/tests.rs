use std::time::Duration;

use super::signal;
use crate::clock::Clock;
use crate::task::Scope;

#[tokio::test(start_paused = true)]
async fn everyone_hears_the_deadline() {
    let (scope, (trigger, shutdown)) = (Scope::root("test"), signal());
    assert_eq!(None, shutdown.deadline());
    let hearers: Vec<_> = (0..3)
        .map(|_| {
            let shutdown = shutdown.clone();
            scope.spawn("part", async move { shutdown.begun().await })
        })
        .collect();
    tokio::task::yield_now().await;
    let deadline = Clock.now() + Duration::from_secs(30);
    trigger.begin(deadline);
    for hearer in hearers {
        assert_eq!(Ok(deadline), hearer.await);
    }
    assert_eq!(Some(deadline), shutdown.deadline());
    assert_eq!(deadline, shutdown.begun().await, "who comes late hears it too");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_only_moves_closer() {
    let (trigger, shutdown) = signal();
    let deadline = Clock.now() + Duration::from_secs(30);
    trigger.begin(deadline);
    trigger.begin(deadline + Duration::from_secs(1));
    assert_eq!(Some(deadline), shutdown.deadline());
    trigger.begin(deadline - Duration::from_secs(1));
    assert_eq!(Some(deadline - Duration::from_secs(1)), shutdown.deadline());
}

#[tokio::test(start_paused = true)]
async fn a_trigger_that_is_gone_never_begins() {
    let (trigger, shutdown) = signal();
    drop(trigger);
    let deadline = Clock.now() + Duration::from_secs(1);
    assert!(Clock.by(deadline, shutdown.begun()).await.is_err());
}
