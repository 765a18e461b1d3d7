//! A queue on disk at its limits: of age, of room, of patience, and of the disk itself.

use pipeline::{Answer, Verdict, consume};
use runtime::volume::simulated::{Fault, Simulated};

use super::super::*;
use super::bench::{Bench, at_once, delivered, millis, request, secs};
use super::crashing::{drained, environment_on};
use super::durable::{Folder, STORAGE, down, entries_of, next, store, stored, telling, with};
use crate::Attempt;
use crate::entry::Entry;
use crate::settings::{Queue, RefusedStore, Sizer, Store};

/// A queue that records at most `bytes_max` of refusals.
fn recording(bytes_max: u64, expire_after: Option<Duration>) -> Queue {
    let refused = Some(RefusedStore { storage: STORAGE.parse().unwrap(), bytes_max });
    Queue { store: Some(Store { refused, expire_after, ..store() }), ..stored() }
}

#[tokio::test]
async fn what_is_older_than_wished_is_recorded_and_given_up() {
    let folder = Folder::new();
    let bench = Bench::within(folder.environment(), with(stored()), down);
    for items in 1..=3 {
        assert_eq!(bench.answer(items, secs(60)).await, Some(delivered()));
    }
    bench.stop().await;
    let queue = recording(1 << 20, Some(millis(1)));
    let bench = Bench::within(folder.environment(), with(queue), down);
    drained(&bench).await;
    assert_eq!(bench.metric("tidegate_delivery_expired_items"), Some(6.0));
    bench.stop().await;
    let mut kept = entries_of(&folder.0.join("exporter-test-refused")).await;
    kept.sort_by_key(|entry| entry.payload.items());
    let kept: Vec<_> = kept.iter().map(|entry| entry.payload.items()).collect();
    assert_eq!(kept, [1, 2, 3]);
    assert_eq!(entries_of(&folder.0.join("exporter-test-queue")).await.len(), 0);
}

#[tokio::test]
async fn what_was_left_on_disk_is_told_before_anything_else_happens() {
    let folder = Folder::new();
    let bench = Bench::within(folder.environment(), with(stored()), down);
    assert_eq!(bench.answer(3, secs(60)).await, Some(delivered()));
    bench.stop().await;
    // No task of the road has run yet.
    let bench = Bench::within(folder.environment(), with(stored()), down);
    assert!(Some(0.0) < bench.metric("otelcol_exporter_queue_size"));
    bench.stop().await;
}

#[tokio::test]
async fn the_oldest_refusals_make_room_for_the_newest() {
    const BYTES_MAX: usize = 64 << 10;
    let folder = Folder::new();
    let refusing = |_: &Attempt, _: usize| {
        let status = Status::new(pipeline::Code::InvalidArgument, "bad");
        (Duration::ZERO, Verdict::Refused(status))
    };
    let queue = recording(BYTES_MAX as u64, None);
    let bench = Bench::within(folder.environment(), with(queue), refusing);
    let mut refused = 0.0;
    for items in 1_001..=1_060 {
        assert_eq!(bench.answer(items, secs(60)).await, Some(delivered()));
        refused += items as f64;
        let failed = || bench.metric("otelcol_exporter_send_failed_log_records");
        bench.until("it is refused", || failed() == Some(refused)).await;
        drained(&bench).await;
    }
    bench.stop().await;
    let kept = entries_of(&folder.0.join("exporter-test-refused")).await;
    let mut sizes: Vec<_> = kept.iter().map(|entry| entry.payload.items()).collect();
    sizes.sort_unstable();
    let bytes: usize = kept.iter().flat_map(Entry::encode).map(|part| part.len()).sum();
    assert!(bytes <= BYTES_MAX, "{bytes} bytes of {} refusals", kept.len());
    assert!(2 < sizes.len() && sizes.len() < 60, "{sizes:?}");
    let newest: Vec<_> = (1_061 - sizes.len()..=1_060).collect();
    assert_eq!(sizes, newest, "the newest, and no gap");
}

