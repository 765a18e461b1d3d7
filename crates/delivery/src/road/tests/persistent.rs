//! The scenarios of the Collector's persistent queue, one test each; `docs/conformance.md` names them.

use std::sync::atomic::{AtomicUsize, Ordering};

use pipeline::{Answer, Verdict};
use runtime::volume::simulated::Simulated;
use runtime::volume::{Directory, Volume as _};

use super::super::*;
use super::bench::{Bench, delivered, millis, request, secs, unavailable};
use super::crashing::{drained, environment_on};
use super::durable::{Folder, down, entries_of, next, stored, telling, with};
use crate::Attempt;
use crate::settings::{Lanes, Queue, Retry, Sizer};

/// A road that tries again at once, and in order.
fn hasty(queue: Queue) -> Settings {
    let retry = Retry {
        initial_interval: millis(5),
        max_interval: millis(5),
        randomization_factor: 0.0,
        ..Retry::default()
    };
    let lanes = Lanes { is_ordered: true, ..Lanes::default() };
    Settings { retry: Some(retry), lanes, ..with(queue) }
}

/// A destination that takes so many requests and no more, until more are allowed.
fn gate(allowed: &Arc<AtomicUsize>) -> impl Fn(&Attempt, usize) -> (Duration, Verdict) + use<> {
    let allowed = Arc::clone(allowed);
    move |_, _| {
        let one_less = |left: usize| left.checked_sub(1);
        let taken = allowed.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less);
        (Duration::ZERO, taken.map_or_else(|_| unavailable(None), |_| Verdict::Delivered))
    }
}

impl Bench {
    /// Waits until the queue holds so much.
    async fn holds(&self, size: usize) {
        self.until(&format!("the queue holds {size}"), || self.size() == size as f64).await;
    }

    fn size(&self) -> f64 {
        self.metric("otelcol_exporter_queue_size").unwrap_or(-1.0)
    }

    /// Waits until a request is being sent.
    async fn sends(&self) {
        let name = "otelcol_exporter_in_flight_requests";
        self.until("it is being sent", || self.metric(name) == Some(1.0)).await;
    }

    /// Sends a request that is stored.
    async fn stores(&self, items: usize) {
        assert_eq!(self.answer(items, secs(60)).await, Some(delivered()));
    }

    /// Sends a request for which there is no room.
    async fn has_no_room_for(&self, items: usize) {
        let answer = self.answer(items, secs(1)).await;
        assert!(matches!(answer, Some(Answer::RetryAfter { delay: Some(_), .. })), "{answer:?}");
    }
}

#[tokio::test]
async fn an_export_that_ends_at_shutdown_is_delivered_after_a_restart_once() {
    let folder = Folder::new();
    let ends_late = |_: &Attempt, _: usize| (millis(100), unavailable(None));
    let bench = Bench::within(folder.environment(), with(stored()), ends_late);
    bench.stores(3).await;
    bench.sends().await;
    bench.stop().await;
    let (script, mut taken) = telling();
    let bench = Bench::within(folder.environment(), with(stored()), script);
    assert_eq!(next(&mut taken, 1).await, [3]);
    drained(&bench).await;
    bench.close(secs(20)).await;
    assert_eq!(entries_of(&folder.0.join("exporter-test-queue")).await.len(), 0);
}

#[tokio::test]
async fn five_requests_fill_a_queue_in_every_unit() {
    for sizer in [Sizer::Requests, Sizer::Items, Sizer::Bytes] {
        let folder = Folder::new();
        let queue = |queue_size| Queue { sizer, queue_size, ..stored() };
        let bench = Bench::within(folder.environment(), with(queue(1 << 20)), down);
        bench.stores(11).await;
        bench.until("it counts", || 0.0 < bench.size()).await;
        let one = bench.size() as usize;
        bench.stop().await;
        let bench = Bench::within(folder.environment(), with(queue(5 * one)), down);
        for _ in 1..5 {
            bench.stores(11).await;
        }
        bench.has_no_room_for(11).await;
        bench.stop().await;
        assert_eq!(entries_of(&folder.0.join("exporter-test-queue")).await.len(), 5, "{sizer:?}");
    }
}

