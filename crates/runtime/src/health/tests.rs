use super::Health;

#[test]
fn tells_what_is_wrong_until_it_is_well_or_gone() {
    let health = Health::default();
    let (one, two) = (health.sign("one"), health.sign("two"));
    assert_eq!(health.troubles(), [""; 0]);
    two.set(Some("its disk hangs".to_owned()));
    one.set(Some("its disk is full".to_owned()));
    assert_eq!(health.clone().troubles(), ["one: its disk is full", "two: its disk hangs"]);
    one.set(None);
    assert_eq!(health.troubles(), ["two: its disk hangs"]);
    drop(two);
    assert_eq!(health.troubles(), [""; 0]);
}
