//! Targets that fail cost the others nothing. Time is driven: rates are counted in it.

use std::time::Duration;

use pipeline::Answer;
use runtime::clock::Clock;

use super::world::{RETRY, Record, World, delivered, options, record};

/// How long a put takes that is taken.
const ROUND_TRIP: &str = "good*=stall:50";

fn consumers(count: usize) -> String {
    format!(
        "{RETRY}sending_queue: {{wait_for_result: true, num_consumers: {count}, \
         queue_size: 100000, batch: {{min_size: 1, max_size: 10000}}}}\n"
    )
}

/// Sends `count` records to the allowed target, one after the other; gives the time it took.
async fn drive(world: &World, count: u64) -> Duration {
    let started = Clock.now();
    for sequence in 0..count {
        assert_eq!(world.deliver(&[record("good", sequence)], 60).await, delivered());
    }
    Clock.now() - started
}

/// The time that the allowed target takes alone, and that beside `names` whose rule is `rule`.
async fn compare(names: &[String], rule: &str, workers: usize, count: u64) -> (Duration, Duration) {
    let alone = World::start(&options(&[ROUND_TRIP]), &consumers(workers));
    let alone = drive(&alone, count).await;
    let world = World::start(&options(&[ROUND_TRIP, rule]), &consumers(workers));
    // It works before the others come.
    drive(&world, 1).await;
    let bad = names.iter().map(|name| record(name, 0)).collect::<Vec<_>>();
    let mut waiting =
        bad.iter().map(|bad| world.send(std::slice::from_ref(bad), 3600)).collect::<Vec<_>>();
    let beside = drive(&world, count).await;
    for name in names {
        assert_eq!(world.events(name, "s"), 0);
    }
    waiting.clear();
    (alone, beside)
}

fn named(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("bad{number}")).collect()
}

fn assert_unhindered((alone, beside): (Duration, Duration)) {
    assert!(beside * 9 <= alone * 10, "{alone:?} alone, {beside:?} beside the others");
}