/// Where the bodies of large requests begin.
fn bodies(contents: &[u8]) -> Vec<usize> {
    let items = [0x12, 0].repeat(400);
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = contents[at..].windows(items.len()).position(|window| window == items) {
        found.push(at + next);
        at += next;
        at += contents[at..].chunks(2).take_while(|chunk| *chunk == [0x12, 0]).count() * 2;
    }
    found
}

/// A disk on which three requests were left.
async fn disk_with_three() -> Simulated {
    let disk = Simulated::new(1);
    let bench = Bench::within(environment_on(&disk), with(stored()), down);
    for items in [500, 600, 700] {
        bench.stores(items).await;
    }
    bench.stop().await;
    Simulated::after(&disk.moment(), runtime::volume::simulated::Crash::Killed, 1)
}

const SEGMENT: &str = "00000001.segment";

#[tokio::test]
async fn what_stands_before_a_damaged_request_is_delivered_and_nothing_behind_it_is_dropped() {
    for (damaged, expected) in
        [(vec![], vec![500, 600, 700]), (vec![1], vec![500]), (vec![0, 1, 2], vec![])]
    {
        let disk = disk_with_three().await;
        let bodies = bodies(&disk.contents(SEGMENT).unwrap());
        assert_eq!(bodies.len(), 3);
        for number in &damaged {
            disk.flip(SEGMENT, (bodies[*number] as u64 + 99) * 8);
        }
        let (script, mut taken) = telling();
        let bench = Bench::within(environment_on(&disk), with(stored()), script);
        assert_eq!(next(&mut taken, expected.len()).await, expected);
        if damaged.is_empty() {
            drained(&bench).await;
        } else {
            let is_told = || {
                bench.built.component.explain().iter().any(|line| line.contains("damaged"))
                    && bench.metric("tidegate_journal_damaged_streams") == Some(1.0)
            };
            bench.until("the damage is told", is_told).await;
        }
        // What comes is stored behind it.
        bench.stores(4).await;
        bench.stop().await;
        let left = 4 - expected.len() - usize::from(damaged.is_empty());
        let disk = Simulated::after(&disk.moment(), runtime::volume::simulated::Crash::Killed, 1);
        let opened = ::journal::open(Arc::new(disk), ::journal::Settings::sized(1 << 20)).unwrap();
        assert_eq!(opened.journal.usage().live_records as usize, left, "{damaged:?}");
    }
}

#[tokio::test]
async fn damage_to_what_tells_of_the_requests_is_an_error_at_start_that_names_the_place() {
    let disk = disk_with_three().await;
    let bytes = disk.contents(SEGMENT).unwrap().len() as u64;
    for bit in 0..bytes * 8 {
        disk.flip(SEGMENT, bit);
    }
    let error = start(&environment_on(&disk), with(stored()), super::durable::Nowhere);
    let error = error.unwrap_err().to_string();
    assert!(error.contains(SEGMENT) && error.contains("repair"), "{error}");
}

#[tokio::test]
async fn what_was_being_sent_at_the_end_is_put_back_at_its_place() {
    let folder = Folder::new();
    let takes_the_second = |attempt: &Attempt, _: usize| match attempt.payload.items() {
        2 => (Duration::ZERO, Verdict::Delivered),
        _ => (Duration::ZERO, unavailable(None)),
    };
    let queue = || Queue { sizer: Sizer::Requests, num_consumers: 2, ..stored() };
    let bench = Bench::within(folder.environment(), with(queue()), takes_the_second);
    for items in 1..=5 {
        bench.stores(items).await;
    }
    bench.holds(4).await;
    bench.stop().await;
    let allowed = Arc::default();
    let bench = Bench::within(folder.environment(), hasty(queue()), gate(&allowed));
    bench.holds(4).await;
    allowed.store(4, Ordering::Relaxed);
    bench.holds(0).await;
    assert_eq!(bench.sizes(), [1, 3, 4, 5]);
    bench.close(secs(20)).await;
    assert_eq!(entries_of(&folder.0.join("exporter-test-queue")).await.len(), 0);
}

