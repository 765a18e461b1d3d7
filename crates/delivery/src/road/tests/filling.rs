//! How large batches become, by the number of callers.

#![expect(clippy::print_stdout, reason = "the distribution is a result")]

use pipeline::Verdict;

use super::super::*;
use super::bench::{Bench, batching, delivered, millis, secs};

/// The sizes of the batches of `callers` who each send 100 items and wait for the answer, again
/// and again, to a destination that takes 20 ms: the quantiles 0, 0.1, 0.5, 0.9 and 1, by batch.
async fn distribution(callers: usize) -> [usize; 5] {
    let rounds = 4000_usize.div_ceil(callers).max(20);
    let bench = Arc::new(Bench::new(batching(8192, 8192), |_, _| (millis(20), Verdict::Delivered)));
    let scope = bench.env.scope.child("callers");
    for _ in 0..callers {
        let bench = Arc::clone(&bench);
        let call = async move {
            for _ in 0..rounds {
                assert_eq!(bench.answer(100, secs(30)).await, Some(delivered()));
            }
        };
        scope.spawn("caller", call).detach();
    }
    assert!(scope.idle_by(Clock, Clock.now() + secs(600)).await);
    bench.close(secs(5)).await;
    let mut sizes = bench.sizes();
    sizes.sort_unstable();
    [0, 10, 50, 90, 100].map(|percent| sizes[(sizes.len() - 1) * percent / 100])
}

#[tokio::test(start_paused = true)]
async fn batches_fill_with_the_number_of_callers() {
    let mut medians = Vec::new();
    for callers in [1, 10, 100, 1000] {
        let [least, low, median, high, most] = distribution(callers).await;
        println!("| {callers} | {least} | {low} | {median} | {high} | {most} |");
        assert!(most <= 8192);
        medians.push(median);
    }
    // A lone caller never waits for others; a thousand fill their batches.
    assert_eq!(medians[0], 100);
    assert!(medians.is_sorted() && 8000 < medians[3], "{medians:?}");
}

/// Sends requests of ten items from `callers` callers in a closed loop; gives the mean batch.
async fn mean_batch(callers: usize) -> usize {
    let bench = Bench::new(batching(1000, 2000), |_, _| (millis(20), Verdict::Delivered));
    let started = Clock.now();
    let rounds = 10;
    let loops = (0..callers).map(|_| async {
        for _ in 0..rounds {
            assert_eq!(bench.answer(10, secs(30)).await, Some(delivered()));
        }
    });
    futures_util::future::join_all(loops).await;
    let sizes = bench.sizes();
    assert_eq!(sizes.iter().sum::<usize>(), 10 * rounds * callers);
    // A round takes the destination's time and the quiet period, never the flush timer.
    assert!(Clock.now() - started <= rounds_of(rounds), "{:?}", Clock.now() - started);
    bench.close(secs(5)).await;
    sizes.iter().sum::<usize>() / sizes.len()
}

fn rounds_of(rounds: usize) -> Duration {
    (millis(20) + millis(22)) * u32::try_from(rounds + 1).unwrap()
}

#[tokio::test(start_paused = true)]
async fn batches_fill_with_callers_and_nobody_waits_for_the_timer() {
    assert_eq!(mean_batch(1).await, 10);
    assert_eq!(mean_batch(10).await, 100);
    assert_eq!(mean_batch(100).await, 1000);
    assert!(1000 <= mean_batch(1000).await);
}
