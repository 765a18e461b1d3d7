use super::*;

#[test]
fn failures_are_spread_evenly() {
    let behaviour = Behaviour { fail_percent: 25, ..Behaviour::default() };
    let failed = |range: std::ops::Range<u64>| {
        range.filter(|number| behaviour.verdict(*number) != Verdict::Delivered).count()
    };
    assert_eq!((failed(0..100), failed(0..4), failed(4..8)), (25, 1, 1));
}

#[test]
fn capacity_refills_with_time() {
    let start = runtime::clock::Clock.now();
    let mut allowance = Allowance::new(100, start);
    assert!(allowance.take(80, start));
    assert!(!allowance.take(80, start));
    assert!(allowance.take(80, start + Duration::from_millis(600)));
    assert!(Allowance::new(0, start).take(usize::MAX, start));
}