#[tokio::test]
async fn a_full_queue_with_an_unfinished_request_starts_with_all_of_it() {
    let folder = Folder::new();
    let queue = || Queue { sizer: Sizer::Requests, queue_size: 5, ..stored() };
    let ends_late = |_: &Attempt, _: usize| (millis(50), unavailable(None));
    let bench = Bench::within(folder.environment(), with(queue()), ends_late);
    for items in 1..=5 {
        bench.stores(items).await;
    }
    bench.sends().await;
    bench.stop().await;
    let allowed = Arc::default();
    let bench = Bench::within(folder.environment(), hasty(queue()), gate(&allowed));
    bench.holds(5).await;
    bench.has_no_room_for(1).await;
    allowed.store(5, Ordering::Relaxed);
    bench.holds(0).await;
    assert_eq!(bench.sizes(), [1, 2, 3, 4, 5]);
    bench.close(secs(20)).await;
}

#[tokio::test]
async fn a_full_blocking_queue_with_unfinished_requests_starts_and_keeps_its_order() {
    let folder = Folder::new();
    let queue = || Queue { queue_size: 10, block_on_overflow: true, ..stored() };
    let ends_late = |_: &Attempt, _: usize| (millis(50), unavailable(None));
    let bench = Bench::within(folder.environment(), with(queue()), ends_late);
    for items in [5, 4, 1] {
        bench.stores(items).await;
    }
    bench.sends().await;
    bench.stop().await;
    let allowed = Arc::default();
    let bench = Bench::within(folder.environment(), hasty(queue()), gate(&allowed));
    bench.holds(10).await;
    let (waiter, deadline) = bench.send(3, secs(60));
    allowed.store(4, Ordering::Relaxed);
    let answer = waiter.wait_until(Clock, deadline).await.map(|outcome| outcome.answer());
    assert_eq!(answer, Some(delivered()), "who waited for room is stored");
    bench.holds(0).await;
    assert_eq!(bench.sizes(), [5, 4, 1, 3]);
    bench.close(secs(20)).await;
}

#[tokio::test]
async fn what_was_stored_is_read_when_it_is_opened_again() {
    let folder = Folder::new();
    let bench = Bench::within(folder.environment(), with(stored()), down);
    bench.stores(1).await;
    bench.stores(2).await;
    bench.stop().await;
    let (script, mut taken) = telling();
    let bench = Bench::within(folder.environment(), with(stored()), script);
    assert_eq!(next(&mut taken, 2).await, [1, 2]);
    bench.holds(0).await;
    bench.close(secs(20)).await;
}

#[tokio::test]
async fn the_journal_is_closed_when_what_is_being_sent_has_ended() {
    let folder = Folder::new();
    let slow = |_: &Attempt, _: usize| (millis(300), Verdict::Delivered);
    let bench = Bench::within(folder.environment(), with(stored()), slow);
    bench.stores(3).await;
    bench.sends().await;
    let path = folder.0.join("exporter-test-queue");
    let is_free = || Directory::open(&path, Default::default()).unwrap().lock().unwrap();
    let looks = async {
        Clock.sleep(millis(100)).await;
        assert_eq!((is_free(), bench.sizes().len()), (false, 0));
    };
    futures_util::future::join(bench.stop(), looks).await;
    assert_eq!((is_free(), bench.sizes().len()), (true, 1));
    assert_eq!(entries_of(&path).await.len(), 0, "its end was recorded");
}

