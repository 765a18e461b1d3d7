use runtime::clock::Clock;

use super::*;

const POLL: Duration = Duration::from_millis(200);

/// Looks for `lasted` at the time that is due; gives how long the pause is then.
fn pause_after(look: &mut Look, is_watched: bool, lasted: Duration) -> Duration {
    let started = look.next().expect("it is not being done");
    look.start(started);
    assert_eq!(look.next(), None, "one at a time");
    let ended = started + lasted;
    look.end(is_watched, ended);
    look.next().expect("it has ended") - ended
}

#[test]
fn looks_are_seldom_while_the_kernel_tells_and_at_intervals_where_it_does_not() {
    let mut look = Look::new(POLL, false, Clock.now());
    assert_eq!(pause_after(&mut look, true, Duration::ZERO), PAUSE);
    assert_eq!(pause_after(&mut look, false, Duration::ZERO), POLL);
    assert_eq!(pause_after(&mut look, true, Duration::ZERO), PAUSE);
    let mut look = Look::new(POLL, true, Clock.now());
    assert_eq!(pause_after(&mut look, true, Duration::ZERO), POLL);
}

#[test]
fn what_tells_no_more_is_looked_at_at_once_and_at_intervals_from_then_on() {
    let mut look = Look::new(POLL, false, Clock.now());
    pause_after(&mut look, true, Duration::ZERO);
    let broken = Clock.now();
    look.deafen(broken);
    assert_eq!(look.next(), Some(broken));
    for _ in 0..3 {
        assert_eq!(pause_after(&mut look, true, Duration::ZERO), POLL);
    }
}

#[test]
fn looking_takes_a_part_of_the_time_only_however_much_is_new() {
    let long = Duration::from_secs(1);
    let mut look = Look::new(POLL, false, Clock.now());
    assert_eq!(pause_after(&mut look, false, long), long * SHARE);
    let ended = look.ended;
    look.hint(ended);
    assert_eq!(look.next(), Some(ended + long * SHARE));
    let mut look = Look::new(POLL, false, Clock.now());
    pause_after(&mut look, true, Duration::ZERO);
    look.hint(look.ended);
    assert_eq!(look.next(), Some(look.ended + GATHERED));
}

#[test]
fn that_the_kernel_does_not_tell_is_told_once() {
    let now = Clock.now();
    let mut look = Look::new(POLL, false, now);
    assert_eq!(
        [true, false, false].map(|is_watched| look.end(is_watched, now)),
        [false, true, false]
    );
    let mut look = Look::new(POLL, false, now);
    look.deafen(now);
    assert!(!look.end(true, now), "it was told when it happened");
}
