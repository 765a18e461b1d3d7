use std::sync::mpsc;

use super::{Pool, RunError};
use crate::task::Scope;

async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn runs_jobs_on_a_thread_with_the_name_of_the_pool() {
    let pool = Pool::new("codec", 2, 4).unwrap();
    let name = pool.run(|| std::thread::current().name().map(str::to_owned)).await.unwrap();
    assert!(name.unwrap().starts_with("codec-"));
}

#[tokio::test]
async fn a_panic_is_an_error_and_the_thread_lives_on() {
    let pool = Pool::new("codec", 1, 4).unwrap();
    let expected = RunError::Panicked { pool: "codec", message: "broken 7".to_owned() };
    assert_eq!(Err(expected), pool.run(|| panic!("broken {}", 7)).await.map(|(): ()| ()));
    assert_eq!(Ok(5), pool.run(|| 5).await);
    assert_eq!(0, pool.waiting());
}

#[tokio::test]
async fn refuses_when_full_and_skips_jobs_whose_caller_left() {
    let (pool, scope) = (Pool::new("codec", 1, 1).unwrap(), Scope::root("test"));
    let (release, gate) = mpsc::channel::<()>();
    let (started, has_started) = mpsc::channel();
    let job = move || {
        started.send(()).unwrap();
        gate.recv().ok()
    };
    let busy = pool.clone();
    let first = scope.spawn("first", async move { busy.run(job).await });
    settle().await;
    has_started.recv().unwrap();
    let (ran, has_run) = mpsc::channel();
    let waiting = pool.clone();
    let second = scope.spawn("second", async move { waiting.run(move || ran.send(()).ok()).await });
    settle().await;
    assert_eq!((1, 1), (pool.running(), pool.waiting()));
    assert_eq!(Err(RunError::Full { pool: "codec" }), pool.run(|| ()).await);
    drop(second);
    settle().await;
    let third = scope.spawn("third", async move { pool.run(|| 3).await });
    settle().await;
    release.send(()).unwrap();
    first.await.unwrap().unwrap();
    assert_eq!(Ok(Ok(3)), third.await);
    assert!(has_run.try_recv().is_err());
}

#[tokio::test]
async fn the_threads_end_with_the_last_handle() {
    struct Life(mpsc::Sender<()>);
    thread_local!(static LIFE: std::cell::RefCell<Option<Life>> = const { std::cell::RefCell::new(None) });
    impl Drop for Life {
        fn drop(&mut self) {
            self.0.send(()).unwrap();
        }
    }
    let (ended, has_ended) = mpsc::channel();
    let pool = Pool::new("codec", 1, 4).unwrap();
    pool.run(move || LIFE.with_borrow_mut(|life| *life = Some(Life(ended)))).await.unwrap();
    drop(pool);
    has_ended.recv().unwrap();
}
