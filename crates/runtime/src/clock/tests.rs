use std::time::Duration;

use super::{Clock, Elapsed};

#[tokio::test(start_paused = true)]
async fn waits_exactly_as_long_as_asked() {
    let start = Clock.now();
    Clock.sleep(Duration::from_secs(2)).await;
    assert_eq!(Duration::from_secs(2), Clock.now() - start);
    Clock.sleep_until(start + Duration::from_secs(5)).await;
    Clock.sleep_until(start).await;
    assert_eq!(Duration::from_secs(5), Clock.now() - start);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_ends_a_wait_and_not_a_result() {
    let start = Clock.now();
    let deadline = start + Duration::from_secs(2);
    let late = Clock.by(deadline, Clock.sleep(Duration::from_secs(3))).await;
    assert_eq!((Err(Elapsed), deadline), (late, Clock.now()));
    assert_eq!(Ok(5), Clock.by(start, async { 5 }).await, "what is ready is never late");
}