#[tokio::test(start_paused = true)]
async fn ten_denied_targets_leave_two_workers_to_the_allowed_one() {
    assert_unhindered(compare(&named(10), "bad*=deny", 2, 200).await);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_denied_targets_leave_two_workers_to_the_allowed_one() {
    assert_unhindered(compare(&named(1000), "bad*=deny", 2, 200).await);
}

#[tokio::test(start_paused = true)]
async fn ten_targets_that_never_answer_leave_the_only_worker_to_the_allowed_one() {
    assert_unhindered(compare(&named(10), "bad*=swallow", 1, 500).await);
}

#[tokio::test(start_paused = true)]
async fn what_is_granted_later_resumes_within_one_probe() {
    let world = World::start(&options(&["bad=deny"]), RETRY);
    let waiting = world.send(&[record("bad", 0)], 600);
    Clock.sleep(Duration::from_secs(60)).await;
    assert_eq!(world.events("bad", "s"), 0);
    let granted = Clock.now();
    world.sink.rule(&[]);
    assert_eq!(waiting.wait().await.unwrap().answer(), delivered());
    // The longest pause is 10 s, moved by half.
    assert!(Clock.now() - granted <= Duration::from_secs(15));
    let started = Clock.now();
    assert_eq!(world.deliver(&[record("bad", 1)], 60).await, delivered());
    assert!(Clock.now() - started < Duration::from_secs(1), "the lane flows again");
    let totals = world.totals();
    assert_eq!((totals.distinct, totals.doubled, totals.disordered), (2, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn while_a_target_is_halted_there_is_one_probe_whatever_arrives() {
    let world = World::start(&options(&["bad=deny"]), RETRY);
    let mut waiting = vec![world.send(&[record("bad", 0)], 600)];
    Clock.sleep(Duration::from_secs(30)).await;
    let before = world.totals().requests_of("PutLogEvents");
    waiting.extend((1..=20).map(|sequence| world.send(&[record("bad", sequence)], 600)));
    Clock.sleep(Duration::from_secs(4)).await;
    assert!(world.totals().requests_of("PutLogEvents") - before <= 1);
    world.sink.rule(&[]);
    for one in waiting {
        assert_eq!(one.wait().await.unwrap().answer(), delivered());
    }
    let totals = world.totals();
    assert_eq!((totals.distinct, totals.doubled, totals.disordered), (21, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_stop_while_halted_ends_in_time_and_promises_nothing() {
    let world = World::start(&options(&["bad*=deny"]), RETRY);
    let names = named(10);
    let waiting = names.iter().map(|name| world.send(&[record(name, 0)], 600)).collect::<Vec<_>>();
    Clock.sleep(Duration::from_secs(20)).await;
    let took = world.close(Duration::from_secs(5)).await;
    assert!(took <= Duration::from_secs(5), "{took:?}");
    for one in waiting {
        let answer = one.wait().await.unwrap().answer();
        assert!(matches!(answer, Answer::RetryAfter { .. } | Answer::Unknown(_)), "{answer:?}");
    }
    assert_eq!(world.totals().events, 0);
}

/// Holds that what fails for all targets like this is probed once for all, and that all are served
/// when it works again.
async fn check_one_probe(rule: &str) {
    let world = World::start(&options(&[rule]), RETRY);
    let names = named(50);
    let waiting = names.iter().map(|name| world.send(&[record(name, 0)], 600)).collect::<Vec<_>>();
    Clock.sleep(Duration::from_secs(120)).await;
    let asked = world.totals().requests.values().sum::<u64>();
    assert!(asked < 150, "{rule}: {asked} requests for 50 targets in two minutes");
    world.sink.rule(&[]);
    let granted = Clock.now();
    for one in waiting {
        assert_eq!(one.wait().await.unwrap().answer(), delivered());
    }
    assert!(Clock.now() - granted < Duration::from_secs(30));
    assert_eq!(world.totals().events, 50, "{rule}: each once");
}

#[tokio::test(start_paused = true)]
async fn credentials_that_are_not_good_are_one_probe_not_one_for_each_target() {
    check_one_probe("*=error:UnrecognizedClientException").await;
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_down_is_one_probe_not_one_for_each_target() {
    check_one_probe("*=status:503").await;
}

#[tokio::test(start_paused = true)]
async fn a_throttled_account_is_paced_as_a_whole_and_catches_up() {
    let world = World::start(&options(&["*,PutLogEvents=throttle@60s"]), RETRY);
    let names = named(50);
    let waiting = names.iter().map(|name| world.send(&[record(name, 0)], 600)).collect::<Vec<_>>();
    Clock.sleep(Duration::from_secs(59)).await;
    let asked = world.totals().requests_of("PutLogEvents");
    assert!(asked < 150, "{asked} puts for 50 targets in a minute");
    for one in waiting {
        assert_eq!(one.wait().await.unwrap().answer(), delivered());
    }
    assert_eq!(world.totals().distinct, 1, "all have the same number");
}

#[tokio::test(start_paused = true)]
async fn a_stream_whose_making_hangs_holds_up_no_other() {
    let world = World::start(&options(&["bad,CreateLogStream=swallow"]), RETRY);
    let waiting = world.send(&[record("bad", 0)], 20);
    let names = (0..50).map(|number| format!("good{number}")).collect::<Vec<_>>();
    let started = Clock.now();
    let records = names.iter().map(|name| record(name, 0)).collect::<Vec<_>>();
    assert_eq!(world.deliver(&records, 60).await, delivered());
    assert!(Clock.now() - started < Duration::from_secs(5));
    assert!(!matches!(waiting.wait().await.unwrap().answer(), Answer::Delivered { .. }));
}

#[tokio::test(start_paused = true)]
async fn retention_that_may_not_be_set_holds_up_nothing() {
    let words = format!("{RETRY}log_retention: 7\n");
    let world = World::start(&options(&["*,PutRetentionPolicy=deny"]), &words);
    let names = (0..200).map(|number| format!("good{number}")).collect::<Vec<_>>();
    let records = names.iter().map(|name| record(name, 0)).collect::<Vec<_>>();
    let started = Clock.now();
    assert_eq!(world.deliver(&records, 60).await, delivered());
    assert!(Clock.now() - started < Duration::from_secs(10));
    Clock.sleep(Duration::from_secs(600)).await;
    let tried = world.totals().requests_of("PutRetentionPolicy");
    assert!((200..=1200).contains(&tried), "{tried}");
    assert!(world.close(Duration::from_secs(5)).await <= Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn what_was_never_taken_is_given_up_after_its_age_and_the_lane_resumes() {
    let words = format!("{RETRY}max_age: 30s\n");
    let world = World::start(&options(&["bad=deny"]), &words);
    let started = Clock.now();
    let answer = world.deliver(&[record("bad", 0)], 600).await;
    assert!(matches!(answer, Answer::Refused(_)), "{answer:?}");
    assert!(Clock.now() - started <= Duration::from_secs(45));
    world.sink.rule(&[]);
    let started = Clock.now();
    assert_eq!(world.deliver(&[record("bad", 1)], 60).await, delivered());
    assert!(Clock.now() - started <= Duration::from_secs(15));
}

#[tokio::test(start_paused = true)]
async fn fifty_targets_are_made_at_once_each_group_once() {
    // While the group is made, others miss it as well.
    let world = World::start(&options(&["*,CreateLogGroup=stall:500"]), RETRY);
    let streams = (0..50).map(|number| format!("s{number}")).collect::<Vec<_>>();
    let records =
        streams.iter().map(|stream| Record { stream, ..record("good", 0) }).collect::<Vec<_>>();
    assert_eq!(world.deliver(&records, 60).await, delivered());
    let totals = world.totals();
    assert_eq!((totals.groups, totals.streams), (1, 50));
    assert_eq!(totals.requests_of("CreateLogGroup"), 1, "{totals}");
}

#[tokio::test(start_paused = true)]
async fn one_record_alone_leaves_within_the_flush_interval_and_after_a_slow_put_too() {
    let words = format!(
        "{RETRY}sending_queue: {{wait_for_result: true, batch: {{flush_timeout: 5s, min_size: 1000}}}}\n"
    );
    let world = World::start(&options(&["g,PutLogEvents=stall:20000@1"]), &words);
    for sequence in 0..3 {
        let (started, slow) =
            (Clock.now(), Duration::from_secs(if sequence == 0 { 20 } else { 0 }));
        assert_eq!(world.deliver(&[record("g", sequence)], 60).await, delivered());
        assert!(Clock.now() - started <= slow + Duration::from_secs(6), "{sequence}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_waited_so_long_that_it_is_out_of_the_window_is_told_and_the_rest_is_sent() {
    let world = World::start(&options(&["g=deny"]), RETRY);
    let day_millis = 86_400_000;
    // Time that is driven moves no wall clock, so the record is as old as the wait would make it.
    let old = Record { ahead: -14 * day_millis + 60_000, ..record("g", 0) };
    let waiting = world.send(&[old.clone(), record("g", 1)], 3600);
    Clock.sleep(Duration::from_secs(30)).await;
    world.sink.rule(&[]);
    assert_eq!(waiting.wait().await.unwrap().answer(), delivered());
    let out = Record { ahead: -14 * day_millis - 60_000, sequence: 2, ..old };
    let answer = world.deliver(&[out, record("g", 3)], 60).await;
    let Answer::Delivered { rejected, .. } = answer else { panic!("{answer:?}") };
    assert_eq!((rejected, world.events("g", "s")), (1, 3));
}

#[tokio::test(start_paused = true)]
async fn what_is_too_old_to_be_tried_ends_in_time_while_all_workers_are_busy() {
    let words = format!("{}max_age: 30s\nrequest_timeout_seconds: 3600\n", consumers(1));
    let world = World::start(&options(&["bad=deny", "hole*=swallow"]), &words);
    let started = Clock.now();
    let bad = world.send(&[record("bad", 0)], 3600);
    let holes = named(5).iter().map(|name| name.replace("bad", "hole")).collect::<Vec<_>>();
    let _waiting =
        holes.iter().map(|name| world.send(&[record(name, 0)], 3600)).collect::<Vec<_>>();
    assert!(matches!(bad.wait().await.unwrap().answer(), Answer::Refused(_)));
    assert!(Clock.now() - started <= Duration::from_secs(45));
}

#[tokio::test(start_paused = true)]
async fn a_first_record_and_a_stop_at_once_make_the_stream_and_deliver() {
    let world = World::start(&options(&[]), RETRY);
    let waiting = world.send(&[record("new", 0)], 60);
    assert!(world.close(Duration::from_secs(5)).await < Duration::from_secs(5));
    assert_eq!(waiting.wait().await.unwrap().answer(), delivered());
    assert_eq!(world.events("new", "s"), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_handed_over_while_the_exporter_stops_is_answered_once() {
    let world = World::start(&options(&["g=stall:10"]), RETRY);
    let mut waiting = Vec::new();
    for sequence in 0..200 {
        waiting.push(world.send(&[record("g", sequence)], 60));
        if sequence == 100 {
            world.exporter.drain(Clock.now() + Duration::from_secs(5));
        }
        tokio::task::yield_now().await;
    }
    world.close(Duration::from_secs(5)).await;
    let mut taken = 0;
    for one in waiting {
        // The wait ends: an answer that is missing would be a hang.
        match one.wait().await.unwrap().answer() {
            Answer::Delivered { .. } => taken += 1,
            answer => assert!(matches!(answer, Answer::RetryAfter { .. }), "{answer:?}"),
        }
    }
    assert_eq!(world.totals().distinct, taken);
}
