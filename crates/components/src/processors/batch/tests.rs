use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use pipeline::{Answer, Blueprint, Built, Context, Outlet};
use runtime::clock::Clock;
use wire::{Payload, Signal};

use super::FACTORY;
use crate::testing::{
    Capture, check_config, deliver, deliver_from, environment, logs_of, parse, payload,
};

fn batch(yaml: &str) -> (Built, Arc<Capture>) {
    let Ok(Blueprint::Processor(blueprint)) = parse(&FACTORY, yaml) else {
        panic!("not a processor: {yaml}")
    };
    let capture = Arc::new(Capture::default());
    let env = environment("batch", Some(Signal::Logs));
    let built = blueprint.build(env, Outlet::to(capture.clone())).unwrap();
    (built, capture)
}

fn logs(items: usize) -> Payload {
    payload(&logs_of(&vec!["line"; items]))
}

async fn send_all(built: &Built, requests: usize, items: usize) {
    let sends = (0..requests).map(|_| deliver(built.consumer.as_ref(), logs(items)));
    for answer in join_all(sends).await {
        assert_eq!(answer, Answer::Delivered { rejected: 0, warning: None });
    }
}

async fn close(built: Built) {
    built.component.close(Clock.now() + Duration::from_secs(5)).await;
}

fn sizes(capture: &Capture) -> Vec<usize> {
    capture.take().iter().map(Payload::items).collect()
}

#[test]
fn reads_upstreams_keys() {
    check_config(&FACTORY, "", &[]);
    check_config(
        &FACTORY,
        "send_batch_size: 10\ntimeout: 1s\nsend_batch_max_size: 20\nmetadata_keys: [tenant]\n\
         metadata_cardinality_limit: 5",
        &[],
    );
    check_config(
        &FACTORY,
        "send_batch_size: 10\nsend_batch_max_size: 5",
        &["send_batch_max_size", "must be greater than or equal to `send_batch_size`"],
    );
    check_config(
        &FACTORY,
        "metadata_keys: [myTOKEN, mytoken]",
        &["metadata_keys", "duplicate entry"],
    );
    check_config(&FACTORY, "early_return: true", &["early_return", "in_memory: true"]);
    check_config(&FACTORY, "early_return: true\nin_memory: true", &[]);
}

#[tokio::test(start_paused = true)]
async fn sends_by_size_before_the_timer() {
    // With workers to spare: else a batch grows while it waits for one.
    let (built, capture) = batch("send_batch_size: 20\ntimeout: 10s\nconcurrency_limit: 25");
    let started = Clock.now();
    send_all(&built, 100, 5).await;
    assert_eq!(sizes(&capture), [20; 25]);
    assert_eq!(Clock.now(), started);
    close(built).await;
}

#[tokio::test(start_paused = true)]
async fn never_exceeds_the_maximum() {
    let (built, capture) = batch("send_batch_size: 20\nsend_batch_max_size: 37\ntimeout: 500ms");
    send_all(&built, 1, 500).await;
    let mut sizes = sizes(&capture);
    sizes.sort_unstable();
    assert_eq!(sizes.len(), 14);
    assert_eq!((sizes[0], sizes[1], sizes[13]), (19, 37, 37));
    close(built).await;
}

#[tokio::test(start_paused = true)]
async fn many_callers_fill_batches_to_the_maximum() {
    let yaml = "send_batch_size: 128\nsend_batch_max_size: 130\ntimeout: 10s";
    let (built, capture) = batch(yaml);
    send_all(&built, 1000, 150).await;
    let sizes = sizes(&capture);
    assert_eq!(sizes.iter().sum::<usize>(), 150_000);
    assert!(sizes.iter().all(|size| *size <= 130));
    // Full pieces, and a remainder for each time that all callers waited for it.
    let full = sizes.iter().filter(|size| **size == 130).count();
    assert!(1000 <= full, "{full} of {}", sizes.len());
    close(built).await;
}

#[tokio::test(start_paused = true)]
async fn sends_what_waits_when_its_time_is_over() {
    let (built, capture) = batch("send_batch_size: 100\ntimeout: 100ms");
    let started = Clock.now();
    send_all(&built, 5, 10).await;
    assert_eq!(sizes(&capture), [50]);
    let took = Clock.now() - started;
    assert!((Duration::from_millis(99)..Duration::from_millis(110)).contains(&took), "{took:?}");
    close(built).await;
}

#[tokio::test(start_paused = true)]
async fn passes_through_when_all_is_zero() {
    let (built, capture) = batch("send_batch_size: 0\ntimeout: 0s");
    for _ in 0..5 {
        send_all(&built, 1, 7).await;
    }
    assert_eq!(sizes(&capture), [7; 5]);
    close(built).await;
    let (built, capture) = batch("send_batch_size: 0\ntimeout: 0s\nsend_batch_max_size: 10");
    for _ in 0..5 {
        send_all(&built, 1, 100).await;
    }
    assert_eq!(sizes(&capture), [10; 50]);
    close(built).await;
}

#[tokio::test(start_paused = true)]
async fn shutdown_sends_what_waits() {
    let yaml = "timeout: 3s\nearly_return: true\nin_memory: true";
    let (built, capture) = batch(yaml);
    send_all(&built, 10, 10).await;
    assert_eq!(sizes(&capture), [0; 0]);
    close(built).await;
    assert_eq!(sizes(&capture), [100]);
}

fn from_tenant(tenant: &str) -> Context {
    let metadata = [("tenant".to_owned(), tenant.to_owned())].into_iter().collect();
    Context { metadata, ..Context::default() }
}

#[tokio::test(start_paused = true)]
async fn keeps_tenants_apart() {
    let (built, capture) = batch("send_batch_size: 20\nmetadata_keys: [Tenant]");
    let sends = (0..20).map(|n| {
        let context = from_tenant(["a", "b"][n % 2]);
        deliver_from(built.consumer.as_ref(), logs(2), context)
    });
    for answer in join_all(sends).await {
        assert_eq!(answer, Answer::Delivered { rejected: 0, warning: None });
    }
    assert_eq!(sizes(&capture), [20, 20]);
    close(built).await;
}

#[tokio::test(start_paused = true)]
async fn refuses_the_tenant_above_the_limit_for_good() {
    let yaml = "send_batch_size: 1\nmetadata_keys: [tenant]\nmetadata_cardinality_limit: 10";
    let (built, _) = batch(yaml);
    for n in 0..10 {
        let tenant = from_tenant(&n.to_string());
        let answer = deliver_from(built.consumer.as_ref(), logs(1), tenant).await;
        assert_eq!(answer, Answer::Delivered { rejected: 0, warning: None });
    }
    let answer = deliver_from(built.consumer.as_ref(), logs(1), from_tenant("one more")).await;
    let Answer::Refused(status) = answer else { panic!("{answer:?}") };
    assert!(status.message.starts_with("too many"), "{status}");
    close(built).await;
}
