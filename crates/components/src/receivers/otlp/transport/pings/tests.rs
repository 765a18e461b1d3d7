use super::*;

fn pings(is_idle_permitted: bool) -> Pings {
    Pings::new(PingPolicy { time_min: Duration::from_secs(10), is_idle_permitted })
}

/// Whether pings so far apart, with so many requests, come to be too many.
fn are_too_many(pings: &mut Pings, count: usize, apart: u64, requests: usize) -> bool {
    let mut now = runtime::clock::Clock.now();
    for _ in 0..count {
        pings.pinged(requests, now);
        now += Duration::from_secs(apart);
    }
    pings.are_too_many()
}

#[test]
fn the_third_that_comes_too_soon_is_one_too_many() {
    assert!(!are_too_many(&mut pings(false), 3, 9, 1));
    assert!(are_too_many(&mut pings(false), 4, 9, 1));
    assert!(!are_too_many(&mut pings(false), 100, 10, 1));
}

#[test]
fn without_a_request_the_policy_decides() {
    assert!(are_too_many(&mut pings(false), 4, 60, 0));
    assert!(!are_too_many(&mut pings(true), 100, 60, 0));
    assert!(are_too_many(&mut pings(true), 4, 9, 0));
}

#[test]
fn what_is_sent_in_between_forgives() {
    let mut pings = pings(false);
    for _ in 0..10 {
        assert!(!are_too_many(&mut pings, 3, 0, 1));
        pings.answered();
    }
}
