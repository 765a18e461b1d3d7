use super::*;

#[test]
fn a_server_that_takes_nothing_is_given_up() {
    let start = runtime::clock::Clock.now();
    let mut heart = Heart::new(None, start);
    assert_eq!(heart.ask(start), Verdict::WaitUntil(None));
    heart.note(Sign::Wrote { is_blocked: true }, start);
    heart.note(Sign::Wrote { is_blocked: true }, start + WRITE_PATIENCE / 2);
    assert_eq!(heart.ask(start), Verdict::WaitUntil(Some(start + WRITE_PATIENCE)));
    assert!(matches!(heart.ask(start + WRITE_PATIENCE), Verdict::Cut(_)));
    heart.note(Sign::Wrote { is_blocked: false }, start + WRITE_PATIENCE);
    assert_eq!(heart.ask(start + WRITE_PATIENCE), Verdict::WaitUntil(None));
}
