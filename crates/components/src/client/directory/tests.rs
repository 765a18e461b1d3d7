use super::*;

struct World {
    directory: Directory,
    now: Instant,
}

fn target(number: u8) -> Target {
    Target::Tcp(SocketAddr::from(([10, 0, 0, number], 4317)))
}

fn world(policy: Policy) -> World {
    let now = runtime::clock::Clock.now();
    World { directory: Directory::new(policy, Random::seeded(7), now), now }
}

impl World {
    fn check(&mut self, event: Event, expected: &[Action]) {
        assert_eq!(self.directory.handle(event, self.now), expected);
    }

    fn pass(&mut self, period: Duration) {
        self.now += period;
    }

    fn fail(&mut self, number: u8, expected: &[Action]) {
        self.check(Event::Failed(target(number), "refused".into()), expected);
    }
}

fn lost(number: u8) -> Event {
    Event::Lost(target(number), Ending::Useless)
}

fn dial(number: u8) -> Action {
    Action::Dial(target(number))
}

fn started(policy: Policy) -> World {
    let mut world = world(policy);
    world.check(Event::Tick, &[Action::Resolve]);
    world
}

#[test]
fn all_addresses_are_dialled_at_once() {
    let mut world = started(Policy::RoundRobin);
    assert_eq!(world.directory.failure(), None);
    world.check(Event::Resolved(vec![target(1), target(2)]), &[dial(1), dial(2)]);
    world.check(Event::Dialled(target(1)), &[]);
    assert_eq!(world.directory.due(), Some(world.now + RESOLVE_INTERVAL));
}

#[test]
fn pick_first_dials_the_next_only_when_the_one_before_failed() {
    let mut world = started(Policy::PickFirst);
    world.check(Event::Resolved(vec![target(1), target(2)]), &[dial(1)]);
    world.fail(1, &[dial(2)]);
    world.check(Event::Dialled(target(2)), &[]);
    world.pass(Duration::from_secs(60));
    world.check(Event::Tick, &[Action::Resolve]);
    world.check(lost(2), &[dial(1)]);
}

#[test]
fn a_dead_address_is_tried_again_after_growing_pauses() {
    let mut world = started(Policy::RoundRobin);
    world.check(Event::Resolved(vec![target(1)]), &[dial(1)]);
    let mut pauses = Vec::new();
    for _ in 0..8 {
        world.fail(1, &[]);
        let reason = world.directory.failure();
        assert_eq!(reason.as_deref(), Some("refused"));
        let State::Pausing { until } = world.directory.slots[0].state else { panic!() };
        pauses.push(until - world.now);
        world.now = until;
        let actions = world.directory.handle(Event::Tick, world.now);
        assert!(actions.contains(&dial(1)));
        // A further attempt is not hope enough to let requests wait for it.
        assert!(world.directory.failure().is_some());
        world.directory.handle(Event::Resolved(vec![target(1)]), world.now);
    }
    assert!(pauses[0] < Duration::from_millis(1200) && pauses[1] > pauses[0]);
    assert!(*pauses.last().unwrap() <= PAUSE_MAX.mul_f64(1.2));
}

#[test]
fn failures_resolve_again_but_not_in_a_storm() {
    let mut world = started(Policy::RoundRobin);
    world.check(Event::Resolved(vec![target(1), target(2)]), &[dial(1), dial(2)]);
    world.fail(1, &[]);
    world.fail(2, &[]);
    world.pass(RESOLVE_INTERVAL_MIN);
    assert!(world.directory.handle(Event::Tick, world.now).contains(&Action::Resolve));
    assert!(!world.directory.handle(Event::Tick, world.now).contains(&Action::Resolve));
    let forgotten = [Action::Forget(target(1)), Action::Forget(target(2)), dial(3)];
    world.check(Event::Resolved(vec![target(3)]), &forgotten);
}

#[test]
fn a_lost_connection_is_dialled_again_at_once_unless_it_is_short_twice() {
    let mut world = started(Policy::RoundRobin);
    world.check(Event::Resolved(vec![target(1)]), &[dial(1)]);
    world.check(Event::Dialled(target(1)), &[]);
    world.pass(LIFE_MIN);
    world.check(lost(1), &[dial(1), Action::Resolve]);
    assert_eq!(world.directory.failure(), None);
    world.check(Event::Dialled(target(1)), &[]);
    world.check(lost(1), &[dial(1)]);
    assert_eq!(world.directory.failure(), None);
    world.check(Event::Dialled(target(1)), &[]);
    world.check(Event::Lost(target(1), Ending::Useful), &[dial(1)]);
    for expected in [&[dial(1)][..], &[]] {
        world.check(Event::Dialled(target(1)), &[]);
        world.check(lost(1), expected);
    }
    assert!(world.directory.failure().unwrap().contains("right after they open"));
}

#[test]
fn a_server_that_asks_to_go_is_not_broken_unless_it_does_so_without_end() {
    let mut world = started(Policy::RoundRobin);
    world.check(Event::Resolved(vec![target(1)]), &[dial(1)]);
    for _ in 0..SENT_AWAY_MAX {
        world.check(Event::Dialled(target(1)), &[]);
        world.check(Event::Lost(target(1), Ending::SentAway), &[dial(1)]);
        assert_eq!(world.directory.failure(), None);
    }
    world.check(Event::Dialled(target(1)), &[]);
    world.check(Event::Lost(target(1), Ending::SentAway), &[]);
    assert!(world.directory.failure().is_some());
}

#[test]
fn a_name_that_cannot_be_resolved_keeps_its_addresses() {
    let mut world = started(Policy::RoundRobin);
    world.check(Event::Unresolved("no such name".into()), &[]);
    assert_eq!(world.directory.failure().as_deref(), Some("no such name"));
    world.pass(Duration::from_secs(2));
    world.check(Event::Tick, &[Action::Resolve]);
    world.check(Event::Resolved(vec![target(1)]), &[dial(1)]);
    world.check(Event::Dialled(target(1)), &[]);
    world.pass(RESOLVE_INTERVAL);
    world.check(Event::Tick, &[Action::Resolve]);
    world.check(Event::Resolved(Vec::new()), &[]);
    assert_eq!(world.directory.failure(), None);
}

#[test]
fn news_of_forgotten_addresses_are_ignored() {
    let mut world = started(Policy::RoundRobin);
    world.check(Event::Resolved(vec![target(1)]), &[dial(1)]);
    world.check(Event::Dialled(target(9)), &[]);
    world.check(lost(9), &[]);
    world.fail(9, &[]);
    assert_eq!(world.directory.slots.len(), 1);
}
