use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn pulse(while_idle: bool) -> (Pulse, impl Fn(u32) -> Instant) {
    let start = runtime::clock::Clock.now();
    let keepalive = Keepalive { interval: 10 * SECOND, timeout: 3 * SECOND, while_idle };
    (Pulse::new(Some(keepalive), start), move |seconds| start + SECOND * seconds)
}

#[test]
fn silence_is_broken_by_a_ping_and_the_next_is_death() {
    let (mut pulse, at) = pulse(true);
    assert_eq!(pulse.ask(at(9)), Feeling::Well(Some(at(10))));
    assert_eq!(pulse.ask(at(10)), Feeling::Ping);
    pulse.pinged(at(10));
    assert_eq!(pulse.ask(at(10)), Feeling::Well(Some(at(13))));
    assert_eq!(pulse.ask(at(13)), Feeling::Dead);
    pulse.heard(at(12));
    assert_eq!(pulse.ask(at(13)), Feeling::Well(Some(at(22))));
}

#[test]
fn who_does_nothing_is_left_alone_unless_asked_for() {
    let (mut pulse, at) = pulse(false);
    assert_eq!(pulse.ask(at(100)), Feeling::Well(None));
    pulse.is_idle(false, at(100));
    assert_eq!(pulse.ask(at(100)), Feeling::Well(Some(at(110))));
    assert_eq!(pulse.ask(at(110)), Feeling::Ping);
    pulse.is_idle(true, at(110));
    assert_eq!(pulse.ask(at(200)), Feeling::Well(None));
}
