use std::time::Duration;

use super::Random;

#[test]
fn the_same_seed_gives_the_same_sequence() {
    let (one, other) = (Random::seeded(7), Random::seeded(7));
    assert!((0..100).all(|_| one.number() == other.number()));
    assert_ne!(Random::seeded(7).number(), Random::seeded(8).number());
}

#[test]
fn gives_the_published_sequence_of_splitmix64() {
    let random = Random::seeded(1_234_567);
    let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973];
    assert_eq!(expected, [random.number(), random.number()]);
}

#[test]
fn fresh_sequences_differ() {
    assert_ne!(Random::entropy().number(), Random::entropy().number());
}

#[test]
fn clones_share_one_sequence() {
    let random = Random::seeded(7);
    let clone = random.clone();
    let other = Random::seeded(7);
    let expected = (other.number(), other.number());
    assert_eq!(expected, (random.number(), clone.number()));
}

#[test]
fn numbers_stay_below_their_end_and_reach_every_value() {
    let random = Random::seeded(7);
    let mut seen = [false; 5];
    for _ in 0..200 {
        seen[usize::try_from(random.below(5)).unwrap()] = true;
    }
    assert_eq!([true; 5], seen);
}

#[test]
fn jitter_stays_within_its_share() {
    let random = Random::seeded(7);
    let period = Duration::from_secs(10);
    for _ in 0..200 {
        let moved = random.jittered(period, 0.2);
        assert!(Duration::from_secs(8) <= moved && moved <= Duration::from_secs(12));
    }
    assert_eq!(period, random.jittered(period, 0.0));
}
