use config::Gates;
use config::gates::QUEUE_ALLOW_IN_MEMORY;

use super::*;
use crate::settings::{Exhausted, Retry, Sizer};

fn queue() -> QueueWords {
    QueueWords { wait_for_result: true, ..QueueWords::default() }
}

fn road(queue: QueueWords) -> RoadWords {
    RoadWords { sending_queue: Some(queue), ..RoadWords::default() }
}

fn faults_of(words: RoadWords) -> Vec<String> {
    let faults = words.validate(&Gates::default()).map_or_else(Faults::into_vec, |_| Vec::new());
    faults.into_iter().map(|fault| format!("{}: {}", fault.path, fault.message)).collect()
}

#[test]
fn there_is_no_queue_unless_written() {
    let settings = RoadWords::default().validate(&Gates::default()).unwrap();
    assert_eq!(settings.queue, None);
    assert_eq!(settings.timeout, Duration::from_secs(5).unless_zero());
    assert_eq!(settings.retry, Some(Retry::default()));
}

#[test]
fn an_answer_before_delivery_needs_a_clear_word() {
    let words = || road(QueueWords::default());
    assert_eq!(faults_of(words()).len(), 1);
    let mut gates = Gates::default();
    gates.turn_on(QUEUE_ALLOW_IN_MEMORY);
    assert!(words().validate(&gates).is_ok());
    let in_memory = road(QueueWords { in_memory: true, ..QueueWords::default() });
    assert_eq!(faults_of(in_memory), Vec::<String>::new());
}

#[test]
fn a_durable_queue_needs_no_other_word() {
    let words = || QueueWords { storage: Some("file_storage/a".to_owned()), ..queue() };
    for waits in [true, false] {
        let words = road(QueueWords { wait_for_result: waits, ..words() });
        let settings = words.validate(&Gates::default()).unwrap();
        let stores = settings.stores();
        assert_eq!(stores.len(), 1);
        assert_eq!(stores[0].extension.to_string(), "file_storage/a");
        assert_eq!(stores[0].key, "sending_queue.storage");
    }
    let words = road(QueueWords { in_memory: true, ..words() });
    let expected = "sending_queue.in_memory: a queue with `storage` is not in memory only";
    assert_eq!(faults_of(words), [expected]);
}

#[test]
fn what_is_about_stored_data_has_an_effect_only_with_storage() {
    let refused = Some(RefusedWords { storage: "file_storage".to_owned(), ..Default::default() });
    let expire_after = Duration::from_secs(60);
    let words = QueueWords { expire_after, refused, on_exhausted: Exhausted::Drop, ..queue() };
    let expected = "has an effect only together with `storage`";
    let expected = ["on_exhausted", "expire_after", "refused"]
        .map(|key| format!("sending_queue.{key}: {expected}"));
    assert_eq!(faults_of(road(words.clone())), expected);
    let words = QueueWords { storage: Some("file_storage".to_owned()), ..words };
    assert_eq!(faults_of(road(words)), [""; 0]);
}

#[test]
fn secrets_are_not_stored() {
    let partition = PartitionWords {
        metadata_keys: vec!["Authorization".to_owned(), "tenant".to_owned()],
        ..PartitionWords::default()
    };
    let batch = Some(BatchWords { partition, ..BatchWords::default() });
    let queue_size = 100_000;
    let words = QueueWords { batch, storage: Some("disk".to_owned()), queue_size, ..queue() };
    let expected = "sending_queue.batch.partition.metadata_keys: `Authorization` is a secret, which \
                    must not be stored with data";
    assert_eq!(faults_of(road(words)), [expected]);
}

#[test]
fn bad_queue_numbers_are_all_named() {
    let batch = BatchWords {
        min_size: 20,
        max_size: 10,
        sizer: Some(Sizer::Requests),
        ..BatchWords::default()
    };
    let words = road(QueueWords { num_consumers: 0, queue_size: 0, batch: Some(batch), ..queue() });
    assert_eq!(
        faults_of(words),
        [
            "sending_queue.num_consumers: must be positive",
            "sending_queue.queue_size: must be positive",
            "sending_queue.batch.max_size: must not be less than `min_size`",
            "sending_queue.batch.sizer: must be `items` or `bytes`",
        ]
    );
}

