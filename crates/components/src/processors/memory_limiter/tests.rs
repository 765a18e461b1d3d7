use std::sync::Arc;
use std::time::Duration;

use super::{FACTORY, Limit, Limits};
use crate::testing::{Capture, check_config, deliver, environment, logs_of, parse, payload};
use pipeline::{Answer, Blueprint, Consumer, Environment, Outlet};
use wire::Signal;

const MIB: usize = 1 << 20;

#[test]
fn limits_are_checked() {
    for (yaml, expected) in [
        ("{check_interval: 1s, limit_mib: 100}", &[][..]),
        ("{check_interval: 1s, limit_percentage: 80, spike_limit_percentage: 25}", &[]),
        ("{check_interval: 1s, limit_mib: 4000, spike_limit_mib: 800}", &[]),
        ("", &["`check_interval` must be greater than zero", "one of `limit_mib`"]),
        ("{limit_mib: 100}", &["`check_interval` must be greater than zero"]),
        ("{check_interval: 1s}", &["one of `limit_mib` and `limit_percentage`"]),
        ("{check_interval: 1s, limit_mib: 5, spike_limit_mib: 5}", &["must be smaller than"]),
        ("{check_interval: 1s, limit_percentage: 101}", &["must not be greater than 100"]),
        (
            "{check_interval: 1s, limit_percentage: 20, spike_limit_percentage: 30}",
            &["`spike_limit_percentage` must be smaller"],
        ),
        ("{check_interval: 1s, limit_mb: 5}", &["limit_mb"]),
    ] {
        check_config(&FACTORY, yaml, expected);
    }
}

#[test]
fn spike_is_a_fifth_unless_set() {
    let limits = |hard_bytes, soft_bytes| Limits { hard_bytes, soft_bytes };
    let bytes = |limit, spike| Limit::Bytes { limit, spike };
    assert_eq!(bytes(100 * MIB, 0).of(0), limits(100 * MIB, 80 * MIB));
    assert_eq!(bytes(100 * MIB, 30 * MIB).of(0), limits(100 * MIB, 70 * MIB));
    let percent = |limit, spike| Limit::Percent { limit, spike };
    assert_eq!(percent(50, 0).of(1000), limits(500, 400));
    assert_eq!(percent(50, 25).of(1000), limits(500, 250));
}

/// A limiter of 100 MiB hard and 80 MiB soft.
fn limiter(env: Environment) -> (Arc<dyn Consumer>, Arc<Capture>) {
    let yaml = "{check_interval: 2s, limit_mib: 100}";
    let Ok(Blueprint::Processor(blueprint)) = parse(&FACTORY, yaml) else { panic!("{yaml}") };
    assert_eq!(blueprint.memory_limit(), Some(100 * MIB));
    let capture = Arc::new(Capture::default());
    let built = blueprint.build(env, Outlet::to(capture.clone())).unwrap();
    (built.consumer, capture)
}

#[tokio::test]
async fn asks_to_retry_while_data_holds_more_than_the_soft_limit() {
    let env = environment("memory_limiter", Some(Signal::Logs));
    let held = env.budget.try_take(80 * MIB + 1).unwrap();
    let metrics = env.metrics.clone();
    let (limiter, capture) = limiter(env);
    let sent = payload(&logs_of(&["a", "b"]));
    let answer = deliver(limiter.as_ref(), sent.clone()).await;
    let Answer::RetryAfter { delay, .. } = answer else { panic!("{answer:?}") };
    assert_eq!(delay, Some(Duration::from_secs(2)));
    assert!(capture.take().is_empty());

    drop(held);
    let answer = deliver(limiter.as_ref(), sent).await;
    assert_eq!(answer, Answer::Delivered { rejected: 0, warning: None });
    assert_eq!(capture.take().len(), 1);

    let labels = || vec![("processor", "memory_limiter".to_owned())];
    let count = |name| metrics.counter(name, "", labels()).value();
    assert_eq!(count("otelcol_processor_accepted_log_records"), 2);
    assert_eq!(count("otelcol_processor_refused_log_records"), 2);
}
