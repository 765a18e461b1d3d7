//! What the service and the way to it can do wrong, and that nothing is lost, doubled or disordered.

use std::time::Duration;

use pipeline::Answer;
use runtime::clock::Clock;

use super::super::CloudWatchOptions;
use super::world::{RETRY, Record, World, delivered, options, record};

/// Ten batches to one stream while `rule` is in force; all must arrive, in order.
async fn check(rule: &str, doubled_max: u64) {
    let words = format!("{RETRY}request_timeout_seconds: 5\n");
    let world = World::start(&options(&[rule]), &words);
    let mut waiting = Vec::new();
    for sequence in 0..10 {
        waiting.push(world.send(&[record("g", sequence)], 600));
        Clock.sleep(Duration::from_millis(300)).await;
    }
    for one in waiting {
        assert_eq!(one.wait().await.unwrap().answer(), delivered(), "{rule}");
    }
    let totals = world.totals();
    assert_eq!((totals.distinct, totals.disordered), (10, 0), "{rule}: {totals}");
    assert!(totals.doubled <= doubled_max, "{rule}: {totals}");
}

#[tokio::test(start_paused = true)]
async fn every_passing_failure_is_tried_again_in_order() {
    for rule in [
        "*=status:500@3",
        "*=status:503@3",
        "*=reset@3",
        "*=garble@3",
        "*=swallow@2",
        "*=throttle@3",
        "*=deny@3",
        "*=stall:7000@1",
        "*=error:ExpiredTokenException@2",
        "*=error:OperationAbortedException@2",
        "*,CreateLogGroup=error:LimitExceededException@2",
        "*,CreateLogStream=throttle@2",
        "*,CreateLogGroup=swallow@1",
    ] {
        check(rule, 0).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_taken_without_an_answer_arrives_twice_at_most() {
    check("*,PutLogEvents=lose@1", 10).await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_rejects_everything_is_told_to_the_caller() {
    let world = World::start(&options(&["g=reject"]), RETRY);
    let answer = world.deliver(&[record("g", 0), record("g", 1), record("h", 2)], 60).await;
    let Answer::Delivered { rejected, .. } = answer else { panic!("{answer:?}") };
    assert_eq!(rejected, 2);
    assert_eq!((world.events("g", "s"), world.events("h", "s")), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_request_holds_ten_thousand_events_and_no_more() {
    let world = World::start(&options(&[]), RETRY);
    let records = (0..10_001).map(|sequence| record("g", sequence)).collect::<Vec<_>>();
    assert_eq!(world.deliver(&records, 60).await, delivered());
    let totals = world.totals();
    assert_eq!((totals.distinct, totals.doubled, totals.errors.len()), (10_001, 0, 1), "{totals}");
    assert_eq!(totals.errors["ResourceNotFoundException"], 2);
}

#[tokio::test(start_paused = true)]
async fn a_request_holds_a_mebibyte_and_no_more() {
    let world = World::start(&options(&[]), RETRY);
    let body = "x".repeat(200_000);
    let records = (0..30).map(|sequence| Record { body: &body, ..record("g", sequence) });
    let records = records.collect::<Vec<_>>();
    assert_eq!(world.deliver(&records, 60).await, delivered());
    let totals = world.totals();
    assert_eq!((totals.distinct, totals.doubled), (30, 0));
    assert!(!totals.errors.contains_key("InvalidParameterException"), "{totals}");
}

#[tokio::test(start_paused = true)]
async fn a_message_larger_than_an_event_may_be_is_cut_and_arrives() {
    let world = World::start(&options(&[]), RETRY);
    let body = "€".repeat(500_000);
    let large = Record { body: &body, ..record("g", 0) };
    assert_eq!(world.deliver(&[large], 60).await, delivered());
    let bytes = world.sink.account.with(|account| account.stream("g", "s").unwrap().bytes);
    assert!((1_048_540..=1_048_550).contains(&bytes), "{bytes}");
}

#[tokio::test(start_paused = true)]
async fn days_of_shuffled_events_arrive_in_requests_of_a_day_each() {
    const HOUR: i64 = 3_600_000;
    let world = World::start(&options(&[]), RETRY);
    let hours = [-200, -3, -150, 0, -50, -100, -1, -27, 1, -300];
    let records = (0..)
        .zip(hours)
        .map(|(sequence, hours)| Record { ahead: hours * HOUR, ..record("g", sequence) });
    assert_eq!(world.deliver(&records.collect::<Vec<_>>(), 60).await, delivered());
    let totals = world.totals();
    assert_eq!((totals.events, totals.errors.len()), (10, 1), "{totals}");
}

#[tokio::test(start_paused = true)]
async fn events_out_of_the_window_are_counted_and_the_rest_is_sent() {
    const HOUR: i64 = 3_600_000;
    let world = World::start(&options(&[]), RETRY);
    let hours = [-24 * 15, 0, 3];
    let records = (0..)
        .zip(hours)
        .map(|(sequence, hours)| Record { ahead: hours * HOUR, ..record("g", sequence) });
    let answer = world.deliver(&records.collect::<Vec<_>>(), 60).await;
    let Answer::Delivered { rejected, .. } = answer else { panic!("{answer:?}") };
    assert_eq!((rejected, world.events("g", "s"), world.totals().rejected), (2, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn events_older_than_a_retention_that_only_the_service_knows_are_told() {
    const HOUR: i64 = 3_600_000;
    let world = World::start(&options(&[]), RETRY);
    assert_eq!(world.deliver(&[record("g", 0)], 60).await, delivered());
    let body = br#"{"logGroupName":"g","retentionInDays":1}"#;
    world.sink.account.with(|account| account.serve("PutRetentionPolicy", body, 0)).unwrap();
    let old = Record { ahead: -72 * HOUR, ..record("g", 1) };
    let answer = world.deliver(&[old, record("g", 2)], 60).await;
    let Answer::Delivered { rejected, warning } = answer else { panic!("{answer:?}") };
    assert_eq!(rejected, 1);
    assert!(warning.is_some_and(|warning| warning.contains("keeps")));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_deleted_under_us_is_made_again() {
    let world = World::start(&options(&[]), RETRY);
    for sequence in 0..4 {
        assert_eq!(world.deliver(&[record("g", sequence)], 60).await, delivered());
        let body = br#"{"logGroupName":"g","logStreamName":"s"}"#;
        world.sink.account.with(|account| account.serve("DeleteLogStream", body, 0)).unwrap();
    }
    assert_eq!(world.totals().requests_of("CreateLogStream"), 5, "one of them found no group");
}

#[tokio::test(start_paused = true)]
async fn a_group_that_is_there_needs_no_right_to_make_groups() {
    let world = World::start(&options(&["*,CreateLogGroup=deny"]), RETRY);
    let body = br#"{"logGroupName":"g"}"#;
    world.sink.account.with(|account| account.serve("CreateLogGroup", body, 0)).unwrap();
    assert_eq!(world.deliver(&[record("g", 0)], 60).await, delivered());
    assert_eq!(world.totals().requests_of("CreateLogGroup"), 0);
}

#[tokio::test(start_paused = true)]
async fn signatures_are_right_also_when_this_hosts_clock_is_wrong() {
    for clock_ahead in [0, 1200, -1200] {
        let key = Some("AKID:hidden".parse().unwrap());
        let options =
            CloudWatchOptions { require_key: key, clock_ahead, ..CloudWatchOptions::default() };
        let world = World::start(&options, RETRY);
        assert_eq!(world.deliver(&[record("g", 0)], 60).await, delivered(), "{clock_ahead}");
        let errors = world.totals().errors;
        let refused = errors.get("InvalidSignatureException").copied().unwrap_or(0);
        assert_eq!(refused, u64::from(clock_ahead != 0), "learnt once");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wrong_secret_is_told_as_what_it_is() {
    let key = Some("AKID:other".parse().unwrap());
    let options = CloudWatchOptions { require_key: key, ..CloudWatchOptions::default() };
    let world = World::start(&options, RETRY);
    let answer = world.deliver(&[record("g", 0)], 5).await;
    let Answer::RetryAfter { status, .. } = answer else { panic!("{answer:?}") };
    assert!(status.message.contains("InvalidSignatureException"), "{status}");
}