#[test]
fn a_minimum_above_the_queue_cannot_be_reached() {
    let batch = BatchWords { min_size: 200, ..BatchWords::default() };
    let words = |sizer| {
        road(QueueWords {
            sizer: Some(sizer),
            queue_size: 100,
            batch: Some(batch.clone()),
            ..queue()
        })
    };
    assert_eq!(faults_of(words(Sizer::Items)).len(), 1);
    assert_eq!(faults_of(words(Sizer::Requests)).len(), 0);
}

#[test]
fn bad_retry_numbers_are_faults_even_when_retry_is_off() {
    let words = RoadWords {
        retry_on_failure: RetryWords {
            enabled: false,
            randomization_factor: 1.5,
            multiplier: -1.0,
            ..RetryWords::default()
        },
        ..RoadWords::default()
    };
    assert_eq!(
        faults_of(words),
        [
            "retry_on_failure.randomization_factor: must be between 0 and 1",
            "retry_on_failure.multiplier: must not be negative",
        ]
    );
}

#[test]
fn a_multiplier_of_zero_is_valid() {
    let retry_on_failure = RetryWords { multiplier: 0.0, ..RetryWords::default() };
    assert!(faults_of(RoadWords { retry_on_failure, ..RoadWords::default() }).is_empty());
}

#[test]
fn metadata_keys_are_distinct_without_case() {
    let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
    assert!(distinct_keys(&keys(&["myTOKEN", "mytoken"])).is_err());
    assert_eq!(distinct_keys(&keys(&["B", "a"])).unwrap(), keys(&["a", "b"]));
}

/// An exporter with nothing but a road.
#[derive(Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Exporter {
    timeout: Duration,
    retry_on_failure: RetryWords,
    sending_queue: Option<QueueWords>,
}

impl config::section::Words for Exporter {
    type Settings = Settings;

    fn validate(self, gates: &Gates) -> Result<Settings, Faults> {
        let Self { timeout, retry_on_failure, sending_queue } = self;
        RoadWords { timeout, retry_on_failure, sending_queue }.validate(gates)
    }
}

fn read(yaml: &str) -> Result<Settings, String> {
    let mut gates = Gates::default();
    gates.turn_on(QUEUE_ALLOW_IN_MEMORY);
    let section = config::Section::from_yaml(yaml).map_err(|problems| format!("{problems:?}"))?;
    section.read::<Exporter>(&gates).map_err(|problems| problems[0].to_string())
}

#[track_caller]
fn check_batch_sizer(queue: &str, expected: Option<Sizer>) {
    let settings = read(&format!("sending_queue:\n{queue}")).unwrap();
    let batch = settings.queue.expect("a queue").batch;
    assert_eq!(batch.map(|batch| batch.sizer), expected, "{queue}");
}

#[test]
fn a_batch_inherits_the_queues_unit_as_upstream() {
    check_batch_sizer("  sizer: bytes\n  queue_size: 100000", None);
    check_batch_sizer("  batch:", Some(Sizer::Items));
    check_batch_sizer("  sizer: bytes\n  queue_size: 100000\n  batch: {}", Some(Sizer::Items));
    check_batch_sizer(
        "  sizer: bytes\n  queue_size: 100000\n  batch:\n    min_size: 100",
        Some(Sizer::Bytes),
    );
    check_batch_sizer(
        "  sizer: bytes\n  queue_size: 100000\n  batch:\n    min_size: 100\n    sizer: items",
        Some(Sizer::Items),
    );
    check_batch_sizer("  sizer: requests\n  batch:\n    min_size: 100", Some(Sizer::Items));
    check_batch_sizer("  batch:\n    enabled: false", None);
}

#[test]
fn an_empty_key_is_a_queue_with_defaults() {
    let queue = read("sending_queue:").unwrap().queue.expect("a queue");
    assert_eq!((queue.num_consumers, queue.queue_size), (10, 1000));
    assert_eq!(read("sending_queue: {enabled: false}").unwrap().queue, None);
    assert_eq!(read("timeout: 0s").unwrap().timeout, None);
}

#[test]
fn a_flush_timer_of_zero_cannot_flow() {
    let problem = read("sending_queue:\n  batch:\n    flush_timeout: 0s").unwrap_err();
    assert!(problem.contains("sending_queue.batch.flush_timeout: must be positive"), "{problem}");
    assert!(problem.contains(":3:"), "it has its position: {problem}");
}
