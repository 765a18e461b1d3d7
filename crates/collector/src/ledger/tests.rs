use super::*;

#[test]
fn counts_distinct_and_doubled() {
    let mut ledger = Ledger::default();
    for sequence in [0, 1, 2, 63, 64, 64, 1] {
        ledger.enter("a", sequence);
    }
    let run = ledger.run("a").unwrap();
    assert_eq!((run.distinct, run.doubled), (5, 2));
    assert_eq!(run.ranges(), [0..3, 63..65]);
}

#[test]
fn finds_what_the_other_side_lacks() {
    let (mut sent, mut received) = (Run::default(), Run::default());
    (0..200).for_each(|sequence| assert!(sent.enter(sequence)));
    (0..100).for_each(|sequence| assert!(received.enter(sequence)));
    assert_eq!(sent.missing_in(Some(&received)), 100);
    assert_eq!(sent.missing_in(None), 200);
    assert_eq!(received.missing_in(Some(&sent)), 0);
}

#[test]
fn items_beyond_the_bounds_are_only_counted() {
    let mut ledger = Ledger::default();
    ledger.enter("a", ITEMS_MAX);
    (0..=RUNS_MAX).for_each(|run| ledger.enter(&run.to_string(), 0));
    assert_eq!(ledger.unnumbered, 2);
    assert_eq!(ledger.runs().count(), RUNS_MAX);
}

#[test]
fn what_a_generator_writes_is_checked_against_the_sink() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.json");
    let mut sent = Run::default();
    (0..10).for_each(|sequence| assert!(sent.enter(sequence)));
    Acknowledged::of("a", &sent).write(&path).unwrap();
    let acknowledged = Acknowledged::read(&path).unwrap();
    let mut ledger = Ledger::default();
    assert_eq!(acknowledged.missing_in(&ledger), 10);
    (0..7).for_each(|sequence| ledger.enter("a", sequence));
    assert_eq!(acknowledged.missing_in(&ledger), 3);
}