#[tokio::test]
async fn a_branch_whose_journal_is_full_hands_nothing_to_the_other() {
    let disk = Simulated::new(1);
    let queue = Queue { queue_size: 10_000_000, ..stored() };
    let bench = Bench::within(environment_on(&disk), with(queue), down);
    let other = Bench::new(with(super::bench::queue()), at_once);
    let both = pipeline::fanout::FanOut::over(vec![
        Arc::clone(&other.built.consumer),
        Arc::clone(&bench.built.consumer),
    ]);
    // The journal has 1 MiB; an item has two bytes.
    while bench.metric("tidegate_journal_full") != Some(1.0) {
        drop(bench.answer(9_000, secs(1)).await);
    }
    let (envelope, waiter, deadline) = request(9_000, secs(60));
    let began = Clock.now();
    consume(both.as_ref(), envelope);
    let answer = waiter.wait_until(Clock, deadline).await.unwrap().answer();
    let Answer::RetryAfter { delay: Some(_), status } = answer else { panic!("{answer:?}") };
    assert!(status.message.contains("journal"), "{status:?}");
    assert!(Clock.now() - began < secs(30), "it does not wait");
    assert_eq!(other.sizes(), [0; 0]);
    other.close(secs(20)).await;
    bench.stop().await;
}

#[tokio::test]
async fn a_disk_that_hangs_is_a_trouble_of_its_exporter_until_it_goes_on() {
    let disk = Simulated::new(1);
    let bench = Bench::within(environment_on(&disk), with(stored()), at_once);
    assert_eq!(bench.answer(1, secs(60)).await, Some(delivered()));
    for step in disk.steps()..disk.steps() + 100 {
        disk.fault_at(step, Fault::Hangs);
    }
    let (waiter, deadline) = bench.send(2, secs(60));
    bench.until("its health says so", || !bench.env.health.troubles().is_empty()).await;
    let troubles = bench.env.health.troubles();
    assert!(
        troubles[0].starts_with("exporter `test`: the disk of its queue hangs"),
        "{troubles:?}"
    );
    let explains = || bench.built.component.explain().iter().any(|line| line.contains("hangs"));
    bench.until("it is explained", explains).await;
    disk.heal();
    let answer = waiter.wait_until(Clock, deadline).await.map(|outcome| outcome.answer());
    assert_eq!(answer, Some(delivered()));
    bench.until("all is well", || bench.env.health.troubles().is_empty()).await;
    bench.close(secs(20)).await;
}

#[tokio::test]
async fn outcomes_that_the_disk_did_not_take_are_written_again() {
    let disk = Simulated::new(1);
    let (script, mut taken) = telling();
    let held = Bench::within(environment_on(&disk), with(stored()), down);
    for items in 1..=5 {
        assert_eq!(held.answer(items, secs(60)).await, Some(delivered()));
    }
    held.stop().await;
    let moment = disk.moment();
    let disk = Simulated::after(&moment, runtime::volume::simulated::Crash::Killed, 1);
    let bench = Bench::within(environment_on(&disk), with(stored()), script);
    // Whatever outcomes come first fail to be written or synced.
    for step in disk.steps()..disk.steps() + 6 {
        disk.fault_at(step, Fault::Fails);
    }
    assert_eq!(next(&mut taken, 5).await, [1, 2, 3, 4, 5]);
    drained(&bench).await;
    bench.close(secs(20)).await;
    let after = Simulated::after(&disk.moment(), runtime::volume::simulated::Crash::PowerLost, 1);
    let (script, mut taken) = telling();
    let bench = Bench::within(environment_on(&after), with(stored()), script);
    assert_eq!(bench.answer(7, secs(60)).await, Some(delivered()));
    assert_eq!(next(&mut taken, 1).await, [7], "what was delivered does not come back");
    bench.close(secs(20)).await;
}

#[tokio::test]
async fn many_who_block_on_a_full_queue_on_disk_all_pass() {
    const CALLERS: usize = 10;
    let requests = std::env::var("TIDEGATE_REQUESTS").map_or(200, |text| text.parse().unwrap());
    let disk = Simulated::new(1);
    let queue = Queue {
        num_consumers: 4,
        block_on_overflow: true,
        sizer: Sizer::Requests,
        queue_size: 7,
        ..stored()
    };
    let bench = Arc::new(Bench::within(environment_on(&disk), with(queue), at_once));
    let callers = (0..CALLERS).map(|_| {
        let bench = Arc::clone(&bench);
        async move {
            for _ in 0..requests {
                assert_eq!(bench.answer(1, secs(60)).await, Some(delivered()));
            }
        }
    });
    futures_util::future::join_all(callers).await;
    drained(&bench).await;
    assert_eq!(bench.sizes().iter().sum::<usize>(), CALLERS * requests);
    bench.close(secs(20)).await;
}