#[tokio::test]
async fn a_full_disk_refuses_for_now_and_is_drained_to_nothing() {
    let disk = Simulated::new(1);
    // Six segments of a journal of 1 MiB.
    disk.set_bytes_max(6 << 16);
    let queue = || Queue { queue_size: 10_000_000, ..stored() };
    let bench = Bench::within(environment_on(&disk), with(queue()), down);
    let mut kept = 0;
    let refused = loop {
        match bench.answer(9_000, secs(1)).await {
            Some(answer) if answer == delivered() => kept += 1,
            refused => break refused,
        }
    };
    assert!(matches!(refused, Some(Answer::RetryAfter { delay: Some(_), .. })), "{refused:?}");
    assert!(0 < kept);
    let told =
        "exporter `test`: the disk of its queue is full: no data is taken before 65536 bytes";
    let is_told = || bench.env.health.troubles().iter().any(|trouble| trouble.starts_with(told));
    bench.until("what it lacks is told", is_told).await;
    bench.stop().await;
    let disk = Simulated::after(&disk.moment(), runtime::volume::simulated::Crash::Killed, 1);
    disk.set_bytes_max(disk.list().unwrap().iter().map(|entry| entry.bytes).sum());
    let (script, mut taken) = telling();
    let bench = Bench::within(environment_on(&disk), with(queue()), script);
    assert_eq!(next(&mut taken, kept).await, vec![9_000; kept]);
    bench.holds(0).await;
    bench.stores(9_000).await;
    bench.until("all is well", || bench.env.health.troubles().is_empty()).await;
    bench.close(secs(20)).await;
}

#[tokio::test]
async fn the_size_in_items_is_restored_after_a_restart() {
    let folder = Folder::new();
    let queue = || Queue { queue_size: 100, ..stored() };
    let allowed = Arc::default();
    let bench = Bench::within(folder.environment(), hasty(queue()), gate(&allowed));
    for items in [40, 40, 20] {
        bench.stores(items).await;
    }
    bench.has_no_room_for(25).await;
    allowed.store(1, Ordering::Relaxed);
    bench.holds(60).await;
    bench.stop().await;
    let bench = Bench::within(folder.environment(), hasty(queue()), gate(&allowed));
    bench.holds(60).await;
    bench.stores(10).await;
    bench.holds(70).await;
    for left in [30, 10, 0] {
        allowed.store(1, Ordering::Relaxed);
        bench.holds(left).await;
    }
    bench.close(secs(20)).await;
}

#[tokio::test]
async fn less_capacity_after_a_restart_refuses_until_there_is_room() {
    let folder = Folder::new();
    let queue = |queue_size| Queue { sizer: Sizer::Requests, queue_size, ..stored() };
    let allowed = Arc::new(AtomicUsize::new(1));
    let bench = Bench::within(folder.environment(), hasty(queue(4)), gate(&allowed));
    for items in 1..=4 {
        bench.stores(items).await;
    }
    bench.holds(3).await;
    bench.stop().await;
    let bench = Bench::within(folder.environment(), hasty(queue(2)), gate(&allowed));
    for held in [3, 2] {
        bench.holds(held).await;
        bench.has_no_room_for(1).await;
        allowed.store(1, Ordering::Relaxed);
    }
    bench.holds(1).await;
    bench.stores(5).await;
    allowed.store(2, Ordering::Relaxed);
    bench.holds(0).await;
    assert_eq!(bench.sizes(), [2, 3, 4, 5]);
    bench.close(secs(20)).await;
}

#[tokio::test]
async fn a_request_larger_than_a_blocking_queue_on_disk_is_refused_at_once() {
    let folder = Folder::new();
    let queue = Queue { queue_size: 10, block_on_overflow: true, ..stored() };
    let bench = Bench::within(folder.environment(), with(queue), down);
    for items in [11, 10, 11] {
        let began = Clock.now();
        let (envelope, waiter, deadline) = request(items, secs(60));
        pipeline::consume(bench.built.consumer.as_ref(), envelope);
        let answer = waiter.wait_until(Clock, deadline).await.map(|outcome| outcome.answer());
        assert_eq!(matches!(answer, Some(Answer::Refused(_))), items == 11, "{answer:?}");
        assert!(Clock.now() - began < secs(10), "also when the queue is full, nobody waits");
    }
    bench.stop().await;
}
